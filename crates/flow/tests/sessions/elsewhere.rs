//! What one carrier refuses for reasons of its own and another one takes.

use domain::id::MessageId;
use domain::state::Status;
use simulator::operator::{Behaviour, Operator, Refusal, When};

use super::rig::{Rig, carrier, operator, phones, plain};

/// RINVSRCADR: final here, and no fault of the message.
const UNREGISTERED: u32 = 0x0a;
const ROUTE: &str = "[[route]]\nprefix = \"48\"\ncarriers = [\"one\", \"two\", \"three\"]\nprice = \"0.0001\"\n";

async fn refusing(command_status: u32) -> Operator {
    let all = Refusal { when: When::PerMille(1_000), command_status };
    operator(Behaviour { refusals: vec![all], ..plain() }).await
}

async fn taking() -> Operator {
    operator(Behaviour { receipt_ms: 10, ..plain() }).await
}

async fn kinds(rig: &Rig, id: MessageId) -> Vec<String> {
    rig.store.history(id).await.unwrap().iter().map(|step| step.kind.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_bulk_goes_to_another_carrier_although_it_must_not_be_sent_twice() {
    let (one, two) = (refusing(UNREGISTERED).await, taking().await);
    let carriers =
        [("one", carrier("one", one.address, "binds = 1")), ("two", carrier("two", two.address, "binds = 1"))];
    let route = ROUTE.replace(", \"three\"", "");
    let rig = Rig::start_with(&carriers, &route, "traffic = \"bulk\"\n").await;
    rig.wait_bound("one", 1).await;
    rig.wait_bound("two", 1).await;
    let mut ids = rig.send(phones(0, 0, 20)).await;
    ids.extend(rig.send_text(&"long ".repeat(80), phones(0, 100, 5)).await);
    rig.wait_status(&ids, &[Status::Delivered]).await;
    assert_eq!((one.ledger().parts().len(), two.ledger().parts().len()), (20 + 5 * 3, 20 + 5 * 3));
    for id in [ids[0], ids[24]] {
        let kinds = kinds(&rig, id).await;
        let place = |kind: &str| kinds.iter().position(|known| known == kind);
        assert!(place("refused").is_some() && place("refused") < place("rerouted"), "{kinds:?}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_does_not_move_to_a_carrier_that_can_t_write_it() {
    let (one, two, three) = (refusing(UNREGISTERED).await, taking().await, taking().await);
    let ascii = "binds = 1\ndefault_alphabet = \"ascii\"";
    let carriers = [
        ("one", carrier("one", one.address, "binds = 1")),
        ("two", carrier("two", two.address, ascii)),
        ("three", carrier("three", three.address, "binds = 1")),
    ];
    let rig = Rig::start_with(&carriers, ROUTE, "").await;
    for name in ["one", "two", "three"] {
        rig.wait_bound(name, 1).await;
    }
    // In GSM 7-bit one part; an ASCII carrier would need UCS-2, which is two for the first text and one for the second.
    let long = rig.send_text(&"€".repeat(80), phones(0, 0, 1)).await;
    let short = rig.send_text("5 €", phones(0, 1, 1)).await;
    rig.wait_status(&[long[0], short[0]], &[Status::Delivered]).await;
    let (of_two, of_three) = (two.ledger().parts(), three.ledger().parts());
    assert_eq!((of_two.len(), of_three.len()), (1, 1));
    assert_eq!((of_two[0].text.as_str(), of_two[0].data_coding), ("5 €", 8), "written anew for the carrier");
    assert_eq!(of_three[0].data_coding, 0);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_carrier_that_can_write_it_the_refusal_is_what_is_told() {
    let (one, two) = (refusing(UNREGISTERED).await, taking().await);
    let ascii = "binds = 1\ndefault_alphabet = \"ascii\"";
    let carriers = [("one", carrier("one", one.address, "binds = 1")), ("two", carrier("two", two.address, ascii))];
    let rig = Rig::start_with(&carriers, &ROUTE.replace(", \"three\"", ""), "").await;
    rig.wait_bound("one", 1).await;
    rig.wait_bound("two", 1).await;
    let ids = rig.send_text(&"€".repeat(80), phones(0, 0, 1)).await;
    rig.wait_status(&ids, &[Status::Rejected]).await;
    assert!(!kinds(&rig, ids[0]).await.contains(&"rerouted".to_owned()));
    let error = rig.message(ids[0]).await.error;
    assert!(error.contains("0a") && !error.contains("not_encodable"), "{error}");
    assert_eq!(two.ledger().parts().len(), 0);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carriers_own_line_says_whether_others_may_take_it() {
    let (one, two) = (refusing(0x0b).await, taking().await);
    let own = "binds = 1\n[[carrier.status]]\ncode = \"0x0B\"\naction = \"fail\"\nother_route = true";
    let carriers = [("one", carrier("one", one.address, own)), ("two", carrier("two", two.address, "binds = 1"))];
    let rig = Rig::start_with(&carriers, &ROUTE.replace(", \"three\"", ""), "").await;
    rig.wait_bound("one", 1).await;
    rig.wait_bound("two", 1).await;
    let ids = rig.send(phones(0, 0, 3)).await;
    rig.wait_status(&ids, &[Status::Delivered]).await;
    assert_eq!(two.ledger().parts().len(), 3);
    rig.stop().await;
}
