//! How receipts come.

use std::collections::BTreeSet;
use std::time::Duration;

use simulator::operator::{Behaviour, IdFormat, Outcome, ReceiptForm};
use smpp::CommandStatus;
use smpp::pdu::BindMode;

use super::esme::{Esme, Seen};
use super::{numbers, operator};

fn answered_ids(seen: &[Seen]) -> Vec<String> {
    let id = |seen: &Seen| match seen {
        Seen::Answer(_, 0, id) => Some(id.clone()),
        _ => None,
    };
    seen.iter().filter_map(id).collect()
}

#[tokio::test]
async fn every_message_gets_its_receipt_and_its_acknowledgement_is_noted() {
    let operator = operator(Behaviour { receipt_ms: 20, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(50));
    let receipts = esme.receipts(50).await;
    let ids: BTreeSet<_> = receipts.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(ids, answered_ids(&esme.seen()).into_iter().collect());
    assert!(receipts.iter().all(|(_, stat)| stat == "DELIVRD"));
    assert!(operator.ledger().wait_for(Duration::from_secs(5), |ledger| ledger.acknowledged_ids().len() == 50).await);
    assert_eq!(operator.waiting(), 0);
}

#[tokio::test]
async fn an_early_receipt_comes_before_its_answer() {
    let operator = operator(Behaviour { early_per_mille: 1000, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(1));
    let seen = esme.until(|seen| seen.len() == 2).await;
    assert!(matches!(seen[0], Seen::Receipt { .. }) && matches!(seen[1], Seen::Answer(1, 0, _)), "{seen:?}");
}

#[tokio::test]
async fn ids_differ_between_answer_and_receipt_as_ordered() {
    let behaviour = Behaviour { id_format: IdFormat::HexadecimalInResponse, ..Behaviour::default() };
    let operator = operator(behaviour).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(1));
    let receipts = esme.receipts(1).await;
    let answered = answered_ids(&esme.until(|seen| seen.len() == 2).await);
    assert_ne!(receipts[0].0, answered[0]);
    assert_eq!(u64::from_str_radix(&answered[0], 16).unwrap(), receipts[0].0.parse::<u64>().unwrap());
}

#[tokio::test]
async fn a_receipt_may_stand_in_parameters_only() {
    let behaviour = Behaviour { receipt_form: ReceiptForm::Tlv, failed_per_mille: 1000, ..Behaviour::default() };
    let operator = operator(Behaviour { failures: vec![Outcome::Expired], ..behaviour }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(1));
    esme.receipts(1).await;
    let is_expired = |seen: &Seen| matches!(seen, Seen::Receipt { stat, state: Some(3), .. } if stat.is_empty());
    assert!(esme.seen().iter().any(is_expired), "{:?}", esme.seen());
}

#[tokio::test]
async fn magic_recipients_end_as_the_table_says() {
    let operator = operator(Behaviour::default()).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    let recipients = ["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0009", "0012", "0014", "0015"];
    esme.send(recipients.map(|digits| format!("4850000{digits}")));
    let mut stats: Vec<String> = esme.receipts(9).await.into_iter().map(|(_, stat)| stat).collect();
    stats.sort_unstable();
    let expected = ["DELIVRD", "DELIVRD", "DELIVRD", "DELIVRD", "ENROUTE", "EXPIRED", "REJECTD", "UNDELIV", "UNKNOWN"];
    assert_eq!(stats, expected);
    let refused: Vec<_> =
        esme.answers(11).await.into_iter().filter_map(|(_, status)| status.filter(|&s| s != 0)).collect();
    assert_eq!(refused, [0x0b, 0x0a, 0x14]);
}

#[tokio::test]
async fn receipts_come_twice_late_or_never() {
    let behaviour =
        Behaviour { duplicates_per_mille: 500, missing_per_mille: 500, reorder_ms: 50, ..Behaviour::default() };
    let operator = operator(behaviour).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(200));
    esme.answers(200).await;
    let all_sent = operator.ledger().wait_for(Duration::from_secs(5), |_| operator.waiting() == 0).await;
    assert!(all_sent);
    let sent = operator.ledger().sent_receipts();
    let receipts = esme.receipts(sent.len()).await;
    let ids: BTreeSet<_> = receipts.iter().map(|(id, _)| id).collect();
    assert!((60..140).contains(&ids.len()), "about half of them are missing: {}", ids.len());
    assert!(receipts.len() > ids.len() + 20, "about half come twice: {} of {}", receipts.len(), ids.len());
    let mut ordered: Vec<_> = receipts.iter().map(|(id, _)| id.parse::<u64>().unwrap()).collect();
    let as_they_came = ordered.clone();
    ordered.sort_unstable();
    assert_ne!(as_they_came, ordered, "they overtake each other");
}

#[tokio::test]
async fn what_is_not_acknowledged_is_sent_again() {
    let operator = operator(Behaviour::default()).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.answer_deliveries_with(CommandStatus::RX_T_APPN);
    esme.send(numbers(1));
    let receipts = esme.receipts(2).await;
    assert_eq!(receipts[0], receipts[1]);
    esme.answer_deliveries_with(CommandStatus::ROK);
    assert!(operator.ledger().wait_for(Duration::from_secs(5), |ledger| ledger.acknowledged_ids().len() == 1).await);
}

#[tokio::test]
async fn receipts_wait_for_a_receiving_session() {
    let operator = operator(Behaviour::default()).await;
    let mut sender = Esme::connect_as(operator.address.port(), BindMode::Transmitter).await;
    sender.send(numbers(3));
    sender.answers(3).await;
    assert_eq!(operator.waiting(), 3);
    let receiver = Esme::connect_as(operator.address.port(), BindMode::Receiver).await;
    assert_eq!(receiver.receipts(3).await.len(), 3);
    assert_eq!(sender.seen().len(), 3, "a transmitter gets no receipts");
}
