//! What goes wrong on order: connections, time, congestion, unusual receipts, messages that come by themselves.

use std::io::ErrorKind;
use std::time::Duration;

use simulator::operator::{Behaviour, Incoming, ReceiptForm, Span, scenario, scenario_names};
use smpp::client::{BindError, ClientSession, connect};
use smpp::pdu::BindMode;
use smpp::session::{SessionEnd, SessionOptions};

use super::esme::{Esme, Seen, bind};
use super::{numbers, operator};

#[tokio::test]
async fn a_reset_cuts_without_an_orderly_end() {
    let behaviour = Behaviour { disconnect_after: 5, cut_with_reset: true, answer_ms: 60_000, ..Behaviour::default() };
    let operator = operator(behaviour).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(5));
    assert_eq!(esme.answers(5).await, (1..=5).map(|token| (token, None)).collect::<Vec<_>>());
    assert_eq!(esme.running.await.unwrap(), SessionEnd::Broken(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn an_operator_unbinds_with_answers_outstanding() {
    let operator = operator(Behaviour { unbind_after: 5, answer_ms: 60_000, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(5));
    assert_eq!(esme.running.await.unwrap(), SessionEnd::PeerUnbound);
    assert_eq!(operator.ledger().parts().len(), 5);
}

#[tokio::test]
async fn slices_of_one_octet_carry_everything() {
    let operator = operator(Behaviour { slice_octets: 1, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(20));
    assert!(esme.answers(20).await.iter().all(|(_, status)| *status == Some(0)));
    assert_eq!(esme.receipts(20).await.len(), 20);
}

#[tokio::test]
async fn a_blackhole_swallows_until_it_is_over() {
    let operator = operator(Behaviour::default()).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(1));
    esme.receipts(1).await;
    let hole = Span { from_ms: 0, to_ms: u64::MAX };
    operator.behave(Behaviour { blackhole: Some(hole), ..Behaviour::default() });
    esme.send(numbers(10));
    let heard = operator.ledger().wait_for(Duration::from_millis(200), |ledger| ledger.parts().len() > 2).await;
    assert!(!heard, "at most the read that was under way goes through: {}", operator.ledger().parts().len());
    operator.behave(Behaviour::default());
    assert_eq!(esme.answers(11).await.len(), 11);
    assert_eq!(esme.receipts(11).await.len(), 11);
}

#[tokio::test]
async fn a_congested_operator_says_so_and_refuses() {
    let operator = operator(Behaviour::default()).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(1));
    esme.answers(1).await;
    operator.behave(Behaviour { congestion_period_ms: 100, ..Behaviour::default() });
    let refused = |seen: &[Seen]| seen.iter().any(|seen| matches!(seen, Seen::Answer(_, 0x58, _)));
    while !refused(&esme.seen()) {
        let before = esme.seen().len();
        esme.send(numbers(1));
        esme.until(|seen| seen.len() > before).await;
    }
    let states = esme.congestion_states();
    assert!(states.contains(&100), "a refusal comes at the top only: {states:?}");
    assert!(states.iter().all(|state| *state <= 100));
}

#[tokio::test]
async fn receipts_come_over_the_other_bind() {
    let operator = operator(Behaviour { receipts_elsewhere: true, ..Behaviour::default() }).await;
    let mut first = Esme::connect(operator.address.port()).await;
    let second = Esme::connect(operator.address.port()).await;
    first.send(numbers(50));
    assert_eq!(second.receipts(50).await.len(), 50);
    assert!(!first.seen().iter().any(|seen| matches!(seen, Seen::Receipt { .. })));
    // With nobody else there it has to do.
    second.handle().close();
    second.running.await.unwrap();
    first.send(numbers(1));
    assert_eq!(first.receipts(1).await.len(), 1);
}

#[tokio::test]
async fn receipts_are_read_in_ucs2_and_in_data_sm() {
    for form in [ReceiptForm::Ucs2, ReceiptForm::DataSm] {
        let operator = operator(Behaviour { receipt_form: form, ..Behaviour::default() }).await;
        let mut esme = Esme::connect(operator.address.port()).await;
        esme.send(numbers(3));
        let ids: Vec<String> = esme.receipts(3).await.into_iter().map(|(id, _)| id).collect();
        let given: Vec<String> = operator.ledger().parts().into_iter().map(|part| part.id).collect();
        assert_eq!(ids, given, "{form:?}");
    }
}

#[tokio::test]
async fn subscribers_write_by_themselves() {
    let behaviour = Behaviour {
        incoming_every_ms: 5,
        incoming: vec![Incoming::Short, Incoming::Long, Incoming::Hostile],
        incoming_to: "48799000111".into(),
        ..Behaviour::default()
    };
    let operator = operator(behaviour).await;
    let esme = Esme::connect(operator.address.port()).await;
    let incoming = |seen: &Seen| matches!(seen, Seen::Incoming { .. });
    let seen = esme.until(|seen| seen.iter().filter(|seen| incoming(seen)).count() >= 30).await;
    let with_header = |seen: &&Seen| matches!(seen, Seen::Incoming { esm_class: 0x40, .. });
    assert!(seen.iter().filter(with_header).count() >= 10);
    assert!(seen.iter().any(|seen| matches!(seen, Seen::Incoming { esm_class: 0, .. })));
}

#[tokio::test]
async fn every_bind_refusal_refuses_with_what_it_is_named_after() {
    for (name, _) in scenario_names().filter(|(name, _)| name.starts_with("bind-")) {
        let operator = operator(scenario(name, 1).unwrap()).await;
        let stream = connect("127.0.0.1", operator.address.port(), &Default::default()).await.unwrap();
        let bound =
            ClientSession::bind(stream, &bind(BindMode::Transceiver, "secret"), SessionOptions::default()).await;
        let Err(BindError::Refused(status)) = bound.map(|_| ()) else { panic!("{name} took a bind") };
        let wanted = name.trim_start_matches("bind-").to_uppercase();
        assert_eq!(status.name(), Some(wanted.as_str()));
    }
}
