//! Long messages: how they travel, and what becomes of them when a part does not get through.

use std::collections::HashMap;

use domain::state::{PartState, Status};
use store::question::MessageRecord;

use crate::place::{Place, until};
use crate::smsc::{Delivery, Reply, Smsc, Submit};

fn id_of(submit: &Submit) -> String {
    format!("{}-{}-{}", submit.destination, submit.part.0, submit.repeats)
}

/// Sends three parts in a way and gives them back as they came, delivered at the end.
async fn sent(keys: &str, text: &str) -> Vec<Submit> {
    let smsc = Smsc::start(|submit| Reply::Take(id_of(submit))).await;
    let place = Place::open(smsc.address, keys).await;
    let ids = place.send(text, "485", 0, 1).await;
    place.all_are(ids.values(), &[Status::Sent]).await;
    let submits = smsc.submits();
    for submit in &submits {
        smsc.deliver(Delivery::receipt(&id_of(submit), "DELIVRD"));
    }
    place.all_are(ids.values(), &[Status::Delivered]).await;
    let message = place.message(*ids.values().next().unwrap()).await;
    assert_eq!(message.parts.len(), 3, "three parts are priced in any case");
    assert!(message.parts.iter().all(|part| part.state == PartState::Delivered));
    assert_eq!(place.told(1).await.into_values().next(), Some(vec![21]));
    place.flow.stop().await;
    submits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_truly_travel_as_the_carrier_wants_them() {
    let text = "abcdefghij".repeat(40);
    for keys in ["long_messages = \"udh8\"", "long_messages = \"udh16\"", "long_messages = \"sar\""] {
        let submits = sent(keys, &text).await;
        let parts: Vec<_> = submits.iter().map(|submit| submit.part).collect();
        assert_eq!(parts, [(1, 3), (2, 3), (3, 3)], "{keys}");
        let references: std::collections::HashSet<_> = submits.iter().map(|submit| submit.reference).collect();
        assert_eq!(references.len(), 1, "{keys}");
        let joined: Vec<u8> = submits.iter().flat_map(|submit| submit.octets.clone()).collect();
        assert_eq!(String::from_utf8(joined).unwrap(), text, "{keys}");
        assert!(submits.iter().all(|submit| submit.has_sar == keys.contains("sar") && !submit.is_payload), "{keys}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payload_is_one_pdu_and_its_receipt_settles_all_parts() {
    let text = "abcdefghij".repeat(40);
    let submits = sent("long_messages = \"payload\"\nrate_per_second = 100", &text).await;
    assert_eq!(submits.len(), 1, "one PDU");
    assert!(submits[0].is_payload && submits[0].octets == text.as_bytes());
    let wide = sent("long_messages = \"payload\"", &"ż".repeat(140)).await;
    assert_eq!((wide.len(), wide[0].octets.len()), (1, 280));
    let failed = Smsc::start(|submit| Reply::Take(id_of(submit))).await;
    let place = Place::open(failed.address, "long_messages = \"payload\"").await;
    let ids = place.send(&text, "485", 0, 1).await;
    place.all_are(ids.values(), &[Status::Sent]).await;
    failed.deliver(Delivery::receipt(&id_of(&failed.submits()[0]), "UNDELIV"));
    place.all_are(ids.values(), &[Status::Undelivered]).await;
    place.flow.stop().await;
}

/// What happens to part k of n.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// RTHROTTLED once.
    Throttled,
    /// RSYSERR once.
    Later,
    /// RINVDSTADR.
    Rejected,
    /// The connection is cut instead of an answer, once.
    Lost,
    /// Taken, and its receipt says UNDELIV.
    Failed,
    /// Taken, and its receipt says UNKNOWN first.
    Unknown,
}

const FATES: [Fate; 6] = [Fate::Throttled, Fate::Later, Fate::Rejected, Fate::Lost, Fate::Failed, Fate::Unknown];

/// Every fate for every part of messages of so many parts.
async fn part_failure_matrix(parts: u8) {
    let cases: Vec<_> = (1..=parts).flat_map(|part| FATES.map(|fate| (parts, part, fate))).collect();
    let fates: HashMap<String, (u8, Fate)> =
        cases.iter().enumerate().map(|(index, (_, part, fate))| (format!("485{index:08}"), (*part, *fate))).collect();
    let scripted = fates.clone();
    let smsc = Smsc::start(move |submit| {
        let (part, fate) = scripted[&submit.destination];
        if submit.part.0 != part || (submit.repeats > 0 && fate != Fate::Rejected) {
            return Reply::Take(id_of(submit));
        }
        match fate {
            Fate::Throttled => Reply::Refuse(0x58),
            Fate::Later => Reply::Refuse(0x08),
            Fate::Rejected => Reply::Refuse(0x0b),
            Fate::Lost => Reply::Cut,
            Fate::Failed | Fate::Unknown => Reply::Take(id_of(submit)),
        }
    })
    .await;
    let place = Place::open(smsc.address, "binds = 1\npriority_binds = 0\nwindow = 1").await;
    let mut ids = HashMap::new();
    for (index, (parts, ..)) in cases.iter().enumerate() {
        ids.extend(place.send(&"a".repeat(usize::from(*parts) * 153), "485", index, 1).await);
    }
    place.all_are(ids.values(), &[Status::Sent, Status::Rejected]).await;
    let submits = smsc.submits();
    let mut reported = 0;
    for submit in &submits {
        let (part, fate) = fates[&submit.destination];
        let is_it = submit.part.0 == part;
        let stats: &[&str] = match fate {
            // Of a part whose answer was lost the operator knows both.
            Fate::Rejected => continue,
            Fate::Failed if is_it => &["UNDELIV"],
            Fate::Unknown if is_it => &["UNKNOWN", "DELIVRD"],
            Fate::Throttled | Fate::Later | Fate::Lost if is_it && submit.repeats == 0 => continue,
            _ => &["DELIVRD"],
        };
        for stat in stats {
            smsc.deliver(Delivery::receipt(&id_of(submit), stat));
            reported += 1;
        }
    }
    until("the receipts to be answered", || smsc.answered().0 == reported).await;
    let told = place.told(cases.len()).await;
    for (index, (_, part, fate)) in cases.iter().enumerate() {
        let phone = format!("485{index:08}");
        let own: Vec<_> = submits.iter().filter(|submit| submit.destination == phone).collect();
        check_case(*part, *fate, &place.message(ids[&phone]).await, &own, &told[&phone]);
    }
    place.flow.stop().await;
}

/// What became of a message of which one part met its fate.
fn check_case(part: u8, fate: Fate, message: &MessageRecord, own: &[&Submit], told: &[i64]) {
    let what = format!("part {part} of {}: {fate:?}", message.parts.len());
    let expected = match fate {
        Fate::Rejected => Status::Rejected,
        Fate::Failed => Status::Undelivered,
        _ => Status::Delivered,
    };
    assert_eq!(message.status, expected, "{what}");
    assert_eq!(told, [i64::from(expected.code())], "{what}: exactly one webhook");
    let references: std::collections::HashSet<_> = own.iter().map(|submit| submit.reference).collect();
    assert_eq!(references.len(), 1, "{what}: a part that is sent again keeps the reference");
    if fate == Fate::Rejected {
        assert!(own.iter().all(|submit| submit.part.0 <= part), "{what}: the rest is not sent");
        let taken = message.parts.iter().filter(|part| part.taken_at.is_some()).count();
        assert_eq!(taken, usize::from(part) - 1, "{what}");
        assert_eq!(message.parts[usize::from(part) - 1].state, PartState::Rejected);
        return;
    }
    let repeats = own.iter().filter(|submit| submit.repeats > 0).count();
    let again = matches!(fate, Fate::Throttled | Fate::Later | Fate::Lost);
    assert_eq!(repeats, usize::from(again), "{what}: that part again and no other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e3_part_failure_matrix() {
    part_failure_matrix(2).await;
    part_failure_matrix(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_e3_part_failure_matrix() {
    for parts in 4..=6 {
        part_failure_matrix(parts).await;
    }
}
