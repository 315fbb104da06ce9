//! What follows when it is not known whether the operator took a part.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::id::MessageId;
use domain::limits;
use domain::request::Request;
use domain::state::Status;

use super::hostage::{is_code, phones, wait_for_status};
use super::support::{Arrived, Reply, Smsc, Stage, account_toml, p99};

const TIMEOUT: Duration = Duration::from_secs(100);
const BULK: &str = "traffic = \"bulk\"\n";

fn times(arrived: &[Arrived]) -> HashMap<&str, usize> {
    let mut times = HashMap::new();
    arrived.iter().for_each(|one| *times.entry(&*one.destination).or_default() += 1);
    times
}

fn ids(request: &Request) -> impl Iterator<Item = (MessageId, String)> + '_ {
    request.messages.iter().enumerate().map(|(index, message)| (request.message_id(index), message.phone.to_string()))
}

/// Cuts the connection again and again while the window is full; gives what arrived and the request.
async fn cut_mid_window(key: &str, cuts: usize) -> (Stage, Arc<Request>) {
    let smsc = Smsc::start(|_| Reply::Taken(Duration::from_millis(100))).await;
    let stage = Stage::open(smsc, "window = 50\n", &[account_toml("shop", key)]).await;
    let request = stage.send("shop", "Hello", phones(0, 60 * (cuts + 2)), false).await;
    for cut in 0..cuts {
        let before = stage.smsc.arrived().len();
        let begun = Instant::now();
        stage.smsc.wait_for("a full window", TIMEOUT, |arrived| arrived.len() >= before + 50).await;
        assert!(cut == 0 || begun.elapsed() < Duration::from_secs(10), "it took {:?} to be back", begun.elapsed());
        stage.smsc.cut();
    }
    (stage, request)
}

async fn rst_mid_window_at_least_once(cuts: usize) {
    let (stage, request) = cut_mid_window("", cuts).await;
    let all: Vec<String> = ids(&request).map(|(_, phone)| phone).collect();
    let arrived = stage.smsc.wait_for("every message", TIMEOUT, |arrived| {
        let times = times(arrived);
        all.iter().all(|phone| times.contains_key(phone.as_str()))
    });
    let arrived = arrived.await;
    for (id, _) in ids(&request) {
        wait_for_status(&stage, id, Status::Sent).await;
    }
    let doubles: usize = times(&arrived).values().map(|times| times - 1).sum();
    let repeated = stage.flow.settle.stats().repeated.load(Ordering::Relaxed);
    assert!(doubles <= 50 * cuts, "{doubles} doubles after {cuts} cuts of a window of 50");
    assert!(repeated > 0 && doubles as u64 <= repeated, "{doubles} doubles, {repeated} are counted as repeated");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c1_rst_mid_window_at_least_once() {
    rst_mid_window_at_least_once(4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c1_rst_mid_window_at_least_once() {
    rst_mid_window_at_least_once(100).await;
}

async fn rst_mid_window_at_most_once(cuts: usize) {
    let (stage, request) = cut_mid_window(BULK, cuts).await;
    for (id, _) in ids(&request) {
        wait_for_status(&stage, id, Status::Sent).await;
    }
    let arrived = stage.smsc.arrived();
    assert!(times(&arrived).values().all(|times| *times == 1), "none arrives twice");
    let in_doubt = stage.flow.settle.stats().in_doubt.load(Ordering::Relaxed);
    assert!(in_doubt > 0 && in_doubt <= 50 * cuts as u64, "{in_doubt} in doubt after {cuts} cuts of a window of 50");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c1_rst_mid_window_at_most_once() {
    rst_mid_window_at_most_once(4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c1_rst_mid_window_at_most_once() {
    rst_mid_window_at_most_once(100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_once_holds_over_a_crash() {
    let smsc = Smsc::start(|_| Reply::Taken(Duration::from_millis(50))).await;
    let stage = Stage::open(smsc, "window = 20\n", &[account_toml("shop", BULK)]).await;
    let request = stage.send("shop", "Sale", phones(0, 300), false).await;
    stage.smsc.wait_for("some are out", TIMEOUT, |arrived| arrived.len() >= 90).await;
    let stage = stage.crash_and_reopen().await;
    for (id, _) in ids(&request) {
        wait_for_status(&stage, id, Status::Sent).await;
    }
    let arrived = stage.smsc.arrived();
    let times = times(&arrived);
    assert!(times.values().all(|times| *times == 1), "none arrives twice");
    let mut doubted = 0;
    for (id, phone) in ids(&request) {
        let history = stage.store.history(id).await.unwrap();
        let in_doubt = history.iter().any(|step| &*step.kind == "unanswered" && &*step.detail == "not_repeated");
        assert!(
            in_doubt || times.contains_key(phone.as_str()),
            "{phone} did not arrive, and nothing says that this is unknown"
        );
        doubted += usize::from(in_doubt);
    }
    assert!((1..=20).contains(&doubted), "{doubted} of a window of 20 are in doubt");
    stage.flow.stop().await;
}

/// One message that the operator takes without a word before the connection breaks.
async fn lost(clock: &Clock, key: &str) -> (Stage, MessageId) {
    let smsc = Smsc::start(|one| match one.text.as_str() {
        "Lost" => Reply::Silent,
        _ => Reply::Taken(Duration::ZERO),
    });
    let stage = Stage::open_at(clock.clone(), smsc.await, "window = 10\n", &[account_toml("shop", key)]).await;
    let id = stage.send("shop", "Lost", phones(7, 1), false).await.id;
    stage.smsc.wait_for("the message", TIMEOUT, |arrived| arrived.len() == 1).await;
    stage.smsc.cut();
    (stage, id)
}

/// Sends another message; when that is there, the first one has not come a second time.
async fn assert_not_repeated(stage: &Stage) {
    stage.send("shop", "Another", phones(8, 1), false).await;
    let arrived =
        stage.smsc.wait_for("another one", TIMEOUT, |arrived| arrived.iter().any(|one| one.text == "Another"));
    assert_eq!(times(&arrived.await)[phones(7, 1)[0].as_str()], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_outcome_ends_as_unknown_after_validity_and_grace() {
    let clock = Clock::manual(Clock::system().now());
    let (stage, id) = lost(&clock, BULK).await;
    wait_for_status(&stage, id, Status::Sent).await;
    let steps = stage.store.history(id).await.unwrap();
    let told: Vec<_> = steps.iter().map(|step| (&*step.kind, &*step.detail, step.status)).collect();
    assert_eq!(told, [("unanswered", "not_repeated", Some(Status::Sent))]);
    assert_not_repeated(&stage).await;
    clock
        .set(clock.now().plus_ms(i64::from(limits::VALIDITY_MINUTES_MAX) * 60_000 + limits::RECEIPT_GRACE_MS + 60_000));
    wait_for_status(&stage, id, Status::Unknown).await;
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_ends_the_doubt_by_recipient_and_sender() {
    for key in [BULK, ""] {
        let clock = Clock::manual(Clock::system().now());
        let (stage, id) = lost(&clock, key).await;
        let stats = stage.flow.settle.stats();
        let is_noted = || stats.in_doubt.load(Ordering::Relaxed) + stats.repeated.load(Ordering::Relaxed) > 0;
        let deadline = Instant::now() + TIMEOUT;
        while !is_noted() {
            assert!(Instant::now() < deadline, "the lost part is not noticed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stage.smsc.receipt("never-told", &phones(7, 1)[0], "OTHER", "DELIVRD");
        stage.smsc.receipt("never-told", &phones(7, 1)[0], "ACME", "DELIVRD");
        wait_for_status(&stage, id, Status::Delivered).await;
        // The time at which it would be sent again passes.
        clock.set(clock.now().plus_ms(2 * limits::REPEAT_AFTER_MS));
        assert_not_repeated(&stage).await;
        assert_eq!(stage.flow.settle.stats().doubts_resolved.load(Ordering::Relaxed), 1);
        stage.flow.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_not_answered_goes_out_by_another_bind() {
    let silent = Arc::new(AtomicU64::new(0));
    let first = Arc::clone(&silent);
    // Whichever session gets the first code says nothing from then on.
    let rule = move |one: &Arrived| {
        if is_code(one) {
            let _ = first.compare_exchange(0, one.session, Ordering::Relaxed, Ordering::Relaxed);
        }
        let is_silent = first.load(Ordering::Relaxed) == one.session;
        if is_silent { Reply::Silent } else { Reply::Taken(Duration::ZERO) }
    };
    let carrier = "binds = 2\npriority_binds = 0\nwindow = 10\n";
    let stage = Stage::open(Smsc::start(rule).await, carrier, &[account_toml("shop", "")]).await;
    let id = stage.send("shop", "First code", phones(0, 1), true).await.id;
    let arrived = stage.smsc.wait_for("the code by another bind", TIMEOUT, |arrived| arrived.len() == 2).await;
    assert_ne!(arrived[0].session, arrived[1].session);
    assert_eq!(arrived[0].text, arrived[1].text);
    let waited = arrived[1].at - arrived[0].at;
    assert!(
        waited >= Duration::from_millis(limits::HEDGE_AFTER_MS - 100) && waited < Duration::from_secs(20),
        "{waited:?}"
    );
    wait_for_status(&stage, id, Status::Sent).await;
    // The silent bind gets no more of them, and none goes out a third time.
    let took = stage.codes("shop", 20, Duration::from_millis(150)).await;
    assert!(p99(&took) < Duration::from_millis(limits::HEDGE_AFTER_MS - 100), "{:?}", p99(&took));
    let silent = silent.load(Ordering::Relaxed);
    assert_eq!(stage.smsc.arrived().iter().filter(|one| is_code(one) && one.session == silent).count(), 1);
    assert_eq!(times(&stage.smsc.arrived()).values().max(), Some(&2));
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c3_resp_late() {
    // Answers come after the 30 s that they may take.
    let smsc = Smsc::start(|one| match one.text.as_str() {
        "Late" => Reply::Taken(Duration::from_secs(40)),
        _ => Reply::Taken(Duration::ZERO),
    });
    let stage = Stage::open(smsc.await, "window = 10\n", &[account_toml("shop", BULK)]).await;
    let id = stage.send("shop", "Late", phones(7, 1), false).await.id;
    wait_for_status(&stage, id, Status::Sent).await;
    assert_eq!(stage.flow.settle.stats().in_doubt.load(Ordering::Relaxed), 1);
    let deadline = Instant::now() + TIMEOUT;
    while stage.store.message(id).await.unwrap().unwrap().parts[0].operator_id.is_empty() {
        assert!(Instant::now() < deadline, "the late answer is not taken");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stage.smsc.receipt("1", "48000000000", "ACME", "DELIVRD");
    wait_for_status(&stage, id, Status::Delivered).await;
    assert_eq!(stage.smsc.arrived().len(), 1);
    stage.flow.stop().await;
}
