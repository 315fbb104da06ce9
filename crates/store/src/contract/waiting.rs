//! What waits: lines, schedules, validity.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::fact::MessageFact;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::Lane;
use domain::receipt::ReceiptState;
use domain::request::Request;
use domain::state::Status;

use super::fixture::{ACCOUNT, CARRIER, Case, Place, VALIDITY_MS, receipt, submitted};
use crate::handle::{AcceptOutcome, Store};

pub(super) const CASES: &[(&str, Case)] = &[
    ("what_waits_is_found_by_line_in_order", lines),
    ("what_waits_is_found_account_by_account", accounts),
    ("messages_of_one_request_may_be_due_one_after_the_other", spread),
    ("what_is_scheduled_waits_until_it_is_due", scheduled),
    ("what_is_past_its_time_is_named_until_it_is_ended", overdue),
    ("parts_taken_already_are_known", parts_taken),
    ("an_intent_is_known_and_a_doubt_counts_as_sent", intents),
];

const NO_MESSAGE: MessageId = MessageId(0);

fn waiting_ids(place: &Place, store: &Store, lane: Lane, carrier: CarrierId, page: usize) -> Vec<MessageId> {
    waiting_ids_of(place, store, lane, (carrier, ACCOUNT), page)
}

fn waiting_ids_of(
    place: &Place,
    store: &Store,
    lane: Lane,
    line: (CarrierId, AccountId),
    page: usize,
) -> Vec<MessageId> {
    let mut ids: Vec<MessageId> = Vec::new();
    loop {
        let after = ids.last().copied().unwrap_or(NO_MESSAGE);
        let more = place.run(store.waiting(lane, line, after, page)).expect("an answer");
        assert!(more.len() <= page);
        if more.is_empty() {
            return ids;
        }
        ids.extend(more.iter().map(|waiting| waiting.id));
    }
}

fn lines(place: &Place) {
    let mut store = place.open();
    let mut own: Vec<MessageId> = Vec::new();
    for number in 0..60 {
        let lane = if number % 3 == 0 { Lane::Priority } else { Lane::Standard };
        let mut request = place.request(&store, lane, 48_600_000_000 + number, 2);
        request.messages[1].carrier = CarrierId(9);
        let accepted = place.accept(&store, request);
        if lane == Lane::Standard {
            own.push(accepted.id);
        }
        place.pass_ms(1);
    }
    let mut gone = Vec::new();
    for (round, id) in own.iter().step_by(3).enumerate() {
        let what = if round % 2 == 0 { submitted(1, &format!("op{round}")) } else { MessageFact::Cancelled };
        place.fact(&store, *id, what);
        gone.push(*id);
        if round % 5 == 4 {
            place.rest(&store);
        }
    }
    own.retain(|id| !gone.contains(id));
    for _ in 0..3 {
        assert_eq!(waiting_ids(place, &store, Lane::Standard, CARRIER, 7), own);
        assert_eq!(waiting_ids(place, &store, Lane::Standard, CarrierId(9), 100).len(), 40);
        assert_eq!(waiting_ids(place, &store, Lane::Priority, CARRIER, 3).len(), 20);
        assert!(waiting_ids(place, &store, Lane::Standard, CarrierId(77), 100).is_empty());
        let lines = place.run(store.lines(Lane::Standard));
        assert_eq!(lines, Ok(vec![(CARRIER, ACCOUNT, own.len() as u64), (CarrierId(9), ACCOUNT, 40)]));
        place.rest(&store);
        store = place.reopen(store);
    }
    let first =
        place.run(store.waiting(Lane::Standard, (CARRIER, ACCOUNT), NO_MESSAGE, 1)).expect("an answer").remove(0);
    assert_eq!((&*first.content.text, first.parts_taken.len()), ("Żółw", 0));
}

fn accounts(place: &Place) {
    let mut store = place.open();
    let other = AccountId(8);
    let (mut of_one, mut of_other) = (Vec::new(), Vec::new());
    for number in 0..20 {
        let large = place.accept(&store, place.request(&store, Lane::Standard, 48_600_000_000, 50));
        of_one.extend((0..50).map(|index| large.message_id(index)));
        let mut request = place.request(&store, Lane::Standard, 48_700_000_000 + number, 1);
        request.account = other;
        of_other.push(place.accept(&store, request).id);
        place.pass_ms(1);
    }
    let cancelled = of_other.remove(3);
    place.fact(&store, cancelled, MessageFact::Cancelled);
    for _ in 0..3 {
        assert_eq!(waiting_ids_of(place, &store, Lane::Standard, (CARRIER, other), 6), of_other);
        assert_eq!(waiting_ids_of(place, &store, Lane::Standard, (CARRIER, ACCOUNT), 333), of_one);
        assert!(waiting_ids_of(place, &store, Lane::Standard, (CARRIER, AccountId(9)), 10).is_empty());
        let lines = place.run(store.lines(Lane::Standard));
        assert_eq!(lines, Ok(vec![(CARRIER, ACCOUNT, 1000), (CARRIER, other, 19)]));
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn spread(place: &Place) {
    let mut store = place.open();
    let now = place.clock.now();
    let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 4);
    request.external_id = Some("spread".into());
    for (number, message) in (0_i64..).zip(&mut request.messages) {
        message.delay_ms = number * 60_000;
    }
    let request = place.accept(&store, request);
    let later: Vec<_> = (1..4).map(|index| (request.due_at(index), request.message_id(index))).collect();
    for _ in 0..3 {
        assert_eq!(waiting_ids(place, &store, Lane::Standard, CARRIER, 10), [request.id]);
        let start = (UnixMillis(0), NO_MESSAGE);
        let found = place.run(store.scheduled(Lane::Standard, now.plus_ms(3_600_000), start, 10)).expect("an answer");
        assert_eq!(found.iter().map(|waiting| (waiting.due_at, waiting.id)).collect::<Vec<_>>(), later);
        let again =
            place.run(store.accept(
                Lane::Standard,
                Request { id: store.ids().next_block(Lane::Standard, 4), ..(*request).clone() },
            ));
        assert_eq!(again, Ok(AcceptOutcome::Repeated(Arc::clone(&request))));
        place.rest(&store);
        store = place.reopen(store);
    }
    // The last one expires three minutes after the first.
    place.pass_ms(VALIDITY_MS + 1_000);
    let overdue = |store: &Store| {
        let found = place.run(store.overdue(Lane::Standard, 10)).expect("an answer");
        found.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(overdue(&store), [request.id]);
    place.rest(&store);
    assert_eq!(overdue(&place.reopen(store)), [request.id]);
}

fn scheduled(place: &Place) {
    let mut store = place.open();
    let now = place.clock.now();
    let mut due: Vec<(UnixMillis, MessageId)> = Vec::new();
    for number in 0..30_u64 {
        let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 1);
        request.due_at = now.plus_ms(i64::try_from((number * 7) % 10).expect("small") * 1000 + 1000);
        due.push((request.due_at, request.id));
        place.accept(&store, request);
    }
    due.sort_unstable();
    place.accept_one(&store, Lane::Standard, 48_600_000_000);
    let cancelled = due.remove(4);
    place.fact(&store, cancelled.1, MessageFact::Cancelled);
    let page = |store: &Store, before: UnixMillis, after: (UnixMillis, MessageId), limit| {
        let found = place.run(store.scheduled(Lane::Standard, before, after, limit)).expect("an answer");
        found.iter().map(|waiting| (waiting.due_at, waiting.id)).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        let start = (UnixMillis(0), NO_MESSAGE);
        assert_eq!(page(&store, now.plus_ms(100_000), start, 100), due);
        let mut paged = Vec::new();
        let mut after = start;
        loop {
            let more = page(&store, now.plus_ms(5000), after, 4);
            let Some(last) = more.last() else { break };
            after = *last;
            paged.extend(more);
        }
        let early: Vec<_> = due.iter().copied().filter(|(at, _)| *at < now.plus_ms(5000)).collect();
        assert_eq!(paged, early);
        assert_eq!(
            place.run(store.waiting(Lane::Standard, (CARRIER, ACCOUNT), NO_MESSAGE, 100)).expect("an answer").len(),
            1
        );
        place.rest(&store);
        store = place.reopen(store);
    }
    place.clock.set(now.plus_ms(3000));
    let found = place.run(store.waiting(Lane::Standard, (CARRIER, ACCOUNT), NO_MESSAGE, 100)).expect("an answer").len();
    assert_eq!(found, 1 + due.iter().filter(|(at, _)| *at <= now.plus_ms(3000)).count());
}

fn overdue(place: &Place) {
    let mut store = place.open();
    let request = place.accept(&store, place.request(&store, Lane::Priority, 48_600_000_000, 6));
    let id = |index| request.message_id(index);
    place.fact(&store, id(0), submitted(1, "a"));
    place.fact(&store, id(1), submitted(1, "b"));
    place.fact(&store, id(1), receipt(1, ReceiptState::Delivered));
    place.fact(&store, id(2), MessageFact::Cancelled);
    let ask = |store: &Store, limit| {
        let mut found = place.run(store.overdue(Lane::Priority, limit)).expect("an answer");
        found.sort_by_key(|one| one.id);
        found.iter().map(|one| (one.id, one.status)).collect::<Vec<_>>()
    };
    for round in 0..2 {
        assert_eq!(ask(&store, 100), [], "round {round}");
        place.rest(&store);
        store = place.reopen(store);
    }
    place.pass_ms(VALIDITY_MS + 60_000);
    let late = [(id(3), Status::New), (id(4), Status::New), (id(5), Status::New)];
    assert_eq!(ask(&store, 100), late);
    assert_eq!(ask(&store, 2).len(), 2);
    assert_eq!(ask(&store, 100), late, "named until they are ended");
    place.fact(&store, id(4), MessageFact::Ended { status: Status::Expired, reason: "validity_over" });
    assert_eq!(ask(&store, 100), [(id(3), Status::New), (id(5), Status::New)]);
    place.pass_ms(domain::limits::RECEIPT_GRACE_MS);
    for _ in 0..2 {
        assert_eq!(ask(&store, 100), [(id(0), Status::Sent), (id(3), Status::New), (id(5), Status::New)]);
        place.rest(&store);
        store = place.reopen(store);
    }
    assert_eq!(place.run(store.overdue(Lane::Standard, 100)), Ok(Vec::new()));
}

fn parts_taken(place: &Place) {
    let mut store = place.open();
    let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 1);
    request.parts = 3;
    let request: Arc<_> = place.accept(&store, request);
    place.fact(&store, request.id, submitted(2, "two"));
    for _ in 0..2 {
        let found = place.run(store.waiting(Lane::Standard, (CARRIER, ACCOUNT), NO_MESSAGE, 10)).expect("an answer");
        assert_eq!(found[0].parts_taken.as_slice(), [2]);
        store = place.reopen(store);
    }
    place.fact(&store, request.id, submitted(1, "one"));
    place.fact(&store, request.id, submitted(3, "three"));
    assert_eq!(place.run(store.waiting(Lane::Standard, (CARRIER, ACCOUNT), NO_MESSAGE, 10)), Ok(Vec::new()));
    let message = place.run(store.message(request.id)).expect("an answer").expect("a message");
    let ids: Vec<&str> = message.parts.iter().map(|part| &*part.operator_id).collect();
    assert_eq!((message.status, ids), (Status::Sent, vec!["one", "two", "three"]));
}

fn intents(place: &Place) {
    let mut store = place.open();
    let intended = |part| MessageFact::Intended { part, carrier: CARRIER };
    let doubt = |part| MessageFact::Unanswered { part, carrier: CARRIER, is_repeated: false };
    let single = place.accept_one(&store, Lane::Standard, 48_600_000_000);
    let mut request = place.request(&store, Lane::Standard, 48_600_000_001, 1);
    request.parts = 3;
    let long = place.accept(&store, request).id;
    let back = place.accept_one(&store, Lane::Standard, 48_600_000_002);
    place.fact(&store, single, intended(1));
    place.fact(&store, long, submitted(1, "one"));
    place.fact(&store, long, intended(3));
    place.fact(&store, back, intended(1));
    place.fact(&store, back, MessageFact::NotSent { part: 1 });
    place.fact(&store, single, MessageFact::Cancelled);
    for _ in 0..3 {
        let found = place.run(store.waiting(Lane::Standard, (CARRIER, ACCOUNT), NO_MESSAGE, 10)).expect("an answer");
        let parts: Vec<_> = found
            .iter()
            .map(|waiting| (waiting.id, waiting.parts_taken.as_slice(), waiting.parts_intended.as_slice()))
            .collect();
        let expected: [(_, &[u8], &[u8]); 3] = [(single, &[], &[1]), (long, &[1], &[3]), (back, &[], &[])];
        assert_eq!(parts, expected);
        place.rest(&store);
        store = place.reopen(store);
    }
    place.fact(&store, single, doubt(1));
    place.fact(&store, long, doubt(3));
    for _ in 0..2 {
        let found = place.run(store.waiting(Lane::Standard, (CARRIER, ACCOUNT), NO_MESSAGE, 10)).expect("an answer");
        assert_eq!(found.iter().map(|waiting| waiting.id).collect::<Vec<_>>(), [long, back]);
        assert_eq!(found[0].parts_taken.as_slice(), [1, 3]);
        let message = place.run(store.message(single)).expect("an answer").expect("a message");
        assert_eq!(message.status, Status::Sent);
        let steps = place.run(store.history(single)).expect("an answer");
        let told: Vec<_> = steps.iter().map(|step| (&*step.kind, &*step.detail, step.status)).collect();
        assert_eq!(told, [("unanswered", "not_repeated", Some(Status::Sent))]);
        store = place.reopen(store);
    }
    place.fact(&store, single, receipt(1, ReceiptState::Delivered));
    let message = place.run(store.message(single)).expect("an answer").expect("a message");
    assert_eq!(message.status, Status::Delivered);
}
