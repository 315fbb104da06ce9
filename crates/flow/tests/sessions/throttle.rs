//! Operators that ask for a slower pace.

use std::time::Duration;

use domain::state::Status;
use flow::send::PaceReason;
use simulator::operator::{Behaviour, Refusal, Submitted, When};
use tokio::time::{Instant, sleep};

use super::rig::{Rig, carrier, operator, phones, plain, until};

const RTHROTTLED: u32 = 0x58;

fn throttling(per_mille: u16) -> Behaviour {
    let rule = Refusal { when: When::PerMille(per_mille), command_status: RTHROTTLED };
    Behaviour { refusals: vec![rule], receipt_ms: 10, ..plain() }
}

/// The most parts in any second.
fn most_per_second(parts: &[Submitted]) -> usize {
    let times: Vec<u64> = parts.iter().map(|part| part.at_ms).collect();
    let within = |from: usize| times[from..].iter().take_while(|at| **at < times[from] + 1_000).count();
    (0..times.len()).map(within).max().unwrap_or_default()
}

/// 30 % refused, then all, then none; times in seconds.
async fn wave((some, all): (u64, u64), per_second: usize) {
    let operator = operator(throttling(0)).await;
    let lines = format!("binds = 1\nwindow = 20\nrate_per_second = {per_second}");
    let rig = Rig::start(&[("one", carrier("one", operator.address, &lines))]).await;
    rig.wait_bound("one", 1).await;
    let flowing = rig.send(phones(0, 0, per_second)).await;
    rig.wait_status(&flowing, &[Status::Delivered]).await;
    let ids = rig.send(phones(0, 10_000, per_second * 60)).await;
    operator.behave(throttling(300));
    sleep(Duration::from_secs(some)).await;
    operator.behave(throttling(1000));
    sleep(Duration::from_secs(all)).await;
    until("the pace is down", || rig.carrier("one").binds()[0].pace_reason != PaceReason::Contract).await;
    operator.behave(throttling(0));
    let began = Instant::now();
    let wanted = per_second as f64 * 0.9;
    until("nine tenths of the pace are back", || {
        rig.carrier("one").binds()[0].pace_per_second.is_none_or(|pace| pace >= wanted)
    })
    .await;
    let back = began.elapsed();
    assert!(back <= Duration::from_secs(30), "back after {back:?}");
    let parts = operator.ledger().parts();
    let most = most_per_second(&parts);
    // Bulk may run 20 ms ahead of the rate, and the line adds its own unevenness.
    assert!(most <= per_second + per_second / 10 + 5, "{most} in a second at a contract of {per_second}");
    for id in ids.iter().chain(&flowing) {
        assert_ne!(rig.message(*id).await.status, Status::Rejected, "a slower pace is no reason to fail");
    }
    let taken: Vec<&str> =
        parts.iter().filter(|part| part.command_status == Some(0)).map(|part| part.destination.as_str()).collect();
    let overtaken = taken.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!(overtaken <= parts.len() - taken.len(), "only what was refused is overtaken: {overtaken}");
    let early = taken.iter().enumerate().filter(|(place, phone)| {
        let planned = taken.iter().filter(|other| other < phone).count();
        planned > place + 2 * 20
    });
    assert_eq!(early.count(), 0, "nothing overtakes more than two windows");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c7_throttle_wave() {
    wave((2, 2), 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c7_throttle_wave_of_a_minute_and_a_half() {
    wave((60, 30), 100).await;
}

/// `congestion_state` rises and falls again; the pace follows, and hardly anything is refused. Times in seconds.
async fn congestion(seconds: u64) {
    let saying = |state| Behaviour { congestion_state: Some(state), receipt_ms: 10, ..plain() };
    let operator = operator(saying(0)).await;
    let lines = "binds = 1\nwindow = 20\nrate_per_second = 100\ninterface_version = \"5.0\"";
    let rig = Rig::start(&[("one", carrier("one", operator.address, lines))]).await;
    rig.wait_bound("one", 1).await;
    rig.send(phones(0, 0, 10_000)).await;
    let pace = || rig.carrier("one").binds()[0].pace_per_second.unwrap_or(100.0);
    let hear = async |state: u8| {
        operator.behave(saying(state));
        sleep(Duration::from_secs(seconds)).await;
        pace()
    };
    assert!((hear(0).await - 100.0).abs() < 1.0, "nothing slows it down");
    let nearing = hear(95).await;
    assert!(nearing < 95.0 && nearing > 5.0, "a tenth less each second: {nearing}");
    let busy = hear(85).await;
    assert!(busy <= nearing + 6.0, "it does not rise while the operator works at its best: {busy} after {nearing}");
    let congested = hear(100).await;
    assert!(congested <= busy * 0.6, "halved: {congested} after {busy}");
    operator.behave(saying(10));
    until("the pace is back", || pace() >= 90.0).await;
    let parts = operator.ledger().parts();
    let refused = parts.iter().filter(|part| part.command_status == Some(RTHROTTLED)).count();
    assert!(refused * 100 < parts.len(), "{refused} of {} refused", parts.len());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c14_congestion_5_0() {
    congestion(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c14_congestion_5_0_at_length() {
    congestion(15).await;
}
