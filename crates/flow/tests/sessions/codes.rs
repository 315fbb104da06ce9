//! Codes while a line is dead: they go out by another bind in time.

use std::collections::HashMap;
use std::time::Duration;

use bytes::BytesMut;
use domain::state::Status;
use smpp::pdu::{BindMode, BindResp};
use smpp::{CommandStatus, FrameCutter};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::time::{Instant, interval};

use super::faults::{QUICK, slow, two_hosts};
use super::proxy::Proxy;
use super::rig::{LONG, Rig, carrier, operator, phones, time_until, until};
use super::ways::frame;

/// A code is out by a healthy bind within this.
const OUT_WITHIN: Duration = Duration::from_secs(2);
/// From one code to the next.
const EVERY: Duration = Duration::from_millis(50);

/// One of two lines swallows everything; codes are sent all the while, at fixed times. How long they took until the
/// operator had them, sorted, and how long the dead line was not noticed.
async fn blackhole(count: usize, timers: &str) -> (Vec<Duration>, Duration) {
    let operator = operator(slow(20)).await;
    let proxy = Proxy::start(operator.address).await;
    let rig = Rig::start(&[("one", two_hosts(&proxy, operator.address, timers))]).await;
    rig.wait_bound("one", 2).await;
    proxy.swallow(true);
    let started = Instant::now();
    let noticing = time_until("the dead line is noticed", || rig.bound("one") == 1);
    let sending = async {
        let mut tick = interval(EVERY);
        let mut sent = Vec::new();
        for phone in phones(0, 0, count) {
            let planned = tick.tick().await;
            sent.push((phone.clone(), planned, rig.send_code(phone).await));
        }
        sent
    };
    let (noticed, sent, came) = tokio::join!(noticing, sending, arrivals(&operator, count));
    let ids: Vec<_> = sent.iter().map(|(_, _, id)| *id).collect();
    rig.wait_status(&ids, &[Status::Sent]).await;
    let mut took: Vec<Duration> =
        sent.iter().map(|(phone, planned, _)| came[phone].saturating_duration_since(*planned)).collect();
    took.sort_unstable();
    println!("dead for {noticed:?} of {:?}, codes p50 {:?}, p99 {:?}", started.elapsed(), took[count / 2], p99(&took));
    rig.stop().await;
    (took, noticed)
}

/// When the operator first got something for each of so many recipients.
async fn arrivals(operator: &simulator::operator::Operator, count: usize) -> HashMap<String, Instant> {
    let (mut came, begun) = (HashMap::new(), Instant::now());
    while came.len() < count {
        assert!(begun.elapsed() < LONG, "only {} of {count} came", came.len());
        for part in operator.ledger().parts() {
            came.entry(part.destination).or_insert_with(Instant::now);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    came
}

fn p99(sorted: &[Duration]) -> Duration {
    sorted[(sorted.len() * 99 / 100).min(sorted.len() - 1)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c2_blackhole_codes() {
    let (took, noticed) = blackhole(160, QUICK).await;
    // A machine that is busy may add to either.
    assert!(noticed <= Duration::from_secs(6), "noticed after {noticed:?}");
    assert!(p99(&took) <= OUT_WITHIN * 2, "codes: p99 {:?}", p99(&took));
}

/// With the usual timers, which notice a dead line after half a minute.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c2_blackhole_codes_by_the_usual_timers() {
    let (took, noticed) = blackhole(700, "").await;
    assert!(noticed <= Duration::from_secs(31), "noticed after {noticed:?}");
    assert!(p99(&took) <= OUT_WITHIN, "codes: p99 {:?}", p99(&took));
}

/// An operator that reads nothing for a while holds up a whole window of bulk. How many octets of it a code that comes then
/// waits behind: those in the buffers of both kernels, and those in the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_waits_behind_few_octets_of_a_line_that_does_not_move() {
    /// Asked for of the operator's kernel, which takes more.
    const RECEIVE_BUFFER_OCTETS: usize = 8 * 1024;
    /// The operator's buffer with the kernel's overhead, what is unsent in ours, what waits in the session, and a part.
    const AHEAD_OCTETS_MAX: usize = 4 * RECEIVE_BUFFER_OCTETS + 2 * 16 * 1024 + 1_024;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    socket2::SockRef::from(&listener).set_recv_buffer_size(RECEIVE_BUFFER_OCTETS).unwrap();
    let lines = "binds = 1\nwindow = 5000";
    let rig = Rig::start(&[("one", carrier("one", listener.local_addr().unwrap(), lines))]).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut cutter = FrameCutter::new(4_096);
    let (bind, _) = frame(&mut stream, &mut cutter).await;
    let mut out = BytesMut::new();
    let ok = CommandStatus::ROK;
    BindResp::encode_answer(BindMode::Transceiver, ok, b"smsc", Some(0x34), bind.sequence_number, &mut out).unwrap();
    stream.write_all(&out).await.unwrap();
    rig.wait_bound("one", 1).await;
    rig.send_text(&"bulk ".repeat(30), phones(0, 0, 5_000)).await;
    // Everything is full when nothing more is taken for a while.
    let (mut used, mut since) = (0, Instant::now());
    until("the line is full", || {
        let now = rig.slots("one").0;
        if now != used || now == 0 {
            (used, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_millis(500)
    })
    .await;
    rig.send_code(phones(0, 900_000, 1).next().unwrap()).await;
    let (mut ahead, mut parts) = (0, 0);
    loop {
        let (_, octets) = frame(&mut stream, &mut cutter).await;
        if octets.windows(9).any(|octets| octets == b"Your code") {
            break;
        }
        (ahead, parts) = (ahead + octets.len(), parts + 1);
    }
    println!("a code waited behind {ahead} octets, {parts} parts; {used} slots of 5000 were used");
    assert!(ahead <= AHEAD_OCTETS_MAX, "a code waited behind {ahead} octets in {parts} parts");
    drop(stream);
    rig.stop().await;
}
