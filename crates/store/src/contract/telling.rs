//! Events: written with the move, told once, remembered until then.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::control::EventKind;
use domain::event::{CallId, Event};
use domain::fact::{CallOutcome, EventId, Fact, WebhookCall};
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::receipt::ReceiptState;
use domain::webhook::{Attempt, EndpointName, Missed};

use super::fixture::{ACCOUNT, Case, Notes, Place, receipt, submitted};
use crate::handle::Store;
use crate::question::AttemptQuery;

pub(super) const CASES: &[(&str, Case)] = &[
    ("events_are_remembered_until_they_are_told", remembered),
    ("a_short_page_is_the_last_one_although_events_are_told_meanwhile", told_meanwhile),
    ("a_failed_call_is_remembered_with_its_next_time", failed_call),
    ("nobody_wants_it_nobody_is_told", unwanted),
    ("attempts_are_kept_by_account_and_those_that_are_missing_counted", attempts),
];

const START: EventId = EventId { message: MessageId(0), step: 0 };

pub(super) fn delivered(place: &Place, store: &Store, lane: Lane, number: u64) -> MessageId {
    let id = place.accept_one(store, lane, 48_600_000_000 + number);
    place.fact(store, id, submitted(1, &format!("op{number}")));
    place.fact(store, id, receipt(1, ReceiptState::Delivered));
    id
}

fn untold(place: &Place, store: &Store, lane: Lane, page: usize) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(START, |event| event.id);
        let more = place.run(store.untold(lane, after, page)).expect("an answer");
        assert!(more.len() <= page);
        if more.is_empty() {
            return events;
        }
        events.extend(more);
    }
}

pub(super) fn call(place: &Place, events: &[EventId], attempt: u16, outcome: CallOutcome) -> WebhookCall {
    let http_status = if outcome == CallOutcome::Told { 200 } else { 503 };
    WebhookCall {
        id: CallId::of(events.iter().copied()),
        attempt,
        at: place.clock.now(),
        latency_ms: 12,
        http_status,
        failure: if http_status == 200 { "".into() } else { "busy".into() },
        outcome,
        events: events.to_vec(),
    }
}

fn remembered(place: &Place) {
    let mut store = place.open();
    let notes = Arc::new(Notes::default());
    store.watch(Arc::<Notes>::clone(&notes));
    for number in 0..30 {
        let lane = if number % 3 == 0 { Lane::Priority } else { Lane::Standard };
        delivered(place, &store, lane, number);
        place.pass_ms(1);
    }
    let mut live: Vec<Event> = notes.moves().iter().filter_map(|moved| moved.event.as_deref().cloned()).collect();
    live.sort_by_key(|event| event.id);
    assert_eq!(live.len(), 30);
    let of = |lane: Lane, events: &[Event]| {
        events.iter().filter(|event| event.id.message.lane() == lane).cloned().collect::<Vec<_>>()
    };
    for _ in 0..3 {
        for lane in Lane::ALL {
            assert_eq!(untold(place, &store, lane, 7), of(lane, &live), "the same, field by field");
        }
        place.rest(&store);
        store = place.reopen(store);
    }
    // One call may name events of both lanes.
    let told: Vec<EventId> = live.iter().step_by(2).map(|event| event.id).collect();
    let told_call = call(place, &told, 1, CallOutcome::Told);
    place.run(store.record(Lane::Standard, vec![Fact::Called(told_call)])).expect("durable");
    live.retain(|event| !told.contains(&event.id));
    for _ in 0..2 {
        for lane in Lane::ALL {
            assert_eq!(untold(place, &store, lane, 100), of(lane, &live));
        }
        place.rest(&store);
        store = place.reopen(store);
    }
    let steps = place.run(store.history(told[0].message)).expect("an answer");
    assert_eq!(steps.last().map(|step| (&*step.kind, &*step.detail)), Some(("told", "attempt 1: HTTP 200")));
}

fn told_meanwhile(place: &Place) {
    const EVENTS: u16 = 600;
    const PAGE: usize = 50;
    let store = place.open();
    let notes = Arc::new(Notes::default());
    store.watch(Arc::<Notes>::clone(&notes));
    let request = place.accept(&store, place.request(&store, Lane::Standard, 48_600_000_000, EVENTS));
    for what in [submitted(1, "op"), receipt(1, ReceiptState::Delivered)] {
        let fact = |index: u16| Fact::Message {
            id: request.message_id(usize::from(index)),
            at: place.clock.now(),
            what: what.clone(),
        };
        place.run(store.record(Lane::Standard, (0..EVENTS).map(fact).collect())).expect("durable");
    }
    let mut ids: Vec<EventId> =
        notes.moves().iter().filter_map(|moved| moved.event.as_ref().map(|event| event.id)).collect();
    ids.sort_unstable();
    let last = *ids.last().expect("events");
    let calls: Vec<WebhookCall> =
        ids[..ids.len() - 1].chunks(3).map(|events| call(place, events, 1, CallOutcome::Told)).collect();
    let is_over = std::cell::Cell::new(false);
    let telling = async {
        for call in &calls {
            store.record(Lane::Standard, vec![Fact::Called(call.clone())]).await.expect("durable");
        }
        is_over.set(true);
    };
    let reading = async {
        while !is_over.get() {
            let mut after = START;
            loop {
                let page = store.untold(Lane::Standard, after, PAGE).await.expect("an answer");
                after = page.last().map_or(after, |event| event.id);
                if page.len() < PAGE {
                    break;
                }
            }
            assert_eq!(after, last, "the last one is never told");
        }
    };
    place.run(async { tokio::join!(telling, reading) });
}

fn failed_call(place: &Place) {
    let mut store = place.open();
    let id = delivered(place, &store, Lane::Standard, 1);
    let event = untold(place, &store, Lane::Standard, 10).remove(0);
    assert_eq!((event.id.message, event.account, event.attempts), (id, ACCOUNT, 0));
    let retry_at = place.clock.now().plus_ms(30_000);
    let first = call(place, &[event.id], 1, CallOutcome::RetryAt(retry_at));
    place.run(store.record(Lane::Standard, vec![Fact::Called(first.clone())])).expect("durable");
    for _ in 0..2 {
        let again = untold(place, &store, Lane::Standard, 10).remove(0);
        let expected = Event { attempts: 1, next_at: retry_at, call: Some(first.id), ..event.clone() };
        assert_eq!(again, expected);
        place.rest(&store);
        store = place.reopen(store);
    }
    place.pass_ms(1000);
    let last = WebhookCall { attempt: 2, outcome: CallOutcome::Dead, at: place.clock.now(), ..first };
    place.run(store.record(Lane::Standard, vec![Fact::Called(last)])).expect("durable");
    assert!(untold(place, &store, Lane::Standard, 10).is_empty(), "given up");
    let steps = place.run(store.history(id)).expect("an answer");
    let tries: Vec<&str> = steps.iter().filter(|step| &*step.kind == "told").map(|step| &*step.detail).collect();
    assert_eq!(tries, ["attempt 1 after 12 ms: HTTP 503 busy", "attempt 2 after 12 ms: HTTP 503 busy"]);
}

fn unwanted(place: &Place) {
    let store = place.open();
    let notes = Arc::new(Notes::default());
    store.watch(Arc::<Notes>::clone(&notes));
    let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 1);
    request.webhook_url = None;
    let id = place.accept(&store, request).id;
    place.fact(&store, id, submitted(1, "op"));
    place.fact(&store, id, receipt(1, ReceiptState::Delivered));
    assert!(notes.moves().iter().all(|moved| moved.event.is_none()));
    assert!(untold(place, &store, Lane::Standard, 10).is_empty());
    assert_ne!(place.clock.now(), UnixMillis(0));
}

fn attempts(place: &Place) {
    let mut store = place.open();
    let attempt = |account, number, http_status| Attempt {
        name: EndpointName { account, kind: EventKind::Status, url: None },
        url: "https://example.com/hooks".into(),
        call: CallId([7; 16]),
        number,
        at: place.clock.now(),
        latency_ms: 12,
        http_status,
        failure: if http_status == 200 { "".into() } else { "busy".into() },
        headers: "webhook-attempt: 1".into(),
        events: vec![EventId { message: MessageId(1 << 40), step: 2 }, EventId { message: MessageId(64), step: 300 }],
        body_octets: 320,
        answer: vec![0, 255].into(),
    };
    let other = AccountId(ACCOUNT.0 + 1);
    let own = [attempt(ACCOUNT, 1, 503), attempt(ACCOUNT, 2, 200), attempt(ACCOUNT, 3, 0)];
    let all = vec![own[0].clone(), attempt(other, 9, 200), own[1].clone(), own[2].clone()];
    let missed = vec![Missed { account: ACCOUNT, attempts: 7 }];
    place.run(store.keep_attempts(all, missed.clone())).expect("kept");
    place.run(store.keep_attempts(Vec::new(), missed)).expect("kept");
    for _ in 0..2 {
        let query = AttemptQuery { account: ACCOUNT, before: None, failed_only: false, limit: 2 };
        let page = place.run(store.attempts(query.clone())).expect("an answer");
        let shown: Vec<Attempt> = page.records.iter().map(|record| record.attempt.clone()).collect();
        assert_eq!((&shown[..], page.missed), (&[own[2].clone(), own[1].clone()][..], 14), "newest first");
        let before = page.records.last().map(|record| record.id);
        let rest = place.run(store.attempts(AttemptQuery { before, ..query.clone() })).expect("an answer").records;
        assert_eq!(rest.iter().map(|record| &record.attempt).collect::<Vec<_>>(), [&own[0]]);
        let failed = place.run(store.attempts(AttemptQuery { failed_only: true, limit: 9, ..query.clone() }));
        assert_eq!(failed.expect("an answer").records.len(), 2);
        let of_other = place.run(store.attempts(AttemptQuery { account: other, ..query })).expect("an answer");
        assert_eq!((of_other.records.len(), of_other.missed), (1, 0), "nothing of another account");
        place.rest(&store);
        store = place.reopen(store);
    }
}
