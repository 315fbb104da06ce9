//! Receipts that never come, and operators that send one for a long message.

use std::collections::HashMap;

use domain::clock::{Clock, UnixMillis};
use domain::limits::RECEIPT_GRACE_MS;
use domain::state::{PARTIAL_EVIDENCE, Status};

use crate::place::{Place, until};
use crate::smsc::{Delivery, Reply, Smsc};

const START: UnixMillis = UnixMillis(1_800_000_000_000);
/// The longest validity, which is the default.
const VALIDITY_MS: i64 = 72 * 3_600_000;

/// One in twenty receipts never comes: unknown after validity and grace, and a late one still lifts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d9_dlr_never() {
    const COUNT: usize = 200;
    let smsc = Smsc::start(|submit| Reply::Take(format!("{:07}", submit.count))).await;
    let clock = Clock::manual(START);
    let place = Place::open_with(clock.clone(), &[(smsc.address, "48", "")]).await;
    let ids = place.send("hello", "485", 0, COUNT).await;
    until("all submits", || smsc.submit_count() == COUNT).await;
    let is_silent = |count: u64| count.is_multiple_of(20);
    for submit in smsc.submits().iter().filter(|submit| !is_silent(submit.count)) {
        smsc.deliver(Delivery::receipt(&format!("{:07}", submit.count), "DELIVRD"));
    }
    until("the receipts to be answered", || smsc.answered().0 == COUNT * 19 / 20).await;
    let silent: HashMap<_, _> = smsc
        .submits()
        .into_iter()
        .filter(|submit| is_silent(submit.count))
        .map(|submit| (submit.count, ids[&submit.destination]))
        .collect();
    assert_eq!(silent.len(), COUNT / 20);
    clock.set(START.plus_ms(VALIDITY_MS + RECEIPT_GRACE_MS - 60_000));
    place.all_are(silent.values(), &[Status::Sent]).await;
    clock.set(START.plus_ms(VALIDITY_MS + RECEIPT_GRACE_MS + 120_000));
    place.all_are(silent.values(), &[Status::Unknown]).await;
    for id in silent.values() {
        assert_eq!(&*place.message(*id).await.error, "no_receipt");
    }
    place.all_are(ids.values(), &[Status::Delivered, Status::Unknown]).await;
    // One more hour, and the operator does tell.
    clock.set(START.plus_ms(VALIDITY_MS + RECEIPT_GRACE_MS + 3_600_000));
    for count in silent.keys() {
        smsc.deliver(Delivery::receipt(&format!("{count:07}"), "DELIVRD"));
    }
    place.all_are(ids.values(), &[Status::Delivered]).await;
    let told = place.told(COUNT + COUNT / 20).await;
    assert!(told.values().all(|told| *told == [21] || *told == [24, 21]), "{told:?}");
    assert_eq!(told.values().filter(|told| told.len() == 2).count(), COUNT / 20);
    place.flow.stop().await;
}

/// Reports the parts that `reported` names of messages of three parts, with what it says of each.
async fn policy(keys: &str, reported: impl Fn(usize) -> Vec<(u8, &'static str)>) -> Vec<(Status, String, Vec<i64>)> {
    const COUNT: usize = 12;
    let smsc = Smsc::start(|submit| Reply::Take(format!("{}-{}", submit.destination, submit.part.0))).await;
    let clock = Clock::manual(START);
    let place = Place::open_with(clock.clone(), &[(smsc.address, "48", keys)]).await;
    let ids = place.send(&"a".repeat(400), "485", 0, COUNT).await;
    until("all submits", || smsc.submit_count() == COUNT * 3).await;
    assert!(
        smsc.submits().iter().all(|submit| submit.registered_delivery == 1),
        "receipts are asked for on every part"
    );
    let mut phones: Vec<_> = ids.keys().cloned().collect();
    phones.sort();
    let mut count = 0;
    for (index, phone) in phones.iter().enumerate() {
        for (part, stat) in reported(index) {
            smsc.deliver(Delivery::receipt(&format!("{phone}-{part}"), stat));
            count += 1;
        }
    }
    until("the receipts to be answered", || smsc.answered().0 == count).await;
    clock.set(START.plus_ms(VALIDITY_MS + RECEIPT_GRACE_MS + 120_000));
    let ends = [Status::Delivered, Status::Undelivered, Status::Unknown];
    place.all_are(ids.values(), &ends).await;
    let told = place.told(COUNT).await;
    let mut outcomes = Vec::new();
    for phone in &phones {
        let message = place.message(ids[phone]).await;
        outcomes.push((message.status, message.error.to_string(), told[phone].clone()));
    }
    // Whatever comes later is kept and told to nobody.
    for phone in &phones {
        smsc.deliver(Delivery::receipt(&format!("{phone}-2"), "UNDELIV"));
    }
    until("the late receipts to be answered", || smsc.answered().0 == count + COUNT).await;
    for (phone, (status, ..)) in phones.iter().zip(&outcomes) {
        let expected = if *status == Status::Unknown { Status::Undelivered } else { *status };
        assert_eq!(place.message(ids[phone]).await.status, expected, "{phone}");
    }
    place.flow.stop().await;
    outcomes
}

fn partial() -> (Status, String, Vec<i64>) {
    (Status::Delivered, PARTIAL_EVIDENCE.into(), vec![21])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e4_part_receipt_policies_first_only() {
    let outcomes = policy("long_receipts = \"first-part\"", |_| vec![(1, "DELIVRD")]).await;
    assert!(outcomes.iter().all(|outcome| *outcome == partial()), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e4_part_receipt_policies_last_only() {
    let outcomes = policy("long_receipts = \"last-part\"", |_| vec![(3, "DELIVRD")]).await;
    assert!(outcomes.iter().all(|outcome| *outcome == partial()), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e4_part_receipt_policies_mixed() {
    // Whole, in another order, failed in one part, reported in part, and not at all.
    let reported = |index: usize| match index % 4 {
        0 => vec![(3, "DELIVRD"), (1, "DELIVRD"), (2, "DELIVRD")],
        1 => vec![(2, "UNDELIV"), (1, "DELIVRD"), (3, "DELIVRD")],
        2 => vec![(1, "DELIVRD"), (3, "DELIVRD")],
        _ => Vec::new(),
    };
    for keys in ["", "long_receipts = \"last-part\""] {
        let outcomes = policy(keys, reported).await;
        for (index, outcome) in outcomes.iter().enumerate() {
            let expected = match index % 4 {
                0 => (Status::Delivered, "000".into(), vec![21]),
                1 => (Status::Undelivered, "000".into(), vec![22]),
                // Where every part is reported, silence about one is not delivery.
                2 if !keys.is_empty() => partial(),
                _ => (Status::Unknown, "no_receipt".into(), vec![24]),
            };
            assert_eq!(*outcome, expected, "{index} {keys}");
        }
    }
}
