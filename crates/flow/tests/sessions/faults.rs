//! Lines that break, hang and drip.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::state::Status;
use simulator::operator::Behaviour;
use tokio::time::{Instant, sleep};

use super::proxy::Proxy;
use super::rig::{Rig, carrier, duplicates, operator, phones, plain, time_until, until};

const WINDOW: usize = 50;
/// What bulk takes of it where the Priority lane has no bind of its own.
const FULL: usize = 40;

/// Answers that take a while keep the window full; receipts are of no interest here.
pub fn slow(answer_ms: u64) -> Behaviour {
    Behaviour { answer_ms, missing_per_mille: 1000, ..plain() }
}

/// Resets the connection again and again with a full window.
async fn reset_mid_window(resets: usize, slack: u32) {
    let within = Duration::from_secs(2);
    let operator = operator(slow(200)).await;
    let proxy = Proxy::start(operator.address).await;
    let rig = Rig::start(&[("one", carrier("one", proxy.address, "binds = 1\nwindow = 50"))]).await;
    rig.wait_bound("one", 1).await;
    let (mut ids, mut pauses) = (Vec::new(), Vec::new());
    for round in 0..resets {
        ids.extend(rig.send(phones(0, round * 100, 100)).await);
        let answered = || rig.carrier("one").binds()[0].stats().answered > 0;
        until("a full window of a session that works", || rig.slots("one").0 == FULL && answered()).await;
        proxy.reset();
        until("the reset is noticed", || rig.bound("one") == 0).await;
        pauses.push(time_until("bound again", || rig.bound("one") == 1).await);
    }
    rig.wait_status(&ids, &[Status::Sent]).await;
    let parts = operator.ledger().parts();
    let twice = duplicates(&parts);
    assert!(twice <= WINDOW * resets, "{twice} duplicates by {resets} resets of a window of {WINDOW}");
    pauses.sort();
    println!("bound again after {pauses:?}");
    assert!(pauses[pauses.len() / 2] <= within, "bound again after {pauses:?}");
    // The pause before a new try is drawn from a second: on a busy machine the slowest may be late.
    assert!(pauses.iter().all(|pause| *pause <= within * slack), "bound again after {pauses:?}");
    assert_eq!(rig.slots("one"), (0, 0), "no slot is lost");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c1_rst_mid_window() {
    reset_mid_window(5, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c1_rst_mid_window_a_hundred_times() {
    reset_mid_window(100, 1).await;
}

/// A carrier with two hosts, one bind on each; the first host lies behind `proxy`, the second is the operator itself.
pub fn two_hosts(proxy: &Proxy, operator: std::net::SocketAddr, lines: &str) -> String {
    carrier("one", proxy.address, &format!("hosts = [\"{operator}\"]\nbinds = 2\nwindow = 50\n{lines}"))
}

pub const QUICK: &str = "enquire_link_seconds = 1\nenquire_link_timeout_seconds = 1\nbind_timeout_seconds = 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c2_blackhole() {
    let operator = operator(slow(20)).await;
    let proxy = Proxy::start(operator.address).await;
    let rig = Rig::start(&[("one", two_hosts(&proxy, operator.address, QUICK))]).await;
    rig.wait_bound("one", 2).await;
    let before = rig.send(phones(0, 0, 200)).await;
    rig.wait_status(&before, &[Status::Sent]).await;
    proxy.swallow(true);
    let started = Instant::now();
    let ids = rig.send(phones(0, 1_000, 400)).await;
    let noticed = time_until("the dead line is noticed", || rig.bound("one") == 1).await;
    // One second of silence, one for the answer; the rest is a busy machine.
    assert!(noticed <= Duration::from_secs(6), "noticed after {noticed:?}");
    rig.wait_status(&ids, &[Status::Sent]).await;
    let over = started.elapsed();
    // What was swallowed waits five seconds for a receipt before it is sent again.
    assert!(over <= noticed + Duration::from_secs(10), "the other bind took over: {over:?}, noticed after {noticed:?}");
    let parts = operator.ledger().parts();
    assert_eq!(duplicates(&parts), 0, "what was swallowed never reached the operator");
    rig.stop().await;
}

/// Of ten parts one is answered only after its time. Times in seconds.
async fn late_answers(response_timeout: u64, late: u64) {
    let behaviour = Behaviour { answer_tail_per_mille: 100, answer_tail_ms: late * 1_000, ..slow(5) };
    let operator = operator(behaviour).await;
    let lines = format!("binds = 1\nwindow = 50\nresponse_timeout_seconds = {response_timeout}");
    let rig = Rig::start(&[("one", carrier("one", operator.address, &lines))]).await;
    rig.wait_bound("one", 1).await;
    let ids = rig.send(phones(0, 0, 200)).await;
    until("all have been tried", || operator.ledger().submitted.load(Ordering::Relaxed) >= 200).await;
    // What is sent again is answered in time.
    operator.behave(slow(5));
    rig.wait_status(&ids, &[Status::Sent]).await;
    let carrier = rig.carrier("one");
    until("late answers come", || carrier.binds()[0].stats().answered_late > 0).await;
    until("no slot is lost", || rig.slots("one") == (0, 0)).await;
    let mut of_operator: HashMap<String, Vec<String>> = HashMap::new();
    for part in operator.ledger().parts() {
        of_operator.entry(part.destination).or_default().push(part.id);
    }
    for id in ids {
        let message = rig.message(id).await;
        let known = &of_operator[&message.phone.to_string()];
        let kept = message.parts[0].operator_id.to_string();
        assert!(known.contains(&kept), "{kept} belongs to another message than {known:?}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c3_resp_late() {
    late_answers(1, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c3_resp_late_by_the_usual_timers() {
    late_answers(30, 45).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c3_resp_never() {
    let operator = operator(Behaviour { unanswered_per_mille: 300, ..slow(1) }).await;
    let rig = Rig::start(&[(
        "one",
        carrier("one", operator.address, "binds = 1\nwindow = 20\nresponse_timeout_seconds = 1"),
    )])
    .await;
    rig.wait_bound("one", 1).await;
    let ids = rig.send(phones(0, 0, 60)).await;
    rig.wait_status(&ids, &[Status::Sent]).await;
    until("no slot is lost", || rig.slots("one") == (0, 0)).await;
    assert!(rig.carrier("one").binds()[0].stats().timed_out > 0);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c4_slicer_1byte() {
    const PER_SECOND: u64 = 200;
    let operator = operator(Behaviour { receipt_ms: 10, ..plain() }).await;
    let proxy = Proxy::start(operator.address).await;
    proxy.slice();
    let lines = format!("binds = 1\nwindow = 50\nrate_per_second = {PER_SECOND}");
    let rig = Rig::start(&[("one", carrier("one", proxy.address, &lines))]).await;
    rig.wait_bound("one", 1).await;
    let started = Instant::now();
    let ids = rig.send(phones(0, 0, 400)).await;
    rig.wait_status(&ids, &[Status::Delivered]).await;
    let took = started.elapsed();
    assert!(took <= Duration::from_secs(2 * 400 / PER_SECOND), "half of the pace at least: {took:?}");
    let parts = operator.ledger().parts();
    assert_eq!((parts.len(), duplicates(&parts)), (400, 0));
    assert!(parts.iter().all(|part| part.text == "hello"));
    rig.stop().await;
}

/// The operator is up for a second and down for a second, for so many seconds.
async fn flap(seconds: u64) {
    const BINDS: usize = 4;
    let operator = operator(slow(20)).await;
    let proxy = Proxy::start(operator.address).await;
    let lines = format!("binds = {BINDS}\nwindow = 50\nrate_per_second = 100");
    let rig = Rig::start(&[("one", carrier("one", proxy.address, &lines))]).await;
    rig.wait_bound("one", BINDS).await;
    let ids = rig.send(phones(0, 0, usize::try_from(seconds).unwrap() * 30)).await;
    let (tries_before, started) = (proxy.connections(), Instant::now());
    for second in 0..seconds {
        proxy.down(second % 2 == 1);
        sleep(Duration::from_secs(1)).await;
    }
    let tries = proxy.connections() - tries_before;
    let allowed = BINDS * (usize::try_from(started.elapsed().as_secs()).unwrap() + 1);
    assert!(tries <= allowed, "{tries} tries, at most one per second and bind are {allowed}");
    proxy.down(false);
    rig.wait_status(&ids, &[Status::Sent]).await;
    let twice = duplicates(&operator.ledger().parts());
    let downs = usize::try_from(seconds).unwrap() / 2;
    assert!(twice <= BINDS * WINDOW * downs, "{twice} duplicates");
    // In flight at 100 a second and 20 ms are two parts: a storm of requeued ones would be far above this.
    assert!(twice <= BINDS * 10 * downs, "{twice} duplicates, far more than were in flight");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c10_flap() {
    flap(6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c10_flap_60() {
    flap(60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_unbind_in_flight() {
    let operator = operator(slow(500)).await;
    let rig = Rig::start(&[("one", carrier("one", operator.address, "binds = 1\nwindow = 50"))]).await;
    rig.wait_bound("one", 1).await;
    let ids = rig.send(phones(0, 0, 120)).await;
    until("a full window", || operator.ledger().submitted.load(Ordering::Relaxed) >= FULL as u64).await;
    operator.unbind();
    rig.wait_status(&ids, &[Status::Sent]).await;
    assert_eq!(operator.ledger().binds.load(Ordering::Relaxed), 2, "it bound again");
    let parts = operator.ledger().parts();
    assert_eq!((parts.len(), duplicates(&parts)), (120, 0), "what was answered after the unbind counts");
    rig.stop().await;
}

/// The operator's process stops for a while and goes on; its kernel takes what is sent.
async fn pause(paused: Duration, timers: &str) {
    let behaviour = slow(20);
    let operator = operator(behaviour.clone()).await;
    let lines = format!("binds = 2\nwindow = 50\n{timers}");
    let rig = Rig::start(&[("one", carrier("one", operator.address, &lines))]).await;
    rig.wait_bound("one", 2).await;
    operator.behave(Behaviour { deaf: true, frozen: true, ..behaviour.clone() });
    let stopped = Instant::now();
    let ids = rig.send(phones(0, 0, 300)).await;
    until("the silence is noticed", || rig.bound("one") == 0).await;
    assert!(stopped.elapsed() < paused, "noticed after {:?}, which is when it was over", stopped.elapsed());
    sleep(paused.saturating_sub(stopped.elapsed())).await;
    operator.behave(behaviour);
    rig.wait_status(&ids, &[Status::Sent]).await;
    until("no slot is lost", || rig.slots("one") == (0, 0)).await;
    let twice = duplicates(&operator.ledger().parts());
    assert!(twice <= 2 * WINDOW, "{twice} duplicates of two windows of {WINDOW}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c12_pause_smsc() {
    pause(Duration::from_secs(6), QUICK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c12_pause_smsc_20_s() {
    pause(Duration::from_secs(20), "enquire_link_seconds = 5\nenquire_link_timeout_seconds = 5").await;
}

/// Resident memory of this process, operator and proxy included, in octets.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    1_024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c15_operator_slow_read() {
    const GROWTH_OCTETS_MAX: u64 = 4 << 20;
    let operator = operator(slow(5)).await;
    let proxy = Proxy::start(operator.address).await;
    let rig = Rig::start(&[("one", two_hosts(&proxy, operator.address, ""))]).await;
    rig.wait_bound("one", 2).await;
    // The same once without a fault: what messages take by themselves is not what is measured.
    let before = rig.send(phones(0, 0, 4_000)).await;
    rig.wait_status(&before, &[Status::Sent]).await;
    let usual = resident();
    proxy.stall(true);
    let ids = rig.send(phones(0, 10_000, 2_000)).await;
    let used = || rig.carrier("one").binds().iter().map(|bind| bind.stats().window_used).collect::<Vec<usize>>();
    let through = || operator.ledger().accepted.load(Ordering::Relaxed) as usize;
    let mut most = usual;
    until("the other bind goes on", || {
        most = most.max(resident());
        through() >= 6_000 - WINDOW && used()[1] == 0
    })
    .await;
    println!("{} KiB before, at most {} KiB while one line is full", usual >> 10, most >> 10);
    assert!(most <= usual + GROWTH_OCTETS_MAX, "memory went from {usual} to {most} octets");
    assert!((1..=WINDOW).contains(&used()[0]), "{:?}", used());
    proxy.stall(false);
    rig.wait_status(&ids, &[Status::Sent]).await;
    assert_eq!(duplicates(&operator.ledger().parts()), 0);
    rig.stop().await;
}
