//! Schedules, batches, isolation and the breaker, in virtual time.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use domain::fact::CallOutcome;
use domain::lane::Lane;
use tokio::time::{Instant, sleep, timeout};

use super::memory::{Receivers, status_only};
use super::support::{MemoryOutbox, Running, account, endpoint, until};
use crate::tell::{Answer, Options};

fn one_account() -> MemoryOutbox {
    MemoryOutbox::new(vec![account(endpoint(1, "https://hooks.example.com/sms"))])
}

#[tokio::test(start_paused = true)]
async fn a_single_event_goes_at_once() {
    let receivers = Receivers::answering(|_| 200);
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let began = Instant::now();
    let ids = running.tell(1, 1);
    until(|| receivers.count() == 1).await;
    assert!(receivers.hits()[0].at - began < Duration::from_millis(1));
    assert_eq!(receivers.hits()[0].events(), [ids[0].to_string()]);
    running.all_ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_call_follows_the_schedule_to_its_end_and_never_changes() {
    let receivers = Receivers::answering(|_| 500);
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    running.tell(1, 1);
    sleep(Duration::from_secs(100 * 3_600)).await;
    assert_eq!(running.outbox.untold_count(), 0);
    let hits = receivers.hits();
    assert_eq!(hits.len(), 12);
    let steps = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (pair, seconds) in hits.windows(2).zip(steps) {
        let wait = (pair[1].at - pair[0].at).as_secs_f64();
        assert!((f64::from(seconds) * 0.8..=f64::from(seconds) * 1.2 + 0.01).contains(&wait), "{seconds}: {wait}");
        assert_eq!((&pair[0].id, &pair[0].body), (&pair[1].id, &pair[1].body));
        assert_eq!(pair[0].attempt + 1, pair[1].attempt);
    }
    let calls = running.outbox.calls();
    assert_eq!(calls.len(), 12);
    assert!(calls[..11].iter().all(|call| matches!(call.outcome, CallOutcome::RetryAt(at) if at > call.at)));
    assert_eq!(calls[11].outcome, CallOutcome::Dead);
    assert_eq!((calls[11].attempt, calls[11].http_status, &*calls[11].failure), (12, 500, "HTTP 500"));
    let figures = running.handle.figures();
    assert_eq!((figures.called, figures.failed, figures.dead, figures.told), (12, 12, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_receivers_wish_to_wait_holds_the_call_and_its_endpoint() {
    let receivers = Receivers::new(|hit| {
        let answer = match hit.attempt {
            1 if hit.events().len() == 1 => Answer { retry_after_ms: Some(100_000), ..status_only(429) },
            _ => status_only(200),
        };
        Box::pin(async move { answer })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    running.tell(1, 1);
    until(|| receivers.count() == 1).await;
    sleep(Duration::from_secs(1)).await;
    running.tell(1, 10);
    running.all_ended().await;
    let hits = receivers.hits();
    assert!(hits[1..].iter().all(|hit| hit.at - hits[0].at >= Duration::from_secs(100)));
}

#[tokio::test(start_paused = true)]
async fn busy_endpoints_get_full_calls() {
    let receivers = Receivers::new(|_| {
        Box::pin(async {
            sleep(Duration::from_millis(30)).await;
            status_only(200)
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let told = running.tell(1, 10_000);
    running.all_ended().await;
    let hits = receivers.hits();
    assert!((100..=102).contains(&hits.len()), "{} calls", hits.len());
    assert!(hits.iter().all(|hit| hit.events().len() <= 100));
    let mut received: Vec<_> = hits.iter().flat_map(super::memory::Hit::events).collect();
    received.sort();
    let mut expected: Vec<_> = told.iter().map(ToString::to_string).collect();
    expected.sort();
    assert_eq!(received, expected, "every event exactly once");
    assert!(running.outbox.0.records.load(Relaxed) <= hits.len());
}

#[tokio::test(start_paused = true)]
async fn events_gather_a_little_while_calls_are_in_progress() {
    let receivers = Receivers::new(|_| {
        Box::pin(async {
            sleep(Duration::from_secs(1)).await;
            status_only(200)
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let began = Instant::now();
    running.tell(1, 1);
    until(|| receivers.count() == 1).await;
    for _ in 0..4 {
        running.tell(1, 1);
        sleep(Duration::from_millis(1)).await;
    }
    until(|| receivers.count() == 2).await;
    let hits = receivers.hits();
    assert_eq!(hits[1].events().len(), 4, "gathered, not one by one");
    assert!(hits[1].at - began < Duration::from_millis(20), "and not held until the first call ended");
    running.all_ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_to_a_fast_receiver_is_told_in_few_calls_without_much_delay() {
    let receivers = Receivers::answering(|_| 200);
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let began = Instant::now();
    for _ in 0..1_000 {
        running.tell(1, 4);
        sleep(Duration::from_millis(1)).await;
    }
    running.all_ended().await;
    let hits = receivers.hits();
    assert!((150..=210).contains(&hits.len()), "{} calls", hits.len());
    assert!(hits.windows(2).all(|pair| pair[1].at - pair[0].at <= Duration::from_millis(8)));
    assert!(began.elapsed() < Duration::from_millis(1_050));
}

#[tokio::test(start_paused = true)]
async fn the_urgent_lane_goes_first() {
    let receivers = Receivers::new(|_| {
        Box::pin(async {
            sleep(Duration::from_millis(100)).await;
            status_only(200)
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    running.tell(1, 5_000);
    until(|| receivers.count() == 10).await;
    let urgent = running.outbox.event(1, Lane::Priority);
    let id = urgent.id.to_string();
    running.handle.tell(Arc::new(urgent));
    running.all_ended().await;
    let position = receivers.hits().iter().position(|hit| hit.events().contains(&id)).unwrap();
    assert_eq!(position, 10, "the next call after those that had begun");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_does_not_slow_fifty_good_ones() {
    let hosts = (1..=51).map(|number| account(endpoint(number, &format!("https://h{number}.example.com/"))));
    let receivers = Receivers::new(|hit| {
        Box::pin(async move {
            if hit.host == "h51.example.com" {
                sleep(Duration::from_secs(15)).await;
                return Answer::failed("timeout");
            }
            sleep(Duration::from_millis(20)).await;
            status_only(200)
        })
    });
    let running =
        Running::with_transport(MemoryOutbox::new(hosts.collect()), Options::default(), receivers.transport());
    running.tell(51, 5_000);
    sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    (1..=50).for_each(|number| drop(running.tell(number, 1_000)));
    until(|| running.outbox.untold_count() <= 5_000).await;
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    let bad = receivers.hits().iter().filter(|hit| hit.host == "h51.example.com").count();
    assert!(bad <= 10, "{bad} of 500 slots");
}

#[tokio::test(start_paused = true)]
async fn one_account_with_many_hanging_urls_leaves_slots_to_others() {
    let accounts = (1..=2).map(|number| account(endpoint(number, &format!("https://h{number}.example.com/"))));
    let receivers = Receivers::new(|hit| {
        Box::pin(async move { if hit.host == "h2.example.com" { status_only(200) } else { pending().await } })
    });
    let running =
        Running::with_transport(MemoryOutbox::new(accounts.collect()), Options::default(), receivers.transport());
    for number in 0..1_000 {
        let url = format!("https://bad{number}.example.com/");
        running.handle.tell(Arc::new(running.outbox.event_to(1, &url)));
    }
    sleep(Duration::from_millis(100)).await;
    assert_eq!(receivers.count(), 125, "a quarter of the slots");
    running.tell(2, 1);
    let told = until(|| receivers.hits().iter().any(|hit| hit.host == "h2.example.com"));
    timeout(Duration::from_millis(50), told).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_down_gets_single_probes_and_everything_after_it_is_back() {
    let is_up = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_up);
    let receivers = Receivers::new(move |_| {
        let is_up = switch.load(Relaxed);
        Box::pin(async move {
            sleep(Duration::from_millis(10)).await;
            status_only(if is_up { 200 } else { 503 })
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let told = running.tell(1, 8_000);
    sleep(Duration::from_secs(3_600)).await;
    let hits = receivers.hits();
    let tail: Vec<_> = hits.iter().skip(10).collect();
    assert!(tail.windows(2).all(|pair| pair[1].at - pair[0].at >= Duration::from_millis(10)), "one at a time");
    assert!(hits.len() <= 380, "{} tries in an hour: one every ten seconds", hits.len());
    assert!(running.handle.figures().queued <= 3_000, "the rest is left in the store");
    assert_eq!(running.handle.figures().endpoints_down, 1);
    is_up.store(true, Relaxed);
    let back = Instant::now();
    running.all_ended().await;
    assert!(back.elapsed() < Duration::from_secs(361), "{:?}", back.elapsed());
    let mut good = HashMap::new();
    for hit in receivers.hits().into_iter().filter(|hit| hit.at >= back) {
        hit.events().into_iter().for_each(|id| *good.entry(id).or_insert(0) += 1);
    }
    assert_eq!(good.len(), told.len());
    assert!(good.values().all(|count| *count == 1), "nothing twice");
}
