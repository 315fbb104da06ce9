//! Accounts and classes beside each other: nobody hides behind somebody else's backlog.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use smpp::CommandStatus;

use super::hostage::{is_code, phones};
use super::support::{Arrived, Reply, Smsc, Stage, account_toml, p99};

const TIMEOUT: Duration = Duration::from_secs(100);
const SMALL: [&str; 10] = ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];

fn all_accounts() -> Vec<String> {
    ["a"].iter().chain(&SMALL).map(|name| account_toml(name, "")).collect()
}

/// Each of the small accounts sends ten messages, the first to `4850` and `first`.
async fn small_accounts_send(stage: &Stage, first: u64) -> Vec<String> {
    let mut all = Vec::new();
    for (number, name) in (0..).zip(SMALL) {
        let own = phones(first + number * 10, 10);
        stage.send(name, "Your parcel", own.clone(), false).await;
        all.extend(own);
    }
    all
}

/// How many parts went out from place `from` on until the last of `phones` was out.
async fn parts_until(stage: &Stage, from: usize, phones: &[String]) -> usize {
    let last_of = |arrived: &[Arrived]| {
        let place = |phone: &String| arrived.iter().skip(from).position(|one| one.destination == *phone);
        phones.iter().map(place).collect::<Option<Vec<usize>>>().and_then(|places| places.into_iter().max())
    };
    let arrived = stage.smsc.wait_for("the small accounts' messages", TIMEOUT, |arrived| last_of(arrived).is_some());
    last_of(&arrived.await).unwrap() + 1
}

/// An account with far more waiting than fits into memory, ten with ten each. At a fixed rate the time is
/// the number of parts: twice as many as those of the ten means twice their time alone.
async fn tenant_fairness(large: usize) {
    let is_open = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&is_open);
    let rule = move |_: &Arrived| match gate.load(Ordering::Relaxed) {
        true => Reply::Taken(Duration::ZERO),
        false => Reply::Refused(CommandStatus::RTHROTTLED, Duration::ZERO),
    };
    let window = 20;
    let carrier = format!("window = {window}\nrate_per_second = 200\n");
    let stage = Stage::open(Smsc::start(rule).await, &carrier, &all_accounts()).await;
    for round in 0..large / 10_000 {
        stage.send("a", "Sale", phones(1_000_000 + round as u64 * 10_000, 10_000), false).await;
    }
    stage.smsc.wait_for("the large account's first", TIMEOUT, |arrived| arrived.len() >= 20).await;
    let from = stage.smsc.arrived().len();
    let small = small_accounts_send(&stage, 0).await;
    let parts = parts_until(&stage, from, &small).await;
    assert!(parts <= 2 * small.len(), "{parts} parts went out until the last of {}", small.len());

    // The same when all of it comes out of the store after a crash.
    is_open.store(false, Ordering::Relaxed);
    let small = small_accounts_send(&stage, 1_000).await;
    let stage = stage.crash_and_reopen().await;
    let from = stage.smsc.arrived().len();
    is_open.store(true, Ordering::Relaxed);
    let parts = parts_until(&stage, from, &small).await;
    assert!(parts <= 2 * small.len() + window, "{parts} parts went out until the last of {}", small.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g3_tenant_fairness() {
    tenant_fairness(30_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_g3_tenant_fairness() {
    tenant_fairness(1_000_000).await;
}

/// Codes take all of the rate, and bulk goes on.
async fn bulk_not_starved(seconds: usize) {
    const RATE: usize = 100;
    let carrier = format!("window = 50\nrate_per_second = {RATE}\n");
    let smsc = Smsc::start(|_| Reply::Taken(Duration::ZERO)).await;
    let shop = account_toml("shop", "").replace("priority = true", "priority = true\npriority_percent = 100");
    let stage = Stage::open(smsc, &carrier, &[shop]).await;
    for first in (0..RATE * (seconds + 1)).step_by(100) {
        stage.send("shop", "Your code", phones(first as u64, 100), true).await;
    }
    stage.send("shop", "Sale", phones(5_000_000, 10_000), false).await;
    let from = stage.smsc.arrived().len();
    let wanted = from + RATE * seconds * 9 / 10;
    let arrived =
        stage.smsc.wait_for("the codes", Duration::from_secs(2 * seconds as u64 + 60), |all| all.len() >= wanted);
    let arrived = arrived.await;
    let saturated = &arrived[from..wanted];
    let bulk = saturated.iter().filter(|one| !is_code(one)).count();
    assert!(bulk * 1000 >= saturated.len() * 45, "{bulk} of {} were bulk", saturated.len());
    let longest = saturated.chunks(2 * 20).all(|chunk| chunk.len() < 40 || chunk.iter().any(|one| !is_code(one)));
    assert!(longest, "bulk gets its share all the time");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g2_bulk_not_starved() {
    bulk_not_starved(8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_g2_bulk_not_starved() {
    bulk_not_starved(300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g2_bulk_not_starved_by_the_window() {
    // No rate: the window is what is scarce.
    let smsc = Smsc::start(|_| Reply::Taken(Duration::from_millis(50))).await;
    let stage = Stage::open(smsc, "window = 20\n", &[account_toml("shop", "")]).await;
    for first in (0..2_000).step_by(500) {
        stage.send("shop", "Your code", phones(first, 500), true).await;
    }
    stage.send("shop", "Sale", phones(5_000_000, 1_000), false).await;
    let from = stage.smsc.arrived().len();
    let arrived = stage.smsc.wait_for("a thousand parts", TIMEOUT, |arrived| arrived.len() >= from + 1_000).await;
    let bulk = arrived[from..from + 1_000].iter().filter(|one| !is_code(one)).count();
    assert!(bulk >= 45, "{bulk} of 1000 were bulk, one slot of 20 is its floor");
    stage.flow.stop().await;
}

/// One-time codes while a long backlog waits on a slow route.
async fn otp_behind_million(backlog: usize, codes: usize, rate_min: f64) {
    let smsc = Smsc::start(|_| Reply::Taken(Duration::from_millis(5))).await;
    let stage = Stage::open(smsc, "window = 50\nrate_per_second = 100\n", &all_accounts()).await;
    let alone = stage.codes("b", 10, Duration::from_millis(50)).await;
    for round in 0..backlog / 10_000 {
        stage.send("a", "Sale", phones(1_000_000 + round as u64 * 10_000, 10_000), false).await;
    }
    let before = (stage.smsc.arrived().len(), std::time::Instant::now());
    let took = stage.codes("b", codes, Duration::from_millis(200)).await;
    let (p50, p99) = (took[took.len() / 2], p99(&took));
    let floor = super::support::p99(&alone) * 10;
    assert!(
        p50 <= Duration::from_millis(50).max(floor) && p99 <= Duration::from_millis(250).max(floor),
        "{p50:?} {p99:?}"
    );
    let rate = (stage.smsc.arrived().len() - before.0) as f64 / before.1.elapsed().as_secs_f64();
    assert!(rate >= rate_min, "{rate} parts a second of 100 are used");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g1_otp_behind_million() {
    // A busy machine loses tokens that nobody comes for in time.
    otp_behind_million(30_000, 25, 50.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_g1_otp_behind_million() {
    otp_behind_million(1_000_000, 3_000, 90.0).await;
}
