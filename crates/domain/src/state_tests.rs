//! What facts make of a message.

use crate::clock::UnixMillis;
use crate::fact::MessageFact;
use crate::id::CarrierId;
use crate::receipt::ReceiptState;
use crate::state::{Change, NO_RECEIPT, PARTIAL_EVIDENCE, PartState, Progress, Status};

const AT: UnixMillis = UnixMillis(1_800_000_000_000);

fn submitted(part: u8) -> MessageFact {
    let id: Box<str> = format!("id{part}").into();
    MessageFact::Submitted { part, carrier: CarrierId(1), operator_id: id.clone(), canonical_id: id }
}

fn receipt(part: u8, state: ReceiptState) -> MessageFact {
    let error = if state == ReceiptState::Delivered { "000" } else { "021" };
    MessageFact::Receipt { part, carrier: CarrierId(1), state, error: error.into(), done_at: None, raw: Box::default() }
}

fn after(parts: u8, facts: &[MessageFact]) -> Progress {
    let mut progress = Progress::new(parts, AT);
    for fact in facts {
        progress.apply(fact, AT);
    }
    progress
}

#[test]
fn one_part_goes_from_new_over_sent_to_delivered() {
    let mut progress = Progress::new(1, AT);
    assert_eq!(progress.apply(&submitted(1), AT).moved_from, Some(Status::New));
    assert_eq!(progress.apply(&receipt(1, ReceiptState::Accepted), AT).moved_from, None);
    assert_eq!(progress.apply(&receipt(1, ReceiptState::Delivered), AT).moved_from, Some(Status::Sent));
    assert_eq!(progress.status, Status::Delivered);
    assert_eq!(progress.apply(&receipt(1, ReceiptState::Delivered), AT), Change::default());
}

#[test]
fn a_long_message_is_delivered_when_all_its_parts_are() {
    let mut facts = vec![submitted(1), submitted(2), submitted(3)];
    facts.extend([2, 1].map(|part| receipt(part, ReceiptState::Delivered)));
    assert_eq!(after(3, &facts).status, Status::Sent);
    facts.push(receipt(3, ReceiptState::Delivered));
    assert_eq!(after(3, &facts).status, Status::Delivered);
}

#[test]
fn the_first_part_that_fails_decides_and_a_late_delivery_still_lifts() {
    let mut facts = vec![submitted(1), submitted(2), receipt(2, ReceiptState::Undelivered)];
    assert_eq!(after(2, &facts).status, Status::Undelivered);
    facts.push(receipt(1, ReceiptState::Expired));
    assert_eq!(after(2, &facts).status, Status::Undelivered);
    facts.extend([1, 2].map(|part| receipt(part, ReceiptState::Delivered)));
    assert_eq!(after(2, &facts).status, Status::Delivered);
}

#[test]
fn a_refusal_before_anything_left_gives_the_price_back() {
    let refused = MessageFact::Refused { part: 1, carrier: CarrierId(1), command_status: 0x0b, is_final: true };
    let mut progress = Progress::new(1, AT);
    let change = progress.apply(&refused, AT);
    assert!(change.refund);
    assert_eq!((progress.status, &*progress.error), (Status::Rejected, "0x000b"));
    let mut half_sent = after(2, &[submitted(1)]);
    let refused = MessageFact::Refused { part: 2, carrier: CarrierId(1), command_status: 0x0b, is_final: true };
    assert!(!half_sent.apply(&refused, AT).refund);
    assert_eq!(half_sent.status, Status::Rejected);
}

#[test]
fn what_has_left_is_not_cancelled() {
    assert_eq!(after(2, &[submitted(1), MessageFact::Cancelled]).status, Status::New);
    assert_eq!(after(1, &[MessageFact::Cancelled]).status, Status::Cancelled);
}

#[test]
fn what_has_left_is_not_purged_and_what_waits_is_rejected_and_refunded() {
    let purged = || MessageFact::Purged { reason: "the operator is gone".into() };
    assert_eq!(after(2, &[submitted(1), purged()]).status, Status::New);
    let mut waiting = Progress::new(1, AT);
    let change = waiting.apply(&purged(), AT);
    assert_eq!((waiting.status, &*waiting.error, change.refund), (Status::Rejected, "purged", true));
}

#[test]
fn a_message_is_sent_only_when_all_parts_are_taken() {
    assert_eq!(after(2, &[submitted(2)]).status, Status::New);
    assert_eq!(after(2, &[submitted(2), submitted(1)]).status, Status::Sent);
}

#[test]
fn a_part_in_doubt_counts_as_sent_and_a_late_answer_or_receipt_ends_the_doubt() {
    let intended = MessageFact::Intended { part: 1, carrier: CarrierId(1) };
    let doubt = MessageFact::Unanswered { part: 1, carrier: CarrierId(1), is_repeated: false };
    let mut progress = after(1, std::slice::from_ref(&intended));
    assert_eq!((progress.status, progress.any_taken()), (Status::New, true));
    assert_eq!(progress.apply(&MessageFact::Cancelled, AT), Change::default(), "it may be on its way");
    assert_eq!(progress.apply(&doubt, AT).moved_from, Some(Status::New));
    assert_eq!((progress.status, progress.parts[0].state), (Status::Sent, PartState::InDoubt));
    assert_eq!(after(1, &[doubt.clone(), submitted(1)]).parts[0].state, PartState::Sent);
    assert_eq!(after(1, &[submitted(1), doubt.clone()]).parts[0].state, PartState::Sent);
    assert_eq!(after(1, &[doubt.clone(), receipt(1, ReceiptState::Delivered)]).status, Status::Delivered);
    let ended = MessageFact::Ended { status: Status::Unknown, reason: "no_receipt" };
    let mut unknown = after(1, &[intended.clone(), doubt]);
    let change = unknown.apply(&ended, AT);
    assert_eq!((unknown.status, change.refund), (Status::Unknown, false));
    let not_sent = MessageFact::NotSent { part: 1 };
    let again = after(1, &[intended.clone(), not_sent, MessageFact::Cancelled]);
    assert_eq!(again.status, Status::Cancelled, "it was not sent after all");
    let refused = MessageFact::Refused { part: 1, carrier: CarrierId(1), command_status: 0x58, is_final: false };
    assert_eq!(after(1, &[intended, refused]).parts[0].state, PartState::Waiting);
}

#[test]
fn unknown_words_keep_waiting() {
    let waiting = after(1, &[submitted(1), receipt(1, ReceiptState::Unknown)]);
    assert_eq!(waiting.status, Status::Sent);
}

#[test]
fn one_receipt_is_enough_only_where_the_carrier_sends_no_more() {
    let some = [submitted(1), submitted(2), submitted(3), receipt(1, ReceiptState::Delivered)];
    let silent = |one_is_enough| MessageFact::NoReceipt { one_is_enough };
    let end = |facts: &[MessageFact], last| {
        let progress = after(3, &[facts, &[last]].concat());
        (progress.status, progress.error.to_string())
    };
    assert_eq!(end(&some, silent(true)), (Status::Delivered, PARTIAL_EVIDENCE.into()));
    assert_eq!(end(&some, silent(false)), (Status::Unknown, NO_RECEIPT.into()));
    assert_eq!(end(&some[..3], silent(true)).0, Status::Unknown, "no part is known to be delivered");
    assert_eq!(end(&[&some[..2], &some[3..]].concat(), silent(true)).0, Status::Unknown, "a part never left");
    let failed = [&some[..], &[receipt(2, ReceiptState::Expired)]].concat();
    assert_eq!(end(&failed, silent(true)).0, Status::Expired);
}

#[test]
fn what_is_said_of_one_id_is_said_of_all_parts_that_have_it() {
    let whole = |part| MessageFact::Submitted {
        part,
        carrier: CarrierId(1),
        operator_id: "W".into(),
        canonical_id: "w".into(),
    };
    let mut progress = after(3, &[whole(1), whole(2), whole(3)]);
    assert_eq!(progress.status, Status::Sent);
    let change = progress.apply(&receipt(2, ReceiptState::Delivered), AT);
    assert_eq!((change.parts, progress.status), (0b111, Status::Delivered));
    let mut nameless = after(2, &[]);
    for part in [1, 2] {
        let (operator_id, canonical_id) = Default::default();
        nameless.apply(&MessageFact::Submitted { part, carrier: CarrierId(1), operator_id, canonical_id }, AT);
    }
    assert_eq!(nameless.apply(&receipt(1, ReceiptState::Delivered), AT).parts, 0b1, "no id is no name");
}

#[test]
fn no_pair_of_states_ever_moves_down() {
    for from in Status::ALL {
        assert!(!from.may_become(from));
        for to in Status::ALL {
            assert!(!(from.may_become(to) && to.may_become(from)), "{from:?} {to:?}");
        }
        assert!(!from.may_become(Status::New) && !Status::Delivered.may_become(from));
    }
    for late in [Status::Undelivered, Status::Expired, Status::Unknown] {
        assert!(late.may_become(Status::Delivered));
    }
}

fn any_fact() -> impl proptest::strategy::Strategy<Value = MessageFact> {
    use proptest::prelude::*;
    let states = prop_oneof![
        Just(ReceiptState::Enroute),
        Just(ReceiptState::Accepted),
        Just(ReceiptState::Unknown),
        Just(ReceiptState::Expired),
        Just(ReceiptState::Deleted),
        Just(ReceiptState::Undelivered),
        Just(ReceiptState::Rejected),
        Just(ReceiptState::Delivered)
    ];
    prop_oneof![
        (0_u8..5).prop_map(submitted),
        (0_u8..5, states).prop_map(|(part, state)| receipt(part, state)),
        (0_u8..5, any::<bool>()).prop_map(|(part, is_final)| MessageFact::Refused {
            part,
            carrier: CarrierId(1),
            command_status: 8,
            is_final
        }),
        (0_u8..5).prop_map(|part| MessageFact::Intended { part, carrier: CarrierId(1) }),
        (0_u8..5).prop_map(|part| MessageFact::NotSent { part }),
        (0_u8..5, any::<bool>()).prop_map(|(part, is_repeated)| MessageFact::Unanswered {
            part,
            carrier: CarrierId(1),
            is_repeated
        }),
        Just(MessageFact::Cancelled),
        Just(MessageFact::Rerouted { carrier: CarrierId(2), reason: "down".into() }),
        Just(MessageFact::Purged { reason: "by mistake".into() }),
        Just(MessageFact::Ended { status: Status::Expired, reason: "validity_over" }),
        any::<bool>().prop_map(|one_is_enough| MessageFact::NoReceipt { one_is_enough }),
    ]
}

proptest::proptest! {
    #[test]
    fn any_order_of_facts_only_moves_up(parts in 1_u8..4, facts in proptest::collection::vec(any_fact(), 0..40)) {
        let mut progress = Progress::new(parts, AT);
        for fact in &facts {
            let before = progress.status;
            let change = progress.apply(fact, AT);
            match change.moved_from {
                Some(from) => proptest::prop_assert!(from == before && from.may_become(progress.status)),
                None => proptest::prop_assert_eq!(before, progress.status),
            }
        }
        let again = facts.iter().fold(progress.clone(), |mut state, fact| { state.apply(fact, AT); state });
        proptest::prop_assert!(progress.status == again.status || progress.status.may_become(again.status));
    }
}
