//! The rules of the Priority lane and of spreading over time: what is accepted, when it is due, what is taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::problem::Problem;
use domain::state::Status;
use flow::accept::Order;

use super::hostage::{phones, wait_for_status};
use super::support::{Arrived, Reply, Smsc, Stage, account_toml, p99};

const TIMEOUT: Duration = Duration::from_secs(60);

async fn taking() -> Smsc {
    Smsc::start(|_| Reply::Taken(Duration::ZERO)).await
}

async fn problem(stage: &Stage, order: Order) -> Option<Problem> {
    stage.try_send(order).await.err().map(|refusal| refusal.details[0].problem)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_equal_texts_with_a_link_are_no_codes() {
    let stage = Stage::open(taking().await, "", &[account_toml("shop", "")]).await;
    let link = "Win now: https://example.com";
    let send = async |text: &str, first, count, priority| {
        problem(&stage, stage.order("shop", text, phones(first, count), priority)).await
    };
    assert_eq!(send(link, 0, 101, true).await, Some(Problem::NotACode));
    assert_eq!(send(link, 0, 60, true).await, None);
    assert_eq!(send(link, 100, 41, true).await, Some(Problem::NotACode));
    assert_eq!(send(link, 100, 40, true).await, None);
    assert_eq!(send(link, 200, 1, true).await, Some(Problem::NotACode));
    assert_eq!(send("Your order: https://example.com/7", 200, 1, true).await, None, "another text");
    assert_eq!(send("Fire in hall 3", 300, 500, true).await, None, "no link");
    assert_eq!(send(link, 1_000, 500, false).await, None, "no priority");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_has_its_share_of_the_priority_lane() {
    let half = account_toml("half", "").replace("priority = true", "priority = true\npriority_percent = 50");
    let all = account_toml("all", "").replace("priority = true", "priority = true\npriority_percent = 100");
    let accounts = [account_toml("shop", ""), half, all];
    let stage = Stage::open(taking().await, "rate_per_second = 100\n", &accounts).await;
    let admitted = async |account: &str| {
        let mut admitted = 0;
        while admitted < 600 {
            match stage.try_send(stage.order(account, "Your code", phones(admitted, 10), true)).await {
                Ok(_) => admitted += 10,
                Err(refusal) => {
                    assert_eq!(refusal.details[0].problem, Problem::PriorityShareUsed);
                    assert!(refusal.retry_after_seconds.is_some_and(|seconds| seconds >= 1));
                    break;
                }
            }
        }
        admitted
    };
    // Five seconds' worth at once, and what comes back meanwhile on a slow machine.
    assert!((100..=250).contains(&admitted("shop").await), "20 % of 100 a second by default");
    assert!((250..=500).contains(&admitted("half").await));
    assert_eq!(admitted("all").await, 600);
    let bulk = stage.order("shop", "Hello", phones(10_000, 1_000), false);
    assert_eq!(problem(&stage, bulk).await, None, "the other lane has no share");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_code_takes_back_an_older_one_that_was_not_sent() {
    let is_open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&is_open);
    let rule = move |_: &Arrived| match gate.load(Ordering::Relaxed) {
        true => Reply::Taken(Duration::ZERO),
        false => Reply::Refused(smpp::CommandStatus::RTHROTTLED, Duration::ZERO),
    };
    let key = "newest_code_only = true\npriority_validity_minutes = 5\n";
    let stage = Stage::open(Smsc::start(rule).await, "window = 1\n", &[account_toml("shop", key)]).await;
    // The first one keeps the bind busy with being refused.
    stage.send("shop", "Busy", phones(9, 1), true).await;
    stage.smsc.wait_for("the operator throttles", TIMEOUT, |arrived| !arrived.is_empty()).await;
    let older = stage.send("shop", "Your code is 1", phones(1, 1), true).await;
    let other = stage.send("shop", "Your code is 2", phones(2, 1), true).await;
    let newer = stage.send("shop", "Your code is 3", phones(1, 1), true).await;
    assert_eq!(older.expires_at.since_ms(older.accepted_at), 5 * 60_000, "the validity of the key");
    wait_for_status(&stage, older.id, Status::Cancelled).await;
    is_open.store(true, Ordering::Relaxed);
    wait_for_status(&stage, newer.id, Status::Sent).await;
    wait_for_status(&stage, other.id, Status::Sent).await;
    assert!(!stage.smsc.arrived().iter().any(|one| one.text == "Your code is 1"));
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_spread_over_time_and_what_is_left_can_be_cancelled() {
    let clock = Clock::manual(Clock::system().now());
    let stage = Stage::open_at(clock.clone(), taking().await, "", &[account_toml("shop", "")]).await;
    let mut order = stage.order("shop", "Hello", phones(0, 10), false);
    order.messages_per_hour = Some(60);
    order.external_id = Some("spread".into());
    let control_account = order.account.id;
    let request = stage.try_send(order).await.unwrap().request;
    let due: Vec<i64> = (0..10).map(|index| request.due_at(index).since_ms(request.due_at)).collect();
    assert_eq!(due, (0..10).map(|minute| minute * 60_000).collect::<Vec<_>>());
    stage.smsc.wait_for("the first", TIMEOUT, |arrived| arrived.len() == 1).await;
    clock.set(clock.now().plus_ms(120_500));
    let arrived = stage.smsc.wait_for("two more", TIMEOUT, |arrived| arrived.len() == 3).await;
    assert_eq!(arrived.iter().map(|one| &*one.destination).collect::<Vec<_>>(), phones(0, 3));
    for index in 0..3 {
        wait_for_status(&stage, request.message_id(index), Status::Sent).await;
    }
    let outcome = stage.flow.accept.cancel(control_account, &["spread".into()]).await.unwrap();
    assert_eq!(outcome.cancelled.len(), 7);
    let left: Vec<_> = outcome.refused.iter().map(|refused| (refused.problem, &*refused.source)).collect();
    let gone = |number: u32| (Problem::HandedOver, format!("spread-000{number}"));
    let expected = [gone(1), gone(2), gone(3)];
    assert_eq!(left, expected.iter().map(|(problem, source)| (*problem, &**source)).collect::<Vec<_>>());
    let again = stage.flow.accept.cancel(control_account, &["spread".into()]).await.unwrap();
    assert_eq!((again.cancelled.len(), again.refused.len()), (7, 3), "asking again gives the same answer");
    let mut order = stage.order("shop", "Hello", phones(0, 10), true);
    order.messages_per_hour = Some(60);
    assert_eq!(problem(&stage, order).await, Some(Problem::PaceInvalid), "not with priority");
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bulk_waits_for_the_morning_and_nothing_else_does() {
    // 22:00 in Warsaw.
    let evening = domain::timestamp::parse("2027-01-15 21:00:00").unwrap();
    let clock = Clock::manual(evening.plus_ms(-600_000));
    let quiet = |name: &str, key: &str| {
        let hours = "priority = true\nquiet_hours = \"22:00-08:00\"\ntime_zone = \"Europe/Warsaw\"";
        account_toml(name, key).replace("priority = true", hours)
    };
    let accounts = [quiet("shop", "traffic = \"bulk\"\n"), quiet("bank", "")];
    let carrier = "rate_per_second = 1\n";
    let stage = Stage::open_at(clock.clone(), taking().await, carrier, &accounts).await;
    // Before the evening: waits for its turn, and is still there when the quiet hours begin.
    stage.send("shop", "Sale", phones(0, 200), false).await;
    stage.smsc.wait_for("the first", TIMEOUT, |arrived| !arrived.is_empty()).await;
    clock.set(evening);
    let late = stage.send("shop", "Late sale", phones(500, 1), false).await;
    assert_eq!(late.due_at(0), evening.plus_ms(10 * 3_600_000), "08:00 in Warsaw");
    stage.send("bank", "Your payment", phones(600, 2), false).await;
    let arrived = stage.smsc.wait_for("the payments", TIMEOUT, |arrived| {
        arrived.iter().filter(|one| one.text == "Your payment").count() == 2
    });
    let arrived = arrived.await.len();
    // Whatever else is taken out of the line is put off, and a code still goes.
    let took = stage.codes("shop", 2, Duration::from_millis(1_500)).await;
    assert!(p99(&took) < Duration::from_secs(20));
    assert_eq!(stage.smsc.arrived().len(), arrived + 2, "no bulk in the night");
    clock.set(evening.plus_ms(10 * 3_600_000));
    stage.smsc.wait_for("the morning", TIMEOUT, |all| all.len() > arrived + 2).await;
    stage.flow.stop().await;
}

/// A request of ten thousand recipients again and again, and codes beside it.
async fn giant_batch(rounds: usize, codes: usize, allowed_ms: u64) {
    let stage = Stage::open(taking().await, "", &[account_toml("shop", ""), account_toml("mall", "")]).await;
    let accept_times = async |count| {
        let mut took = Vec::new();
        for number in 0..count {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let begun = Instant::now();
            stage.send("shop", "Your code", phones(9_000_000 + number, 1), true).await;
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        took
    };
    let alone = accept_times(codes as u64).await;
    let giants = async {
        for round in 0..rounds {
            let begun = Instant::now();
            stage.send("mall", "Sale", phones(round as u64 * 10_000, 10_000), false).await;
            tokio::time::sleep(Duration::from_millis(100).saturating_sub(begun.elapsed())).await;
        }
    };
    let (took, ()) = tokio::join!(accept_times(codes as u64), giants);
    let allowed = Duration::from_millis(allowed_ms).max(p99(&alone) * 5);
    assert!(p99(&took) <= allowed, "{:?}, alone {:?}", p99(&took), p99(&alone));
    stage.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn p3_giant_batch() {
    // The promise is 50 ms on a machine of its own.
    giant_batch(15, 60, 250).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nightly_p3_giant_batch() {
    giant_batch(300, 1_000, 50).await;
}
