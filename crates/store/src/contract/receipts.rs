//! Receipts: found by the operator's id, kept when nobody is known, states only up.

use std::sync::Arc;

use domain::event::{Event, Payload};
use domain::fact::{Fact, MessageFact, ParkedReceipt};
use domain::id::{CarrierId, MessageId};
use domain::lane::Lane;
use domain::money::Money;
use domain::receipt::ReceiptState;
use domain::state::Status;

use super::fixture::{CARRIER, Case, Notes, Place, receipt, submitted};
use crate::question::ReceiptMatch;

pub(super) const CASES: &[(&str, Case)] = &[
    ("a_receipt_finds_its_part", finds_its_part),
    ("an_id_that_comes_again_means_the_newest_open_message", comes_again),
    ("a_receipt_without_a_message_is_parked", parked),
    ("states_only_move_up_and_each_move_is_told_once", only_up),
    ("the_history_explains_the_message", history),
    ("a_message_cut_short_says_what_its_parts_cost", cut_short),
];

fn forms(ids: &[&str]) -> Vec<Box<str>> {
    ids.iter().map(|id| Box::from(*id)).collect()
}

fn finds_its_part(place: &Place) {
    let mut store = place.open();
    let mut expected = Vec::new();
    for number in 0..40_u64 {
        let lane = if number % 2 == 0 { Lane::Priority } else { Lane::Standard };
        let mut request = place.request(&store, lane, 48_600_000_000 + number, 1);
        request.parts = if number % 3 == 0 { 2 } else { 1 };
        let request = place.accept(&store, request);
        for part in 1..=request.parts {
            expected.push((format!("id-{number}-{part}"), ReceiptMatch { id: request.id, part }));
        }
        place.pass_ms(10);
    }
    // Half of the hand-overs happen after the files were put in order.
    for (round, half) in expected.chunks(expected.len() / 2 + 1).enumerate() {
        for (operator_id, found) in half {
            place.fact(&store, found.id, submitted(found.part, operator_id));
        }
        if round == 0 {
            place.rest(&store);
        }
    }
    for _ in 0..3 {
        for (operator_id, found) in &expected {
            let found = || Some(found.clone());
            assert_eq!(place.run(store.match_receipt(CARRIER, &forms(&[operator_id]))), Ok(vec![found()]));
            let both = place.run(store.match_receipt(CARRIER, &forms(&["ffff", operator_id])));
            assert_eq!(both, Ok(vec![None, found()]), "an answer for each form");
            assert_eq!(place.run(store.match_receipt(CarrierId(99), &forms(&[operator_id]))), Ok(vec![None]));
            let at_once = store.match_at_once(CARRIER, operator_id);
            assert!(at_once.is_none() || at_once == found(), "what is known at once is true");
            assert_eq!(store.match_at_once(CarrierId(99), operator_id), None);
        }
        assert_eq!(place.run(store.match_receipt(CARRIER, &forms(&["nobody", "knows"]))), Ok(vec![None, None]));
        assert_eq!(place.run(store.match_receipt(CARRIER, &[])), Ok(vec![]));
        place.rest(&store);
        store = place.reopen(store);
    }
}

fn comes_again(place: &Place) {
    let mut store = place.open();
    let mut ids = Vec::new();
    for number in 0..4 {
        let lane = if number % 2 == 0 { Lane::Priority } else { Lane::Standard };
        let id = place.accept_one(&store, lane, 48_600_000_000 + number);
        place.fact(&store, id, submitted(1, "77"));
        ids.push(id);
        place.pass_ms(10);
        if number == 1 {
            place.rest(&store);
            store = place.reopen(store);
        }
    }
    // The newest without an outcome, and when all have theirs, the newest.
    let mut open = ids.clone();
    while let Some(newest) = open.pop() {
        let found = ReceiptMatch { id: newest, part: 1 };
        assert_eq!(place.run(store.match_receipt(CARRIER, &forms(&["77"]))), Ok(vec![Some(found)]));
        place.fact(&store, newest, receipt(1, ReceiptState::Delivered));
        if open.len() == 2 {
            place.rest(&store);
            store = place.reopen(store);
        }
    }
    let newest = ReceiptMatch { id: ids[3], part: 1 };
    assert_eq!(place.run(store.match_receipt(CARRIER, &forms(&["77"]))), Ok(vec![Some(newest)]));
}

fn parked(place: &Place) {
    let mut store = place.open();
    assert!(!store.has_parked());
    let park = |number: u8, ids: &[&str]| ParkedReceipt {
        id: store.ids().next(Lane::Standard),
        carrier: CARRIER,
        canonical_ids: forms(ids).into_iter().collect(),
        at: place.clock.now(),
        state: ReceiptState::Delivered,
        error: "000".into(),
        done_at: Some(place.clock.now()),
        raw: Box::from([number, 0, 255]),
    };
    let receipts = [park(1, &["17", "23"]), park(2, &["17"]), park(3, &["44"])];
    let facts = receipts.iter().cloned().map(Fact::ReceiptParked).collect();
    place.run(store.record(Lane::Standard, facts)).expect("durable");
    for _ in 0..3 {
        assert!(store.has_parked());
        assert_eq!(place.run(store.parked(CARRIER, "17")), Ok(receipts[..2].to_vec()));
        assert_eq!(place.run(store.parked(CARRIER, "23")), Ok(receipts[..1].to_vec()));
        assert_eq!(place.run(store.parked(CarrierId(8), "17")), Ok(Vec::new()));
        let page = |after, limit| place.run(store.parked_after(after, limit));
        assert_eq!(page(MessageId(0), 2), Ok(receipts[..2].to_vec()));
        assert_eq!(page(receipts[1].id, 2), Ok(receipts[2..].to_vec()));
        assert_eq!(page(receipts[2].id, 2), Ok(Vec::new()));
        place.rest(&store);
        store = place.reopen(store);
    }
    for receipt in &receipts {
        place
            .run(store.record(Lane::Standard, vec![Fact::ReceiptUnparked { parked_id: receipt.id }]))
            .expect("durable");
    }
    for _ in 0..2 {
        assert!(!store.has_parked());
        assert_eq!(place.run(store.parked(CARRIER, "17")), Ok(Vec::new()));
        store = place.reopen(store);
    }
}

fn only_up(place: &Place) {
    let mut store = place.open();
    let notes = Arc::new(Notes::default());
    store.watch(Arc::<Notes>::clone(&notes));
    let id = place.accept_one(&store, Lane::Standard, 48_600_000_000);
    place.fact(&store, id, submitted(1, "op"));
    for state in [ReceiptState::Enroute, ReceiptState::Undelivered, ReceiptState::Undelivered, ReceiptState::Expired] {
        place.fact(&store, id, receipt(1, state));
    }
    place.rest(&store);
    place.fact(&store, id, receipt(1, ReceiptState::Delivered));
    place.fact(&store, id, receipt(1, ReceiptState::Undelivered));
    place.fact(&store, id, MessageFact::NoReceipt { one_is_enough: true });
    place.fact(&store, id, MessageFact::Cancelled);
    let moves = notes.moves();
    let moved: Vec<_> = moves.iter().map(|moved| (moved.from, moved.to)).collect();
    let expected =
        [(Status::New, Status::Sent), (Status::Sent, Status::Undelivered), (Status::Undelivered, Status::Delivered)];
    assert_eq!(moved, expected);
    assert!(moves[0].event.is_none());
    let (first, second) = (moves[1].event.clone().expect("an event"), moves[2].event.clone().expect("an event"));
    assert!(second.id > first.id && first.id.message == id);
    let told = |event: &Event| match &event.payload {
        Payload::Status(report) => report.status,
        other => panic!("expected a delivery report, got {other:?}"),
    };
    assert_eq!((told(&first), told(&second)), (Status::Undelivered, Status::Delivered));
    for _ in 0..2 {
        assert_eq!(place.run(store.message(id)).expect("an answer").expect("a message").status, Status::Delivered);
        store = place.reopen(store);
        place.fact(&store, id, receipt(1, ReceiptState::Rejected));
    }
}

fn history(place: &Place) {
    let mut store = place.open();
    let id = place.accept_one(&store, Lane::Standard, 48_600_000_000);
    let refused = MessageFact::Refused { part: 1, carrier: CARRIER, command_status: 0x58, is_final: false };
    for what in [
        refused,
        MessageFact::Unanswered { part: 1, carrier: CARRIER, is_repeated: true },
        submitted(1, "op-1"),
        receipt(1, ReceiptState::Delivered),
    ] {
        place.pass_ms(1000);
        place.fact(&store, id, what);
    }
    for _ in 0..2 {
        let steps = place.run(store.history(id)).expect("an answer");
        let told: Vec<_> = steps.iter().map(|step| (&*step.kind, &*step.detail, step.status)).collect();
        let expected = [
            ("refused", "0x0058", None),
            ("unanswered", "repeated", None),
            ("submitted", "op-1", Some(Status::Sent)),
            ("receipt", "000", Some(Status::Delivered)),
        ];
        assert_eq!(told, expected);
        assert_eq!(&*steps[3].raw, b"id:1 stat:DELIVRD");
        assert!(steps.iter().all(|step| step.carrier == Some(CARRIER) && step.part == 1));
        place.rest(&store);
        store = place.reopen(store);
    }
    assert_eq!(place.run(store.history(id.offset(1))), Ok(Vec::new()));
}

fn cut_short(place: &Place) {
    let mut store = place.open();
    let notes = Arc::new(Notes::default());
    store.watch(Arc::<Notes>::clone(&notes));
    let mut request = place.request(&store, Lane::Standard, 48_600_000_000, 1);
    request.parts = 5;
    request.messages[0].price = Money(3_500);
    let id = place.accept(&store, request).id;
    place.fact(&store, id, submitted(1, "op-1"));
    place.fact(&store, id, submitted(2, "op-2"));
    let refused = MessageFact::Refused { part: 3, carrier: CARRIER, command_status: 0x0b, is_final: true };
    place.fact(&store, id, refused.clone());
    place.fact(&store, id, refused);
    let event = notes.moves().pop().and_then(|moved| moved.event).expect("the outcome is told");
    for _ in 0..2 {
        let steps = place.run(store.history(id)).expect("an answer");
        let of_kind =
            |kind: &str| steps.iter().filter(|step| &*step.kind == kind).map(|step| &*step.detail).collect::<Vec<_>>();
        assert_eq!(of_kind("parts_taken"), ["2 of 5 parts, 0.1400 of 0.3500"]);
        assert_eq!((of_kind("refused").len(), event.id.message), (2, id));
        store = place.reopen(store);
    }
}
