//! All events in the order in which they were written, notices, dead letters and replay.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::event::{ClickReport, Event, IncomingReport, Payload};
use domain::fact::{CallOutcome, EventId, Fact};
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::phone::Phone;
use domain::receipt::ReceiptState;

use super::fixture::{ACCOUNT, Case, Notes, Place, receipt, submitted};
use super::telling::{call, delivered};
use crate::handle::Store;
use crate::question::{EventCursor, EventRecord, Telling};

pub(super) const CASES: &[(&str, Case)] = &[
    ("whoever_reads_on_from_a_cursor_misses_nothing_however_late_it_came", late_events),
    ("events_are_readable_although_nobody_wants_to_be_told", unwanted_events),
    ("notices_are_told_like_delivery_reports", notices),
    ("an_account_never_sees_another_ones_events", other_account),
    ("dead_letters_are_found_and_told_again_with_the_same_id", dead_letters),
    ("what_was_told_can_be_told_again", told_again),
];

const FIRST: EventId = EventId { message: MessageId(0), step: 0 };

/// Reads on from `cursor` to the end, `page` events at a time.
fn read_on(place: &Place, store: &Store, cursor: &mut EventCursor, page: usize) -> Vec<EventRecord> {
    let mut records = Vec::new();
    loop {
        let found = place.run(store.events(ACCOUNT, *cursor, page)).expect("an answer");
        assert!(found.events.len() <= page);
        records.extend(found.events);
        *cursor = found.next;
        assert_eq!(EventCursor::parse(&cursor.to_string()), Some(*cursor));
        if !found.more {
            return records;
        }
    }
}

fn ids(records: &[EventRecord]) -> Vec<EventId> {
    records.iter().map(|record| record.event.id).collect()
}

fn late_events(place: &Place) {
    let mut store = place.open();
    let mut early = Vec::new();
    for number in 0..12 {
        let lane = if number % 3 == 0 { Lane::Priority } else { Lane::Standard };
        let id = place.accept_one(&store, lane, 48_600_000_000 + number);
        place.fact(&store, id, submitted(1, &format!("early{number}")));
        early.push(id);
        place.pass_ms(1);
    }
    let mut cursor = EventCursor::default();
    let mut seen = Vec::new();
    let mut written = Vec::new();
    for (round, id) in early.iter().enumerate() {
        // The newest message has its outcome at once, an old one only now.
        let newest = delivered(place, &store, id.lane(), 100 + round as u64);
        written.push(newest);
        if round % 4 == 0 {
            place.rest(&store);
            store = place.reopen(store);
        }
        place.fact(&store, *id, receipt(1, ReceiptState::Delivered));
        written.push(*id);
        let found = read_on(place, &store, &mut cursor, 1 + round % 3);
        assert!(!found.is_empty(), "round {round}");
        seen.extend(ids(&found).into_iter().map(|id| id.message));
    }
    let mut sorted = (seen.clone(), written.clone());
    sorted.0.sort_unstable();
    sorted.1.sort_unstable();
    assert_eq!(sorted.0, sorted.1, "each exactly once");
    for _ in 0..2 {
        place.rest(&store);
        store = place.reopen(store);
        assert!(read_on(place, &store, &mut cursor, 5).is_empty(), "nothing comes twice");
        let all = read_on(place, &store, &mut EventCursor::default(), 7);
        for lane in Lane::ALL {
            let of = |all: &[MessageId]| all.iter().copied().filter(|id| id.lane() == lane).collect::<Vec<_>>();
            let again: Vec<_> = ids(&all).into_iter().map(|id| id.message).collect();
            assert_eq!(of(&again), of(&written), "the order of the commits, also after a restart");
        }
    }
}

fn unwanted_events(place: &Place) {
    let mut store = place.open();
    let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 1);
    request.webhook_url = None;
    let id = place.accept(&store, request).id;
    place.fact(&store, id, submitted(1, "op"));
    place.fact(&store, id, receipt(1, ReceiptState::Undelivered));
    place.pass_ms(10);
    let since = EventCursor::at(place.clock.now());
    place.fact(&store, id, receipt(1, ReceiptState::Delivered));
    for _ in 0..2 {
        let all = read_on(place, &store, &mut EventCursor::default(), 10);
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|record| record.telling == Telling::Unwanted && record.event.id.message == id));
        assert!(all[0].event.id.step < all[1].event.id.step, "the number rises with every event of a message");
        assert_eq!(ids(&read_on(place, &store, &mut since.clone(), 10)), [all[1].event.id], "since a moment");
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn notice(store: &Store, account: AccountId, payload: Payload) -> Event {
    let url = Some("https://example.org/in".into());
    Event::new(EventId::of_row(store.ids().next(Lane::Standard)), account, url, payload)
}

fn incoming(text: &str) -> Payload {
    Payload::Incoming(IncomingReport {
        phone: "+48600100200".into(),
        number: "7070".into(),
        keyword: "STOP".into(),
        message: text.into(),
        received_at: UnixMillis(1_800_000_000_500),
        parts: 2,
        complete: true,
        missing: Box::default(),
        late_part: None,
        group: None,
    })
}

fn notices(place: &Place) {
    let mut store = place.open();
    let notes = Arc::new(Notes::default());
    store.watch(Arc::<Notes>::clone(&notes));
    let click = ClickReport {
        external_id: "order-7".into(),
        phone: Phone::from_u64(48_600_100_200).expect("a number"),
        url: "https://example.com/?q=\"ż\"".into(),
        clicked_at: UnixMillis(1_800_000_000_700),
    };
    let made = [notice(&store, ACCOUNT, incoming("STOP \"ż\"")), notice(&store, ACCOUNT, Payload::Click(click))];
    let unwanted = Event { webhook_url: None, ..notice(&store, ACCOUNT, incoming("x")) };
    let facts = made.iter().chain([&unwanted]).map(|event| Fact::Event(Arc::new(event.clone()))).collect();
    place.run(store.record(Lane::Standard, facts)).expect("durable");
    assert_eq!(notes.events().iter().map(|event| (**event).clone()).collect::<Vec<_>>(), made, "only what is wanted");
    for _ in 0..2 {
        assert_eq!(place.run(store.untold(Lane::Standard, FIRST, 10)).expect("an answer"), made);
        let all = read_on(place, &store, &mut EventCursor::default(), 2);
        let events: Vec<_> = all.iter().map(|record| record.event.clone()).collect();
        assert_eq!(events, [made[0].clone(), made[1].clone(), unwanted.clone()]);
        place.rest(&store);
        store = place.reopen(store);
    }
    let told = call(place, &[made[0].id], 1, CallOutcome::Told);
    let dead = call(place, &[made[1].id], 3, CallOutcome::Dead);
    place.run(store.record(Lane::Standard, vec![Fact::Called(told), Fact::Called(dead)])).expect("durable");
    for _ in 0..2 {
        assert!(place.run(store.untold(Lane::Standard, FIRST, 10)).expect("an answer").is_empty());
        let letters = place.run(store.dead_letters(ACCOUNT, FIRST, 10)).expect("an answer");
        assert_eq!(ids(&letters), [made[1].id]);
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn other_account(place: &Place) {
    let store = place.open();
    let own = delivered(place, &store, Lane::Standard, 1);
    let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 1);
    request.account = AccountId(9);
    let foreign = place.accept(&store, request).id;
    place.fact(&store, foreign, submitted(1, "op-foreign"));
    place.fact(&store, foreign, receipt(1, ReceiptState::Delivered));
    let all = read_on(place, &store, &mut EventCursor::default(), 10);
    assert_eq!(all.iter().map(|record| record.event.id.message).collect::<Vec<_>>(), [own]);
    let foreign_id = EventId { message: foreign, step: 1 };
    let dead = call(place, &[foreign_id], 12, CallOutcome::Dead);
    place.run(store.record(Lane::Standard, vec![Fact::Called(dead)])).expect("durable");
    assert!(place.run(store.dead_letters(ACCOUNT, FIRST, 10)).expect("an answer").is_empty());
    assert_eq!(place.run(store.dead_letters(AccountId(9), FIRST, 10)).expect("an answer").len(), 1);
    assert!(place.run(store.events_by_id(ACCOUNT, vec![foreign_id])).expect("an answer").is_empty());
}

fn dead_letters(place: &Place) {
    let mut store = place.open();
    let mut events = Vec::new();
    for number in 0..9 {
        let lane = if number % 2 == 0 { Lane::Priority } else { Lane::Standard };
        delivered(place, &store, lane, number);
        place.pass_ms(1);
    }
    for lane in Lane::ALL {
        events.extend(place.run(store.untold(lane, FIRST, 100)).expect("an answer"));
    }
    let all: Vec<_> = events.iter().map(|event| event.id).collect();
    let dead = call(place, &all[..7], 12, CallOutcome::Dead);
    place.run(store.record(Lane::Standard, vec![Fact::Called(dead)])).expect("durable");
    let mut expected = all[..7].to_vec();
    expected.sort_unstable();
    for _ in 0..2 {
        let mut found = Vec::new();
        loop {
            let after = found.last().copied().unwrap_or(FIRST);
            let page = place.run(store.dead_letters(ACCOUNT, after, 3)).expect("an answer");
            if page.is_empty() {
                break;
            }
            assert!(page.iter().all(|record| record.telling == Telling::GivenUp && record.event.attempts == 12));
            found.extend(ids(&page));
        }
        assert_eq!(found, expected);
        place.rest(&store);
        store = place.reopen(store);
    }
    place.run(store.record(Lane::Standard, vec![Fact::Replayed(all[..2].to_vec())])).expect("durable");
    for _ in 0..2 {
        let mut again = Vec::new();
        for lane in Lane::ALL {
            again.extend(place.run(store.untold(lane, FIRST, 100)).expect("an answer"));
        }
        let replayed: Vec<_> = again.iter().filter(|event| event.attempts == 12).collect();
        assert_eq!(replayed.iter().map(|event| event.id).collect::<Vec<_>>(), all[..2]);
        assert!(replayed.iter().all(|event| event.call.is_none() && event.next_at == UnixMillis(0)));
        assert_eq!(place.run(store.dead_letters(ACCOUNT, FIRST, 100)).expect("an answer").len(), 5);
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn told_again(place: &Place) {
    let store = place.open();
    delivered(place, &store, Lane::Standard, 1);
    let event = place.run(store.untold(Lane::Standard, FIRST, 10)).expect("an answer").remove(0);
    let told = call(place, &[event.id], 1, CallOutcome::Told);
    place.run(store.record(Lane::Standard, vec![Fact::Called(told)])).expect("durable");
    let missing = EventId { message: event.id.message, step: 77 };
    place.run(store.record(Lane::Standard, vec![Fact::Replayed(vec![event.id, missing])])).expect("durable");
    let again = place.run(store.untold(Lane::Standard, FIRST, 10)).expect("an answer");
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].id, again[0].attempts), (event.id, 1));
}
