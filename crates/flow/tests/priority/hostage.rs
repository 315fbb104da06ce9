//! Codes that could wait behind bulk: in the window, in the rate, behind long messages, after a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::clock::{Clock, UnixMillis};
use domain::random::Random;
use domain::state::Status;
use smpp::CommandStatus;

use super::support::{Arrived, Reply, Smsc, Stage, account_toml, p99};

const SOON: Duration = Duration::ZERO;
const TIMEOUT: Duration = Duration::from_secs(60);

pub fn is_code(one: &Arrived) -> bool {
    one.text.contains("code")
}

pub fn phones(first: u64, count: usize) -> Vec<String> {
    (0..count as u64).map(|number| format!("4850{:07}", first + number)).collect()
}

/// What a code may take, by the promise in milliseconds and by what codes take alone.
type Allowed = fn(u64, &[Duration]) -> Duration;

/// Four times the promise, which is for a machine of its own, or ten times what it takes alone. What goes wrong here is
/// wrong by seconds.
fn busy(promise_ms: u64, alone: &[Duration]) -> Duration {
    Duration::from_millis(promise_ms * 4).max(p99(alone) * 10)
}

/// The promise.
fn strict(promise_ms: u64, _alone: &[Duration]) -> Duration {
    Duration::from_millis(promise_ms)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_window_hostage() {
    window_hostage(busy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_p1_window_hostage() {
    window_hostage(strict).await;
}

async fn window_hostage(allowed: Allowed) {
    let smsc = Smsc::start(|one| Reply::Taken(if is_code(one) { SOON } else { Duration::from_secs(5) })).await;
    let stage = Stage::open(smsc, "window = 20\n", &[account_toml("shop", "")]).await;
    let alone = stage.codes("shop", 20, Duration::from_millis(20)).await;
    stage.send("shop", "Sale", phones(0, 2000), false).await;
    let bulk = |arrived: &[Arrived]| arrived.iter().filter(|one| !is_code(one)).count();
    stage.smsc.wait_for("bulk fills its part of the window", TIMEOUT, |arrived| bulk(arrived) >= 16).await;
    let took = stage.codes("shop", 100, Duration::from_millis(10)).await;
    assert!(p99(&took) <= allowed(100, &alone), "{:?}, alone {:?}", p99(&took), p99(&alone));
    println!("codes p99 {:?}, alone {:?}", p99(&took), p99(&alone));
    assert_eq!(bulk(&stage.smsc.arrived()), 16, "20 slots less the reserved fifth");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p2_token_hostage() {
    token_hostage(busy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_p2_token_hostage() {
    token_hostage(strict).await;
}

async fn token_hostage(allowed: Allowed) {
    const RATE: u32 = 100;
    let smsc = Smsc::start(|_| Reply::Taken(SOON)).await;
    let carrier = format!("window = 50\nrate_per_second = {RATE}\n");
    let stage = Stage::open(smsc, &carrier, &[account_toml("shop", "")]).await;
    let alone = stage.codes("shop", 10, Duration::from_millis(50)).await;
    stage.send("shop", "Sale", phones(0, 3000), false).await;
    stage.smsc.wait_for("bulk takes the whole rate", TIMEOUT, |arrived| arrived.len() >= 60).await;
    let (begun, before) = (Instant::now(), stage.smsc.arrived().len());
    let random = Random::seeded(7);
    let mut took = Vec::new();
    for _ in 0..40 {
        // Poisson arrivals, 10 % of the rate.
        let uniform = f64::from(u32::try_from(random.below(1_000_000)).unwrap() + 1) / 1_000_000.0;
        tokio::time::sleep(Duration::from_secs_f64(-uniform.ln() / (f64::from(RATE) * 0.1))).await;
        took.extend(stage.codes("shop", 1, SOON).await);
    }
    took.sort_unstable();
    assert!(p99(&took) <= allowed(3 * 1000 / u64::from(RATE) + 40, &alone), "{:?}", p99(&took));
    println!("codes p99 {:?}, alone {:?}", p99(&took), p99(&alone));
    let used = (stage.smsc.arrived().len() - before) as f64 / begun.elapsed().as_secs_f64() / f64::from(RATE);
    // A busy machine loses tokens that nobody comes for in time; a share set apart would lose more.
    assert!((0.7..=1.1).contains(&used), "{used} of the rate is used");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p7_throttled() {
    let is_open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&is_open);
    let rule = move |_: &Arrived| match gate.load(Ordering::Relaxed) {
        true => Reply::Taken(SOON),
        false => Reply::Refused(CommandStatus::RTHROTTLED, SOON),
    };
    let now = Clock::system().now();
    let clock = Clock::manual(now);
    let smsc = Smsc::start(rule).await;
    let stage = Stage::open_at(clock.clone(), smsc, "window = 10\n", &[account_toml("shop", "")]).await;
    stage.send("shop", "Sale", phones(0, 50), false).await;
    stage.smsc.wait_for("the operator throttles", TIMEOUT, |arrived| !arrived.is_empty()).await;
    let send_codes = async |first, validity| {
        let mut ids = Vec::new();
        for phone in phones(first, 8) {
            clock.set(clock.now().plus_ms(1));
            let mut order = stage.order("shop", "Your code", vec![phone], true);
            order.validity = Some(validity);
            ids.push(stage.try_send(order).await.unwrap().request.id);
        }
        ids
    };
    let stale = send_codes(1_000, 1).await;
    let before = stage.smsc.arrived().len();
    stage.smsc.wait_for("codes are throttled too", TIMEOUT, |arrived| arrived.len() > before).await;
    clock.set(UnixMillis(now.0 + 61_000));
    send_codes(2_000, 5).await;
    let refused = stage.smsc.arrived().len();
    is_open.store(true, Ordering::Relaxed);
    let arrived = stage.smsc.wait_for("everything is out", TIMEOUT, |arrived| {
        phones(2_000, 8)
            .iter()
            .chain(&phones(0, 50))
            .all(|phone| arrived.iter().skip(refused).any(|one| one.destination == *phone))
    });
    let arrived = arrived.await;
    let mut taken: Vec<&str> = Vec::new();
    for one in arrived.iter().skip(refused) {
        if !taken.contains(&one.destination.as_str()) {
            taken.push(&one.destination);
        }
    }
    // What was on its way when the gate opened may be in front.
    let codes: Vec<&str> =
        taken.iter().copied().filter(|phone| phones(2_000, 8).iter().any(|code| code == phone)).collect();
    assert_eq!(codes, phones(2_000, 8), "codes by age");
    let last_code = taken.iter().position(|phone| phone == codes.last().unwrap()).unwrap();
    assert!(last_code < 8 + 10, "codes go first, at most a window of bulk before them: {taken:?}");
    assert!(!taken.iter().any(|phone| phones(1_000, 8).iter().any(|stale| stale == phone)), "stale codes are not sent");
    for id in stale {
        wait_for_status(&stage, id, Status::Expired).await;
    }
    stage.flow.stop().await;
}

pub async fn wait_for_status(stage: &Stage, id: domain::id::MessageId, status: Status) {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let found = stage.store.message(id).await.unwrap().map(|record| record.status);
        if found == Some(status) {
            return;
        }
        assert!(Instant::now() < deadline, "{id} is {found:?}, not {status:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_long_part_chains() {
    long_part_chains(busy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_p8_long_part_chains() {
    long_part_chains(strict).await;
}

async fn long_part_chains(allowed: Allowed) {
    const RATE: u32 = 60;
    let smsc = Smsc::start(|_| Reply::Taken(SOON)).await;
    let carrier = format!("window = 10\nrate_per_second = {RATE}\n");
    let stage = Stage::open(smsc, &carrier, &[account_toml("shop", ""), account_toml("mall", "")]).await;
    let alone = stage.codes("shop", 10, Duration::from_millis(50)).await;
    let long = "x".repeat(1377);
    stage.send("shop", &long, phones(0, 60), false).await;
    stage.send("mall", &long, phones(1_000, 60), false).await;
    stage.smsc.wait_for("the first long messages are out", TIMEOUT, |arrived| arrived.len() >= 30).await;
    let took = stage.codes("shop", 40, Duration::from_millis(75)).await;
    assert!(p99(&took) <= allowed(3 * 1000 / u64::from(RATE) + 40, &alone), "{:?}", p99(&took));
    println!("codes p99 {:?}, alone {:?}", p99(&took), p99(&alone));
    let arrived = stage.smsc.arrived();
    let between = arrived.windows(3).filter(|three| {
        is_code(&three[1]) && three[0].destination == three[2].destination && three[2].part[2] == three[0].part[2] + 1
    });
    assert!(between.count() > 0, "codes get in between the parts of a message");
    let mut whole = 0;
    for phone in phones(0, 60).iter().chain(&phones(1_000, 60)) {
        let parts: Vec<&Arrived> = arrived.iter().filter(|one| one.destination == *phone).collect();
        if parts.len() == 9 {
            assert!(parts[8].at - parts[0].at <= Duration::from_secs(30));
            assert!(parts.iter().zip(1..).all(|(part, number)| part.part[2] == number), "in order");
            whole += 1;
        }
    }
    assert!(whole >= 10, "{whole} long messages are whole");
    stage.flow.stop().await;
}
