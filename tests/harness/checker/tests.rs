//! The judge itself: a clean run passes, and each single lie is found under its own name.

use super::*;
use crate::dump::Shown;
use crate::ledger::{Asked, Outcome};
use crate::operator::{ReceiptGiven, Submitted};
use crate::sink::Told;
use crate::spans::Stored;

/// Two tenants, one message each, delivered, told, shown and stored.
fn clean() -> Evidence {
    let mut evidence = Evidence { in_flight_max: 1, settled: true, all_told: true, ..Evidence::default() };
    let mut stored = Vec::new();
    for (account, phone) in [("acme", "48500000001"), ("globex", "48500000002")] {
        let (account, phone, external_id) = (account.to_owned(), phone.to_owned(), format!("{account}-1"));
        evidence.asked.push(Asked {
            account: account.clone(),
            external_id: external_id.clone(),
            phone: phone.clone(),
            text: "hello".into(),
            outcome: Outcome::Kept,
            answered_id: Some(external_id.clone()),
        });
        evidence.submitted.push(Submitted {
            source: "X".into(),
            destination: phone.clone(),
            part: (1, 1),
            text: "hello".into(),
            operator_id: format!("op-{account}"),
            crashes_before: 0,
        });
        evidence.receipts.push(ReceiptGiven {
            destination: phone.clone(),
            operator_id: format!("op-{account}"),
            word: "DELIVRD",
            acknowledged: true,
        });
        evidence.told.push(Told {
            account: account.clone(),
            event_id: format!("event-{account}"),
            external_id: external_id.clone(),
            phone: phone.clone(),
            status: 21,
            url: String::new(),
            message: String::new(),
            complete: false,
            seq: None,
            request_id: "r".into(),
            answered: 200,
        });
        evidence.shown.push(Shown { account, external_id, phone: phone.clone(), status: 21, text: "hello".into() });
        stored.push(Stored { phone, status: 21, text: "hello".into() });
    }
    evidence.stored = Some(stored);
    evidence
}

fn found(change: impl FnOnce(&mut Evidence)) -> Vec<Invariant> {
    let mut evidence = clean();
    change(&mut evidence);
    let mut found: Vec<Invariant> = judge(&evidence).into_iter().map(|breach| breach.invariant).collect();
    found.dedup();
    found
}

#[test]
fn a_clean_run_has_no_breach() {
    assert_eq!(judge(&clean()), []);
    assert_eq!(verdict(&[]), None);
}

#[test]
fn a_lost_message_is_found_wherever_it_is_missing() {
    use Invariant::NothingLost;
    assert_eq!(found(|e| drop(e.shown.remove(0))), [NothingLost]);
    assert_eq!(found(|e| drop(e.stored.as_mut().map(|stored| stored.remove(0)))), [NothingLost]);
    assert_eq!(found(|e| drop(e.submitted.remove(0))), [NothingLost]);
    assert_eq!(found(|e| drop(e.told.remove(0))), [NothingLost]);
    assert_eq!(
        found(|e| {
            e.shown[0].status = 1;
            e.told.remove(0);
            e.receipts.clear();
        }),
        [NothingLost]
    );
}

#[test]
fn made_up_and_refused_messages_are_found_at_the_operator() {
    use Invariant::NothingMadeUp;
    assert!(found(|e| e.submitted[0].destination = "48999".into()).contains(&NothingMadeUp));
    assert_eq!(found(|e| e.asked[0].outcome = Outcome::Refused(422)), [NothingMadeUp]);
    assert_eq!(found(|e| e.asked[0].outcome = Outcome::Unanswered), []);
}

#[test]
fn a_message_that_is_there_twice_is_found() {
    assert_eq!(found(|e| e.shown.push(e.shown[0].clone())), [Invariant::UnansweredOnceAtMost]);
}

#[test]
fn duplicates_need_a_crash_and_a_window() {
    let again = |e: &mut Evidence, index: usize, crashes: u32| {
        let mut submit = e.submitted[index].clone();
        submit.crashes_before = crashes;
        e.submitted.push(submit);
    };
    assert_eq!(found(|e| again(e, 0, 0)), [Invariant::DuplicatesBounded]);
    assert_eq!(found(|e| again(e, 0, 1)), []);
    assert_eq!(
        found(|e| {
            again(e, 0, 1);
            again(e, 1, 1);
        }),
        [Invariant::DuplicatesBounded]
    );
    assert_eq!(
        found(|e| {
            again(e, 0, 1);
            again(e, 1, 2);
        }),
        [Invariant::DuplicatesBounded],
        "both were in flight at the first crash"
    );
    assert_eq!(
        found(|e| {
            e.submitted[1].crashes_before = 1;
            again(e, 0, 2);
            again(e, 1, 2);
        }),
        [],
        "one was in flight at each crash, both waited until after the second"
    );
}

#[test]
fn states_that_fall_and_events_that_change_are_found() {
    use Invariant::StatesMoveUp;
    let more = |e: &mut Evidence, id: &str, status: u64| {
        let mut told = e.told[0].clone();
        (told.event_id, told.status) = (id.into(), status);
        e.told.push(told);
    };
    assert_eq!(found(|e| more(e, "event-acme", 21)), [], "a repeated call");
    assert_eq!(found(|e| more(e, "other", 21)), [StatesMoveUp]);
    assert_eq!(found(|e| more(e, "other", 22)), [StatesMoveUp]);
    assert_eq!(found(|e| more(e, "event-globex", 21)), [StatesMoveUp]);
    assert_eq!(
        found(|e| {
            e.told[0].status = 22;
            more(e, "late", 21);
        }),
        [],
        "a late delivery"
    );
    assert!(found(|e| e.shown[0].status = 2).contains(&StatesMoveUp));
}

#[test]
fn another_text_is_found() {
    assert_eq!(found(|e| e.submitted[0].text = "hallo".into()), [Invariant::TextEqual]);
    assert_eq!(found(|e| e.shown[0].text = "hallo".into()), [Invariant::TextEqual]);
}

#[test]
fn a_forgotten_receipt_is_found() {
    assert_eq!(
        found(|e| {
            e.shown[0].status = 24;
            e.told[0].status = 24;
        }),
        [Invariant::ReceiptsStored]
    );
}

#[test]
fn a_neighbours_message_is_found() {
    use Invariant::TenantsApart;
    assert_eq!(found(|e| e.asked[0].answered_id = Some("globex-1".into())), [TenantsApart]);
    assert_eq!(found(|e| e.told[0].account = "globex".into()), [TenantsApart]);
    assert_eq!(found(|e| e.shown[0].account = "globex".into()), [TenantsApart]);
}
