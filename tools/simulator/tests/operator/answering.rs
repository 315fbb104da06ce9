//! How submits are answered.

use std::time::{Duration, Instant};

use simulator::operator::{Behaviour, Refusal, When};

use super::esme::{Esme, ToSend};
use super::{numbers, operator};

const RSYSERR: u32 = 0x08;
const RTHROTTLED: u32 = 0x58;

fn refusing(when: When, command_status: u32) -> Behaviour {
    Behaviour { refusals: vec![Refusal { when, command_status }], ..Behaviour::default() }
}

#[tokio::test]
async fn the_ledger_tells_what_was_sent_and_how_it_was_answered() {
    let operator = operator(refusing(When::Every(3), RSYSERR)).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(7));
    let answers = esme.answers(7).await;
    let statuses: Vec<_> = answers.iter().map(|(_, status)| status.unwrap()).collect();
    assert_eq!(statuses, [0, 0, RSYSERR, 0, 0, RSYSERR, 0]);
    let parts = operator.ledger().parts();
    assert_eq!(parts.iter().map(|part| part.command_status.unwrap()).collect::<Vec<_>>(), statuses);
    assert_eq!(parts.iter().map(|part| part.destination.clone()).collect::<Vec<_>>(), numbers(7).collect::<Vec<_>>());
    assert!(parts.iter().all(|part| part.text == "Hello" && part.session == 1 && part.registered_delivery == 1));
    assert!(parts.iter().all(|part| part.id.is_empty() == (part.command_status != Some(0))));
    assert_eq!(operator.ledger().messages().len(), 5, "what was refused is no message");
}

#[tokio::test]
async fn long_messages_are_joined_for_the_ledger() {
    let operator = operator(Behaviour::default()).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    let long = "Zażółć gęślą jaźń. ".repeat(20);
    let segments = text::segment(&long, text::Reference::Bits16(700), 9).unwrap();
    let total = segments.len();
    for segment in segments.iter().rev() {
        let octets = segment.short_message();
        esme.send_part(ToSend { destination: "48500900100".into(), esm_class: 0x40, octets });
    }
    esme.answers(total).await;
    // The client sends data_coding 0, so that only the places of the parts are looked at here.
    let messages = operator.ledger().messages();
    assert_eq!((messages.len(), usize::from(messages[0].parts)), (1, total));
    assert_eq!(operator.ledger().parts()[0].concatenation, Some((700, total as u8, total as u8)));
}

#[tokio::test]
async fn an_answer_takes_its_time_and_others_overtake_it() {
    let operator = operator(Behaviour { answer_ms: 60, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    let start = Instant::now();
    esme.send(numbers(100));
    esme.answers(100).await;
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(60) && took < Duration::from_millis(600), "{took:?}");
}

#[tokio::test]
async fn a_rate_is_kept_by_throttling() {
    let operator = operator(Behaviour { rate_per_second: 100, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(200));
    let answers = esme.answers(200).await;
    let taken = answers.iter().filter(|(_, status)| *status == Some(0)).count();
    // All come at once: a tenth of a second's worth and the one that starts it is let through.
    assert!((10..=30).contains(&taken), "{taken}");
    assert!(answers.iter().all(|(_, status)| matches!(status, Some(0 | RTHROTTLED))));
}

#[tokio::test]
async fn more_than_the_window_is_throttled() {
    let operator = operator(Behaviour { window_max: 10, answer_ms: 100, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(25));
    let answers = esme.answers(25).await;
    assert_eq!(answers.iter().filter(|(_, status)| *status == Some(0)).count(), 10);
    assert_eq!(answers.iter().filter(|(_, status)| *status == Some(RTHROTTLED)).count(), 15);
}

#[tokio::test]
async fn a_recipient_throttled_twice_is_taken_at_the_third_try() {
    let operator = operator(Behaviour::default()).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    for expected in [RTHROTTLED, RTHROTTLED, 0, RTHROTTLED] {
        let before = esme.seen().len();
        esme.send(["48500000008".to_owned()]);
        esme.until(|seen| seen.len() > before).await;
        assert_eq!(operator.ledger().parts().last().unwrap().command_status, Some(expected));
    }
}

#[tokio::test]
async fn what_is_frozen_is_answered_when_it_thaws() {
    let operator = operator(Behaviour { frozen: true, ..Behaviour::default() }).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(numbers(5));
    assert!(operator.ledger().wait_for(Duration::from_secs(5), |ledger| ledger.parts().len() == 5).await);
    assert!(
        !operator.ledger().wait_for(Duration::from_millis(100), |_| !esme.seen().is_empty()).await,
        "all is held back"
    );
    operator.behave(Behaviour::default());
    assert_eq!(esme.answers(5).await.len(), 5);
}

#[tokio::test]
async fn the_same_seed_refuses_the_same_submits() {
    let refused = async |seed| {
        let behaviour = Behaviour { seed, ..refusing(When::PerMille(300), RSYSERR) };
        let operator = operator(behaviour).await;
        let mut esme = Esme::connect(operator.address.port()).await;
        esme.send(numbers(200));
        esme.answers(200).await
    };
    let (first, again, other) = (refused(7).await, refused(7).await, refused(8).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
}
