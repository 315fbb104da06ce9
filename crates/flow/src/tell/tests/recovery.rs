//! Nothing is lost and nothing told twice: bounds of memory, restarts, broken tasks, a store that refuses.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use domain::clock::{Clock, UnixMillis};
use domain::control::EventKind;
use domain::event::CallId;
use domain::fact::{CallOutcome, EventId};
use domain::id::AccountId;
use domain::lane::Lane;
use domain::limits::EVENTS_PER_ENDPOINT_MAX;
use domain::random::Random;
use domain::webhook::{EndpointName, EndpointTrouble};
use tokio::time::{Instant, sleep};

use super::memory::{Receivers, status_only};
use super::support::{MemoryOutbox, Running, account, endpoint, until};
use crate::tell::{Options, Service};

fn one_account() -> MemoryOutbox {
    MemoryOutbox::new(vec![account(endpoint(1, "https://hooks.example.com/sms"))])
}

fn counts(receivers: &Receivers) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for hit in receivers.hits() {
        hit.events().into_iter().for_each(|id| *counts.entry(id).or_insert(0) += 1);
    }
    counts
}

fn assert_each_once(receivers: &Receivers, ids: &[EventId]) {
    let counts = counts(receivers);
    assert_eq!(counts.len(), ids.len());
    assert!(ids.iter().all(|id| counts.get(&id.to_string()) == Some(&1)), "lost or told twice");
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_in_memory_is_read_again_from_the_store() {
    let receivers = Receivers::new(|_| {
        Box::pin(async {
            sleep(Duration::from_millis(15)).await;
            status_only(200)
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    until(|| running.outbox.0.reads.load(Relaxed) >= 2).await;
    let mut told = Vec::new();
    for _ in 0..30 {
        told.extend(running.tell(1, 1_500));
        assert!(running.handle.figures().queued <= EVENTS_PER_ENDPOINT_MAX as u64 + 2_500, "and what is in calls");
        sleep(Duration::from_millis(3)).await;
    }
    assert!(running.handle.figures().left > 5_000, "the bound was met");
    running.all_ended().await;
    assert_each_once(&receivers, &told);
}

#[tokio::test(start_paused = true)]
async fn a_start_reads_everything_untold_while_new_events_come_in() {
    let receivers = Receivers::answering(|_| 200);
    let outbox = one_account();
    let mut ids: Vec<_> = (0..25_000).map(|_| outbox.event(1, Lane::Standard).id).collect();
    ids.extend((0..2_500).map(|_| outbox.event(1, Lane::Priority).id));
    let running = Running::with_transport(outbox, Options::default(), receivers.transport());
    for _ in 0..50 {
        ids.extend(running.tell(1, 20));
        tokio::task::yield_now().await;
    }
    running.all_ended().await;
    assert_each_once(&receivers, &ids);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_read_before_it_was_told_goes_once() {
    let receivers = Receivers::new(|_| {
        Box::pin(async {
            sleep(Duration::from_millis(50)).await;
            status_only(200)
        })
    });
    let outbox = one_account();
    let event = Arc::new(outbox.event(1, Lane::Standard));
    let running = Running::with_transport(outbox, Options::default(), receivers.transport());
    until(|| receivers.count() == 1).await;
    running.handle.tell(Arc::clone(&event));
    running.all_ended().await;
    sleep(Duration::from_secs(1)).await;
    assert_each_once(&receivers, &[event.id]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_frozen_calls_their_ids_their_tries_and_their_time() {
    let receivers = Receivers::answering(|hit| if hit.attempt == 1 { 500 } else { 200 });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    running.tell(1, 250);
    until(|| running.outbox.calls().len() == receivers.count() && receivers.count() >= 3).await;
    let outbox = running.stop().await;
    let before = receivers.hits();
    let restarted = Instant::now();
    let running = Running::with_transport(outbox, Options::default(), receivers.transport());
    until(|| receivers.count() >= before.len() + 3).await;
    let after = receivers.hits();
    for hit in &before {
        let again: Vec<_> = after[before.len()..].iter().filter(|other| other.id == hit.id).collect();
        let [again] = again[..] else { panic!("{} was tried {} times", hit.id, again.len()) };
        assert_eq!((again.attempt, &again.body), (2, &hit.body));
        assert!(again.at - restarted > Duration::from_millis(3_500), "not before its time");
    }
    running.all_ended().await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_call_that_was_spread_over_pages_is_waited_for() {
    let receivers = Receivers::answering(|_| 200);
    let outbox = one_account();
    let ids: Vec<_> = (0..5_000).map(|_| outbox.event(1, Lane::Standard)).collect();
    for spread in [0, 2_500, 4_999] {
        let mut event = ids[spread].clone();
        (event.attempts, event.next_at, event.call) = (3, Clock::system().now(), Some(CallId([77; 16])));
        outbox.keep(&event);
    }
    let running = Running::with_transport(outbox, Options::default(), receivers.transport());
    running.all_ended().await;
    let hit = receivers.hits().into_iter().find(|hit| hit.id == CallId([77; 16]).to_string()).unwrap();
    assert_eq!(hit.attempt, 4);
    assert_eq!(hit.events(), [0, 2_500, 4_999].map(|spread: usize| ids[spread].id.to_string()));
}

#[tokio::test(start_paused = true)]
async fn what_was_on_its_way_when_the_program_broke_off_comes_back_under_its_name() {
    let receivers = Receivers::new(|_| {
        Box::pin(async {
            sleep(Duration::from_secs(1)).await;
            status_only(200)
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let alone = running.tell(1, 1);
    until(|| receivers.count() == 1).await;
    let together = running.tell(1, 3);
    until(|| receivers.count() == 2).await;
    let running = Running::with_transport(running.kill(), Options::default(), receivers.transport());
    running.all_ended().await;
    let hits = receivers.hits();
    let again = hits[2..].iter().find(|hit| hit.events() == [alone[0].to_string()]).unwrap();
    assert_eq!((&again.id, &again.body), (&hits[0].id, &hits[0].body), "a call with one event is the same call");
    let mut names = HashMap::new();
    for hit in &hits {
        assert_eq!(names.entry(hit.id.clone()).or_insert_with(|| hit.events()), &hit.events(), "one name, one array");
    }
    let counts = counts(&receivers);
    assert!(together.iter().all(|id| counts[&id.to_string()] == 2), "the same events, once before and once after");
}

#[tokio::test(start_paused = true)]
async fn a_broken_pump_loses_nothing() {
    let broken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&broken);
    let receivers = Receivers::new(move |_| {
        let number = count.fetch_add(1, Relaxed);
        Box::pin(async move {
            sleep(Duration::from_millis(10)).await;
            assert!(number % 7 != 3, "broken on purpose");
            status_only(200)
        })
    });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let told = running.tell(1, 3_000);
    until(|| receivers.count() >= 5).await;
    running.outbox.0.panic_once.store(true, Relaxed);
    running.all_ended().await;
    assert!(!running.outbox.0.panic_once.load(Relaxed), "the pump itself broke, too");
    let counts = counts(&receivers);
    assert!(told.iter().all(|id| counts.contains_key(&id.to_string())), "an event was lost");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_refuses_for_a_while_makes_nothing_told_twice() {
    let receivers = Receivers::answering(|_| 200);
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    running.outbox.0.refuse.store(true, Relaxed);
    let told = running.tell(1, 50_000);
    sleep(Duration::from_secs(20)).await;
    assert!(running.outbox.calls().is_empty());
    running.outbox.0.refuse.store(false, Relaxed);
    running.all_ended().await;
    assert_each_once(&receivers, &told);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_gone_is_not_called_until_the_setup_names_another_url() {
    let is_back = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_back);
    let receivers = Receivers::answering(move |_| if switch.load(Relaxed) { 200 } else { 410 });
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    running.tell(1, 1);
    running.all_ended().await;
    running.tell(1, 300);
    running.all_ended().await;
    assert_eq!(receivers.count(), 1);
    let calls = running.outbox.calls();
    assert!(calls.iter().all(|call| call.outcome == CallOutcome::Dead && call.failure.starts_with("gone")));
    assert_eq!(running.handle.figures().dead, 301);
    is_back.store(true, Relaxed);
    running.outbox.set_control(2, vec![account(endpoint(1, "https://hooks.example.com/sms"))]);
    running.tell(1, 1);
    running.all_ended().await;
    assert_eq!(running.handle.figures().told, 0, "the same URL is still gone");
    running.outbox.set_control(3, vec![account(endpoint(1, "https://hooks.example.com/new"))]);
    running.tell(1, 1);
    running.all_ended().await;
    assert_eq!(running.handle.figures().told, 1, "another one gets its own chance");
}

#[tokio::test(start_paused = true)]
async fn events_of_an_endpoint_that_vanished_are_given_up_with_the_reason() {
    let receivers = Receivers::answering(|_| 200);
    let running = Running::with_transport(MemoryOutbox::new(vec![]), Options::default(), receivers.transport());
    running.tell(9, 3);
    running.all_ended().await;
    let calls = running.outbox.calls();
    assert!(calls.iter().all(|call| call.outcome == CallOutcome::Dead && call.failure.starts_with("no_endpoint")));
    assert_eq!(receivers.count(), 0);
}

#[test]
fn what_an_earlier_run_knew_is_remembered_while_events_come_in() {
    const URLS: usize = 3_000;
    let url = |number: usize| format!("https://h{number}.example.com/");
    let (outbox, transport) = (one_account(), Receivers::answering(|_| 200).transport());
    let (clock, options) = (Clock::system(), Options::default());
    let (_service, handle) = Service::with_transport(outbox.clone(), clock, Random::seeded(1), options, transport);
    let known = move |number: usize| EndpointTrouble {
        name: EndpointName { account: AccountId(1), kind: EventKind::Status, url: Some(url(number).into()) },
        url: url(number).into(),
        since: UnixMillis(1),
        failures: 7,
        off: None,
    };
    // Each way of the two to an endpoint takes locks that the other one takes as well.
    let (done, both_done) = std::sync::mpsc::sync_channel(2);
    let (teller, told) = (handle.clone(), done.clone());
    std::thread::spawn(move || {
        (0..URLS).for_each(|number| teller.tell(Arc::new(outbox.event_to(1, &url(number)))));
        told.send(())
    });
    let rememberer = handle.clone();
    std::thread::spawn(move || {
        (0..URLS).for_each(|number| rememberer.0.remember(vec![known(number)]));
        done.send(())
    });
    for _ in 0..2 {
        both_done.recv_timeout(Duration::from_secs(60)).expect("neither waits for the other for ever");
    }
    let views = handle.endpoints(AccountId(1));
    let remembered = views.iter().filter(|view| view.named && view.failures == 7 && view.waiting == 1).count();
    assert_eq!(remembered, URLS);
}

#[tokio::test(start_paused = true)]
async fn idle_endpoints_are_let_go_of() {
    let receivers = Receivers::answering(|_| 200);
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    for round in 0..3 {
        let told = running.tell(1, 10);
        running.all_ended().await;
        assert_eq!(running.handle.figures().endpoints, 1);
        sleep(Duration::from_secs(130)).await;
        assert_eq!(running.handle.figures().endpoints, 0, "round {round}");
        assert!(told.iter().all(|id| counts(&receivers)[&id.to_string()] == 1));
    }
}

#[tokio::test(start_paused = true)]
async fn more_endpoints_than_there_is_place_for_get_their_turn() {
    let receivers = Receivers::answering(|_| 200);
    let running = Running::with_transport(one_account(), Options::default(), receivers.transport());
    let mut ids = Vec::new();
    for number in 0..10_500 {
        let event = running.outbox.event_to(1, &format!("https://h{number}.example.com/"));
        ids.push(event.id);
        running.handle.tell(Arc::new(event));
    }
    assert_eq!(running.handle.figures().endpoints, 10_000);
    running.all_ended().await;
    assert_each_once(&receivers, &ids);
}
