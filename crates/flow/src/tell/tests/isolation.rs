//! Noisy neighbours, the whole schedule, and endpoints that are off, in virtual time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use domain::clock::{Clock, UnixMillis};
use domain::control::EventKind;
use domain::fact::CallOutcome;
use domain::id::AccountId;
use domain::limits::EVENTS_PER_CALL_MAX;
use domain::webhook::OffReason;
use tokio::time::{Instant, sleep};

use super::memory::{Receivers, status_only};
use super::support::{MemoryOutbox, Running, account, endpoint, until};
use crate::tell::bounds::EVENTS_PER_RECORD;
use crate::tell::{Answer, Options};

const URL: &str = "https://hooks.example.com/sms";

fn one_account() -> MemoryOutbox {
    MemoryOutbox::new(vec![account(endpoint(1, URL))])
}

fn answering(status: u16) -> Receivers {
    Receivers::answering(move |_| status)
}

/// Waits of the events of fifty good endpoints, ascending, with or without two bad ones beside them; and how
/// many calls at most hung at a time.
async fn waits_of_the_good(with_bad: bool) -> (Vec<Duration>, usize) {
    let hosts = (1..=52).map(|number| account(endpoint(number, &format!("https://h{number}.example.com/"))));
    let hanging = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (gauge, peak) = (Arc::clone(&hanging), Arc::clone(&most));
    let receivers = Receivers::new(move |hit| {
        let (gauge, peak) = (Arc::clone(&gauge), Arc::clone(&peak));
        Box::pin(async move {
            match &*hit.host {
                "h51.example.com" => {
                    peak.fetch_max(gauge.fetch_add(1, Relaxed) + 1, Relaxed);
                    sleep(Duration::from_secs(15)).await;
                    gauge.fetch_sub(1, Relaxed);
                    Answer::failed("timeout")
                }
                "h52.example.com" => Answer::failed("connection reset"),
                _ => {
                    sleep(Duration::from_millis(20)).await;
                    status_only(200)
                }
            }
        })
    });
    let outbox = MemoryOutbox::new(hosts.collect());
    let running = Running::with_transport(outbox, Options::default(), receivers.transport());
    let mut told_at = HashMap::new();
    for round in 0..300 {
        for number in 1..=50 {
            for id in running.tell(number, 1) {
                told_at.insert(id.to_string(), Instant::now());
            }
        }
        if with_bad {
            running.tell(51, 10);
            running.tell(52, 10);
        }
        sleep(Duration::from_millis(if round % 7 == 0 { 1 } else { 10 })).await;
    }
    let good = |hits: &[super::memory::Hit]| {
        let good = hits.iter().filter(|hit| !matches!(&*hit.host, "h51.example.com" | "h52.example.com"));
        good.flat_map(|hit| hit.events().into_iter().map(|id| (id, hit.at)).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    until(|| good(&receivers.hits()).len() == told_at.len()).await;
    let mut waits: Vec<Duration> = good(&receivers.hits()).iter().map(|(id, at)| *at - told_at[id]).collect();
    waits.sort_unstable();
    (waits, most.load(Relaxed))
}

#[tokio::test(start_paused = true)]
async fn h1_wh_noisy_neighbour() {
    let (base, none) = waits_of_the_good(false).await;
    let (noisy, hung) = waits_of_the_good(true).await;
    let p99 = |waits: &[Duration]| waits[waits.len() * 99 / 100];
    assert!(p99(&noisy) <= p99(&base) * 2, "p99 {:?} instead of {:?}", p99(&noisy), p99(&base));
    assert_eq!(none, 0);
    assert!((1..=25).contains(&hung), "{hung} of 500 slots hung");
}

#[tokio::test(start_paused = true)]
async fn h4_wh_schedule() {
    let answer = Arc::new(AtomicUsize::new(503));
    let status = Arc::clone(&answer);
    let receivers = Receivers::answering(move |_| u16::try_from(status.load(Relaxed)).unwrap());
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let ids = running.tell(1, 1);
    sleep(Duration::from_secs(110 * 3_600)).await;
    let hits = receivers.hits();
    let steps = [5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    assert_eq!(hits.len(), steps.len() + 1, "down for more than eighty hours: every try was made, and no more");
    for (pair, seconds) in hits.windows(2).zip(steps) {
        let wait = (pair[1].at - pair[0].at).as_secs_f64();
        assert!((f64::from(seconds) * 0.8..=f64::from(seconds) * 1.2 + 11.0).contains(&wait), "{seconds}: {wait}");
        assert_eq!((&pair[0].id, &pair[0].body), (&pair[1].id, &pair[1].body), "frozen");
    }
    assert_eq!(running.outbox.calls().last().unwrap().outcome, CallOutcome::Dead);
    assert_eq!(running.outbox.untold_count(), 0, "it is a dead letter now");

    running.handle.replay(&ids).await.unwrap();
    until(|| receivers.count() == 13).await;
    assert_eq!((&receivers.hits()[12].id, receivers.hits()[12].attempt), (&hits[0].id, 13), "replayed as it was");
    answer.store(200, Relaxed);
    running.all_ended().await;
    assert_eq!(receivers.hits().last().unwrap().id, hits[0].id);
    assert_eq!(running.handle.figures().told, 1);

    answer.store(410, Relaxed);
    running.tell(1, 1);
    running.all_ended().await;
    let before = receivers.count();
    running.tell(1, 5);
    running.all_ended().await;
    assert_eq!(receivers.count(), before, "410 switches the endpoint off");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_may_have_a_schedule_of_its_own() {
    let receivers = answering(500);
    let own = domain::control::Endpoint { retry_seconds: vec![10, 10], ..endpoint(1, URL) };
    let running =
        Running::with_transport(MemoryOutbox::new(vec![account(own)]), Options::default(), receivers.transport());
    running.tell(1, 1);
    running.all_ended().await;
    assert_eq!(receivers.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn after_five_days_of_nothing_but_failure_an_endpoint_is_off_until_it_is_turned_on() {
    let is_up = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_up);
    let receivers = Receivers::answering(move |_| if switch.load(Relaxed) { 200 } else { 500 });
    let clock = Clock::manual(UnixMillis(1_800_000_000_000));
    let pass_hours = async |hours: i64| {
        for _ in 0..hours * 6 {
            sleep(Duration::from_secs(600)).await;
            clock.set(clock.now().plus_ms(600_000));
        }
    };
    let start = |outbox| Running::with_clock(outbox, Options::default(), receivers.transport(), clock.clone());
    let running = start(one_account());
    let state = |running: &Running| running.handle.endpoints(AccountId(1))[0].clone();
    for hour in 0..=121 {
        running.tell(1, 1);
        pass_hours(1).await;
        let figures = running.handle.figures();
        let warned = (figures.endpoints_failing_hour, figures.endpoints_failing_day);
        match hour {
            0 => assert_eq!(warned, (0, 0)),
            3..24 => assert_eq!(warned, (1, 0), "hour {hour}"),
            26..119 => assert_eq!(warned, (1, 1), "hour {hour}"),
            _ => {}
        }
    }
    pass_hours(48).await;
    assert_eq!((state(&running).state, state(&running).off.unwrap().1), ("off", OffReason::Failing));
    assert_eq!(running.handle.figures().endpoints_off, 1);
    assert_eq!(running.outbox.untold_count(), 0, "everything is a dead letter");

    // Neither a restart nor good will of the receiver changes that; events go to the dead letters meanwhile.
    is_up.store(true, Relaxed);
    let running = start(running.stop().await);
    let before = receivers.count();
    running.tell(1, 300);
    running.all_ended().await;
    assert_eq!((receivers.count(), state(&running).state), (before, "off"));

    assert_eq!(running.handle.turn_on(AccountId(1), EventKind::Status, None).await, 1);
    assert_eq!(running.handle.turn_on(AccountId(1), EventKind::Status, None).await, 0);
    running.tell(1, 300);
    running.all_ended().await;
    let hits = receivers.hits();
    assert_eq!(hits[before].events().len(), 1, "one probe first");
    assert_eq!(hits[before..].iter().map(|hit| hit.events().len()).sum::<usize>(), 300);
    assert_eq!((state(&running).state, running.outbox.0.troubles.lock().len()), ("working", 0));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_says_429_gets_fewer_calls() {
    let refusals = Arc::new(AtomicUsize::new(0));
    let refused = Arc::clone(&refusals);
    // It refuses every third call.
    let receivers = Receivers::answering(move |_| if refused.fetch_add(1, Relaxed) % 3 == 2 { 429 } else { 200 });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    for _ in 0..400 {
        running.tell(1, 1);
        sleep(Duration::from_millis(25)).await;
    }
    assert!(receivers.count() < 150, "{} calls in ten seconds instead of 400", receivers.count());
    running.all_ended().await;
}

#[tokio::test(start_paused = true)]
async fn calls_at_a_time_follow_how_the_receiver_answers() {
    let fails = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&fails);
    let receivers = Receivers::new(move |_| {
        let fails = switch.load(Relaxed);
        Box::pin(async move {
            sleep(Duration::from_millis(50)).await;
            status_only(if fails { 500 } else { 200 })
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let allowed = |running: &Running| running.handle.endpoints(AccountId(1))[0].calls.1;
    running.tell(1, 9_000);
    until(|| receivers.count() >= 1).await;
    assert_eq!(allowed(&running), 10);
    for _ in 0..10 {
        running.tell(1, 5_000);
        sleep(Duration::from_millis(100)).await;
    }
    let more = allowed(&running);
    assert!((12..=25).contains(&more), "{more} calls at a time");
    running.all_ended().await;
    fails.store(true, Relaxed);
    running.tell(1, 1);
    until(|| allowed(&running) < more).await;
    assert_eq!(allowed(&running), more / 2);
}

#[tokio::test(start_paused = true)]
async fn the_lab_shows_what_was_sent_and_what_came_back() {
    let receivers = Receivers::new(|hit| {
        let answer = if hit.attempt == 1 {
            Answer { start: (*b"{\"error\":\"busy\"}").into(), ..status_only(503) }
        } else {
            status_only(200)
        };
        Box::pin(async move { answer })
    });
    let mut own = endpoint(1, URL);
    own.basic_user = "posthorn".into();
    own.basic_password = domain::control::Secret::new("pass");
    let running =
        Running::with_transport(MemoryOutbox::new(vec![account(own)]), Options::default(), receivers.transport());
    let ids = running.tell(1, 1);
    running.all_ended().await;
    sleep(Duration::from_secs(2)).await;
    let attempts = running.outbox.0.attempts.lock().clone();
    assert_eq!(
        attempts.iter().map(|attempt| (attempt.number, attempt.http_status)).collect::<Vec<_>>(),
        [(1, 503), (2, 200)]
    );
    let first = &attempts[0];
    assert_eq!((&*first.url, &first.events, &*first.answer), (URL, &ids, &b"{\"error\":\"busy\"}"[..]));
    assert!(first.headers.contains("webhook-signature: v1,") && first.headers.contains("authorization: ***"));
    assert!(!first.headers.contains("Basic"), "no password is kept");
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_kept_and_where_the_store_is_behind_successes_are_counted_first() {
    let is_down = Arc::new(AtomicBool::new(false));
    let down = Arc::clone(&is_down);
    let receivers = Receivers::answering(move |_| if down.load(Relaxed) { 500 } else { 200 });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let calls = async |count: usize| {
        for _ in 0..count {
            running.tell(1, 1);
            // Longer than events are gathered for: each goes alone.
            sleep(Duration::from_millis(6)).await;
        }
    };
    let (kept, missed) = (
        || running.outbox.0.attempts.lock().len(),
        || running.outbox.0.missed.lock().iter().map(|one| one.attempts).sum::<u64>() as usize,
    );
    calls(3_000).await;
    running.all_ended().await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!((kept(), missed()), (receivers.count(), 0));
    assert!(receivers.count() >= 3_000);

    running.outbox.0.keeping_takes_ms.store(90_000, Relaxed);
    calls(7_000).await;
    is_down.store(true, Relaxed);
    calls(200).await;
    is_down.store(false, Relaxed);
    running.outbox.0.keeping_takes_ms.store(0, Relaxed);
    running.all_ended().await;
    sleep(Duration::from_secs(100)).await;
    assert!(missed() > 1_000, "{}", missed());
    assert_eq!(kept() + missed(), receivers.count(), "what is not kept is counted");
    let failed = running.outbox.0.attempts.lock().iter().filter(|attempt| attempt.http_status == 500).count();
    assert_eq!(failed, running.outbox.calls().iter().filter(|call| call.http_status == 500).count(), "every failure");

    // A store that refuses: what it did not take is counted, too.
    running.outbox.0.refuse.store(true, Relaxed);
    running.tell(1, 1);
    sleep(Duration::from_secs(3)).await;
    running.outbox.0.refuse.store(false, Relaxed);
    running.all_ended().await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(kept() + missed(), receivers.count());
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_ends_while_the_program_stops_is_kept() {
    let receivers = Receivers::new(|_| {
        Box::pin(async {
            sleep(Duration::from_secs(2)).await;
            status_only(200)
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    running.tell(1, 1);
    until(|| receivers.count() == 1).await;
    let outbox = running.stop().await;
    assert_eq!((outbox.calls().len(), outbox.0.attempts.lock().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn ends_of_full_calls_are_recorded_in_portions_and_of_small_ones_together() {
    let receivers = answering(200);
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let most = || running.outbox.0.most_events.swap(0, Relaxed);
    // The store is behind: everything ends before anything is recorded.
    running.outbox.0.refuse.store(true, Relaxed);
    running.tell(1, 8_000);
    until(|| receivers.count() >= 80).await;
    running.outbox.0.refuse.store(false, Relaxed);
    running.all_ended().await;
    let together = most();
    assert!((1_000..=EVENTS_PER_RECORD + EVENTS_PER_CALL_MAX).contains(&together), "{together}");

    running.outbox.0.refuse.store(true, Relaxed);
    let before = receivers.count();
    for _ in 0..900 {
        running.tell(1, 1);
        sleep(Duration::from_millis(6)).await;
    }
    until(|| receivers.count() >= before + 900).await;
    running.outbox.0.refuse.store(false, Relaxed);
    running.all_ended().await;
    assert!(most() > 512, "more small calls than 512 in a commit");
}
