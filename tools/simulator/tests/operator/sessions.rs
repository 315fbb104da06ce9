//! Binding, cutting, and connections that are read badly.

use std::time::Duration;

use simulator::operator::Behaviour;
use smpp::CommandStatus;
use smpp::client::{BindError, ClientSession, connect};
use smpp::pdu::BindMode;
use smpp::session::SessionOptions;

use super::esme::{Esme, Seen, bind};
use super::{numbers, operator};

async fn refused(port: u16, password: &str) -> CommandStatus {
    let stream = connect("127.0.0.1", port, &Default::default()).await.unwrap();
    let bound = ClientSession::bind(stream, &bind(BindMode::Transceiver, password), SessionOptions::default()).await;
    match bound.map(|_| ()) {
        Err(BindError::Refused(status)) => status,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_password_one_bind_too_many_and_an_order_are_refused() {
    let operator = operator(Behaviour { binds_max: 1, ..Behaviour::default() }).await;
    let port = operator.address.port();
    assert_eq!(refused(port, "wrong").await, CommandStatus::RINVPASWD);
    let _first = Esme::connect(port).await;
    assert_eq!(refused(port, "secret").await, CommandStatus::RALYBND);
    operator.behave(Behaviour { bind_refusal: 0x0d, ..Behaviour::default() });
    assert_eq!(refused(port, "secret").await, CommandStatus::RBINDFAIL);
    let statuses: Vec<u32> = operator.ledger().bind_attempts().iter().map(|attempt| attempt.command_status).collect();
    assert_eq!(statuses, [0x0e, 0, 0x05, 0x0d]);
}

#[tokio::test]
async fn a_cut_leaves_a_submit_taken_and_unanswered() {
    let operator = operator(Behaviour { disconnect_after: 5, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(5));
    let answers = esme.answers(5).await;
    assert_eq!(answers[4], (5, None), "{answers:?}");
    assert!(answers[..4].iter().all(|(_, status)| *status == Some(0)), "{answers:?}");
    let parts = operator.ledger().parts();
    assert_eq!((parts[4].command_status, parts[4].id.is_empty()), (None, false));
    // Its receipt comes over the next session.
    let again = Esme::connect(operator.address.port()).await;
    let id = parts[4].id.clone();
    again.until(|seen| seen.iter().any(|seen| matches!(seen, Seen::Receipt { id: found, .. } if *found == id))).await;
}

#[tokio::test]
async fn connections_are_cut_on_order_and_after_a_time() {
    let operator = operator(Behaviour { disconnect_every_ms: 50, ..Behaviour::default() }).await;
    let first = Esme::connect(operator.address.port()).await;
    first.running.await.unwrap();
    operator.behave(Behaviour::default());
    let second = Esme::connect(operator.address.port()).await;
    operator.cut();
    second.running.await.unwrap();
    assert!(operator.ledger().wait_for(Duration::from_secs(5), |_| operator.sessions() == 0).await);
}

#[tokio::test]
async fn a_deaf_operator_reads_nothing_until_it_hears_again() {
    let operator = operator(Behaviour::default()).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(1));
    esme.answers(1).await;
    operator.behave(Behaviour { deaf: true, ..Behaviour::default() });
    esme.send(numbers(10));
    let heard = operator.ledger().wait_for(Duration::from_millis(200), |ledger| ledger.parts().len() > 2).await;
    assert!(!heard, "at most the read that was under way goes through: {}", operator.ledger().parts().len());
    operator.behave(Behaviour::default());
    assert_eq!(esme.answers(11).await.len(), 11);
}

#[tokio::test]
async fn a_slow_operator_reads_no_faster_than_ordered() {
    let operator = operator(Behaviour { read_octets_per_second: 5_000, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    let start = std::time::Instant::now();
    // A submit of this kind has 60 to 70 octets.
    esme.send(numbers(20));
    esme.answers(20).await;
    let took = start.elapsed();
    assert!(took > Duration::from_millis(150) && took < Duration::from_secs(3), "{took:?}");
}
