//! What people write, and what is known of them.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::fact::Fact;
use domain::id::{AccountId, MessageId};
use domain::incoming::{IncomingMessage, IncomingPart, Letters, PartPlace, ReferenceKind};
use domain::lane::Lane;
use domain::person::{OptOut, OptOutKey, OptOutOrigin, PersonFact, Position, Talk, TalkKey};
use domain::phone::Phone;

use super::fixture::{ACCOUNT, CARRIER, Case, Place};
use crate::handle::Store;
use crate::question::{ConversationItem, ConversationQuery, IncomingQuery};

/// The cases by name.
pub const CASES: &[(&str, Case)] = &[
    ("incoming_listed", listed),
    ("incoming_conversation", conversation),
    ("incoming_parts", parts),
    ("incoming_unhandled", unhandled),
    ("people_opt_outs", opt_outs),
    ("people_talks", talks),
];

const PERSON: u64 = 48_600_100_200;

fn phone(number: u64) -> Phone {
    Phone::from_u64(number).expect("a number")
}

fn message(place: &Place, store: &Store, account: Option<AccountId>, from: u64, text: &str) -> IncomingMessage {
    IncomingMessage {
        id: store.ids().next(Lane::Standard),
        account,
        carrier: CARRIER,
        at: place.clock.now(),
        source: from.to_string().into(),
        phone: Phone::from_u64(from),
        number: "2424".into(),
        keyword: "ACME".into(),
        text: text.into(),
        parts: 1,
        missing: Box::default(),
        late_part: None,
        group: None,
        flaw: None,
        raw: Box::from(*b"pdu"),
        handled: true,
    }
}

fn keep(place: &Place, store: &Store, message: IncomingMessage) -> MessageId {
    let id = message.id;
    let fact = Fact::Incoming { message: Arc::new(message), part_ids: Box::default() };
    place.run(store.record(Lane::Standard, vec![fact])).expect("durable");
    id
}

fn ask(place: &Place, store: &Store, query: IncomingQuery) -> (Vec<MessageId>, Option<MessageId>) {
    let page = place.run(store.incoming(query)).expect("an answer");
    (page.rows.iter().map(|row| row.id).collect(), page.next)
}

fn listed(place: &Place) {
    let mut store = place.open();
    let mut ids = Vec::new();
    for number in 0..30 {
        place.pass_ms(1_000);
        let account = match number % 3 {
            0 => None,
            1 => Some(AccountId(9)),
            _ => Some(ACCOUNT),
        };
        let kept = message(place, &store, account, PERSON + number % 2, "hello");
        ids.push((account, keep(place, &store, kept)));
        // Files are closed by messages that were sent, too.
        place.accept_one(&store, Lane::Standard, 48_700_000_000 + number);
    }
    let expected: Vec<_> =
        ids.iter().rev().filter(|(account, _)| *account == Some(ACCOUNT)).map(|(_, id)| *id).collect();
    for _ in 0..2 {
        place.rest(&store);
        let own = IncomingQuery::of(Some(ACCOUNT));
        assert_eq!(ask(place, &store, own.clone()), (expected.clone(), None));
        let (first, next) = ask(place, &store, IncomingQuery { limit: 4, ..own.clone() });
        assert_eq!((first, next), (expected[..4].to_vec(), Some(expected[3])));
        let on = IncomingQuery { after: next, limit: 100, ..own.clone() };
        assert_eq!(ask(place, &store, on), (expected[4..].to_vec(), None));
        let skipped = IncomingQuery { offset: 3, limit: 2, ..own.clone() };
        assert_eq!(ask(place, &store, skipped).0, expected[3..5]);
        assert_eq!(ask(place, &store, IncomingQuery::of(None)).0.len(), 10, "what nobody owns is there");
        let from_one = IncomingQuery { phone: Some(phone(PERSON)), ..own.clone() };
        assert_eq!(ask(place, &store, from_one).0.len(), 5);
        for (number, keyword, found) in [("2424", "ACME", 10), ("7070", "ACME", 0), ("2424", "OTHER", 0)] {
            let query = IncomingQuery { number: Some(number.into()), keyword: Some(keyword.into()), ..own.clone() };
            assert_eq!(ask(place, &store, query).0.len(), found);
        }
        let half = UnixMillis(Place::start().0 + 15_500);
        let early = ask(place, &store, IncomingQuery { to: Some(half), ..own.clone() }).0;
        let late = ask(place, &store, IncomingQuery { from: Some(half), ..own }).0;
        assert_eq!([late, early].concat(), expected);
        store = place.reopen(store);
    }
}

fn conversation(place: &Place) {
    let mut store = place.open();
    let mut expected = Vec::new();
    for number in 0..12 {
        place.pass_ms(1_000);
        let kept = message(place, &store, Some(ACCOUNT), PERSON, "question");
        expected.push(keep(place, &store, kept));
        let mut answer = place.request(&store, Lane::Standard, PERSON, 1);
        answer.sender = domain::sender::Sender::parse("2424").expect("a sender");
        expected.push(place.accept(&store, answer).id);
        // Neither another sender nor another person belongs to it.
        place.accept_one(&store, Lane::Standard, PERSON);
        let other = message(place, &store, Some(ACCOUNT), PERSON + 1 + number, "other");
        keep(place, &store, other);
    }
    expected.reverse();
    for _ in 0..2 {
        place.rest(&store);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let query =
                ConversationQuery { account: ACCOUNT, number: "2424".into(), phone: phone(PERSON), limit: 5, after };
            let page = place.run(store.conversation(query)).expect("an answer");
            found.extend(page.items.iter().map(ConversationItem::id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected);
        store = place.reopen(store);
    }
}

fn part(place: &Place, store: &Store, group: Option<MessageId>, number: u8) -> IncomingPart {
    let id = store.ids().next(Lane::Standard);
    IncomingPart {
        id,
        group: group.unwrap_or(id),
        carrier: CARRIER,
        at: place.clock.now(),
        source: PERSON.to_string().into(),
        destination: "2424".into(),
        place: PartPlace { kind: ReferenceKind::Sar, reference: 700, total: 2, number },
        letters: Letters::Gsm7(text::Shift { locking: None, single: Some(text::Language::Turkish) }),
        payload: Box::from([0, 65, 0, number]),
        raw: Box::from(*b"pdu"),
    }
}

fn parts(place: &Place) {
    let mut store = place.open();
    let open = part(place, &store, None, 1);
    let joined = [part(place, &store, None, 1), part(place, &store, None, 2)];
    let told = part(place, &store, None, 2);
    let facts = [&open, &joined[0], &joined[1], &told].map(|part| Fact::IncomingPart(Box::new(part.clone())));
    place.run(store.record(Lane::Standard, facts.to_vec())).expect("durable");
    let whole = Arc::new(message(place, &store, Some(ACCOUNT), PERSON, "AB"));
    let incomplete = IncomingMessage { missing: Box::new([1]), ..message(place, &store, Some(ACCOUNT), PERSON, "B") };
    let facts = vec![
        Fact::Incoming { message: whole, part_ids: joined.iter().map(|part| part.id).collect() },
        Fact::Incoming { message: Arc::new(incomplete), part_ids: Box::new([told.id]) },
        // Repeated by the operator: stays what it is.
        Fact::IncomingPart(Box::new(joined[0].clone())),
    ];
    place.run(store.record(Lane::Standard, facts)).expect("durable");
    for number in 0..20 {
        place.accept_one(&store, Lane::Standard, 48_700_000_000 + number);
    }
    for _ in 0..2 {
        place.rest(&store);
        let found = place.run(store.incoming_parts(Place::start(), 100)).expect("an answer");
        assert_eq!(found, [(open.clone(), false), (told.clone(), true)]);
        let newest = place.run(store.incoming_parts(Place::start(), 1)).expect("an answer");
        assert_eq!(newest, [(told.clone(), true)]);
        let later = place.run(store.incoming_parts(place.clock.now().plus_ms(1), 100)).expect("an answer");
        assert_eq!(later, []);
        store = place.reopen(store);
    }
}

fn unhandled(place: &Place) {
    let mut store = place.open();
    let left = IncomingMessage { handled: false, ..message(place, &store, Some(ACCOUNT), PERSON, "left") };
    let done = IncomingMessage { handled: false, ..message(place, &store, Some(ACCOUNT), PERSON, "done") };
    keep(place, &store, left.clone());
    let done = keep(place, &store, done);
    let other = message(place, &store, Some(ACCOUNT), PERSON, "nothing to do");
    keep(place, &store, other);
    place.run(store.record(Lane::Standard, vec![Fact::IncomingHandled { id: done }])).expect("durable");
    for number in 0..20 {
        place.accept_one(&store, Lane::Standard, 48_700_000_000 + number);
    }
    for _ in 0..2 {
        place.rest(&store);
        let found = place.run(store.incoming_unhandled(Place::start(), 100)).expect("an answer");
        assert_eq!(found, std::slice::from_ref(&left));
        store = place.reopen(store);
    }
    place.run(store.record(Lane::Standard, vec![Fact::IncomingHandled { id: left.id }])).expect("durable");
    assert_eq!(place.run(store.incoming_unhandled(Place::start(), 100)).expect("an answer"), []);
}

fn key(account: AccountId, number: u64, sender: &str) -> OptOutKey {
    OptOutKey { account, phone: phone(number), sender: sender.into() }
}

fn opt_outs(place: &Place) {
    let mut store = place.open();
    let out =
        |key: &OptOutKey, origin| PersonFact::OptedOut(OptOut { key: key.clone(), at: place.clock.now(), origin });
    let keys = [
        key(ACCOUNT, PERSON, ""),
        key(ACCOUNT, PERSON + 1, "2424"),
        key(ACCOUNT, PERSON + 1, "ACME"),
        key(AccountId(9), PERSON + 2, "2424"),
    ];
    let mut facts: Vec<_> = keys.iter().map(|key| out(key, OptOutOrigin::Person)).collect();
    facts.push(out(&keys[1], OptOutOrigin::Account));
    place.run(store.record_people(facts)).expect("durable");
    for _ in 0..2 {
        let is_out = |account, number, sender| store.is_opted_out(account, sender, phone(number));
        assert!(is_out(ACCOUNT, PERSON, "ACME") && is_out(ACCOUNT, PERSON, "2424"));
        assert!(is_out(ACCOUNT, PERSON + 1, "2424") && !is_out(ACCOUNT, PERSON + 1, "OTHER"));
        assert!(!is_out(ACCOUNT, PERSON + 2, "2424") && is_out(AccountId(9), PERSON + 2, "2424"));
        let all = store.opt_outs(ACCOUNT, None, 100);
        assert_eq!(all.iter().map(|entry| entry.key.clone()).collect::<Vec<_>>(), keys[..3]);
        assert_eq!(all[1].origin, OptOutOrigin::Person, "the first entry stays");
        assert_eq!(store.opt_outs(ACCOUNT, Some(&keys[1]), 100)[0].key, keys[2]);
        assert_eq!(store.opt_outs(ACCOUNT, None, 2).len(), 2);
        assert_eq!(store.opt_outs_of(ACCOUNT, phone(PERSON + 1)).len(), 2);
        assert_eq!(store.health().people[0], 4);
        store = place.reopen(store);
    }
    place.run(store.record_people(vec![PersonFact::OptedIn(keys[1].clone())])).expect("durable");
    for _ in 0..2 {
        assert!(!store.is_opted_out(ACCOUNT, "2424", phone(PERSON + 1)));
        assert!(store.is_opted_out(ACCOUNT, "ACME", phone(PERSON + 1)));
        store = place.reopen(store);
    }
}

fn talks(place: &Place) {
    let mut store = place.open();
    let talk = |number: u64, until: i64| Talk {
        key: TalkKey { account: ACCOUNT, number: "2424".into(), phone: phone(number) },
        position: Position {
            flow: "table".into(),
            step: "day".into(),
            answers: vec![("guests".into(), "4".into())],
            misses: 1,
        },
        until: UnixMillis(until),
        last: MessageId(64),
    };
    let [first, second] = [talk(PERSON, 2_000), talk(PERSON + 1, 1_000)];
    let facts = vec![PersonFact::Talks(first.clone()), PersonFact::Talks(second.clone())];
    place.run(store.record_people(facts)).expect("durable");
    for _ in 0..2 {
        assert_eq!(store.talk(&first.key).as_deref(), Some(&first));
        let due = |now| store.talks_due(UnixMillis(now), 10).iter().map(|talk| talk.key.clone()).collect::<Vec<_>>();
        assert_eq!((due(999), due(1_000)), (vec![], vec![second.key.clone()]));
        assert_eq!(due(5_000), [second.key.clone(), first.key.clone()]);
        let page = |account: AccountId, after: Option<&TalkKey>, limit: usize| {
            store.talks(account, after, limit).iter().map(|talk| talk.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(page(ACCOUNT, None, 10), [first.key.clone(), second.key.clone()]);
        assert_eq!(page(ACCOUNT, None, 1), std::slice::from_ref(&first.key));
        assert_eq!(page(ACCOUNT, Some(&first.key), 10), std::slice::from_ref(&second.key));
        assert_eq!(page(AccountId(ACCOUNT.0 + 1), None, 10), []);
        assert_eq!(page(AccountId(ACCOUNT.0 - 1), None, 10), [], "not the next account's either");
        store = place.reopen(store);
    }
    let later = Talk { until: UnixMillis(9_000), ..second };
    let facts = vec![PersonFact::TalkEnded(first.key.clone()), PersonFact::Talks(later)];
    place.run(store.record_people(facts)).expect("durable");
    for _ in 0..2 {
        assert_eq!(store.talk(&first.key), None);
        assert!(store.talks_due(UnixMillis(8_999), 10).is_empty());
        assert_eq!((store.talks_due(UnixMillis(9_000), 10).len(), store.health().people[1]), (1, 1));
        store = place.reopen(store);
    }
}
