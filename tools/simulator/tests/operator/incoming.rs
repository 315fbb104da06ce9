//! Incoming messages, and the side door.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::operator::{Behaviour, Operator, OperatorOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::esme::{Esme, Seen};
use super::{numbers, operator};

fn parts(seen: &[Seen]) -> Vec<(u8, u8, Vec<u8>)> {
    let part = |seen: &Seen| match seen {
        Seen::Incoming { esm_class, data_coding, octets } => Some((*esm_class, *data_coding, octets.clone())),
        _ => None,
    };
    seen.iter().filter_map(part).collect()
}

#[tokio::test]
async fn a_long_incoming_message_comes_in_parts_with_a_header() {
    let operator = operator(Behaviour::default()).await;
    let esme = Esme::connect(operator.address.port()).await;
    let long = "żółw ".repeat(30);
    assert_eq!(operator.try_deliver("48600100200", "48799000111", &long).unwrap(), 3);
    operator.deliver("48600100200", "48799000111", "short");
    let parts = parts(&esme.until(|seen| parts(seen).len() == 4).await);
    let mut joined = String::new();
    for (esm_class, data_coding, octets) in &parts[..3] {
        assert_eq!((*esm_class, *data_coding), (0x40, 0x08));
        let (header, payload) = text::udh::split(octets).unwrap();
        assert_eq!(header.concat().unwrap().total, 3);
        joined.push_str(&text::ucs2::decode(payload).unwrap());
    }
    assert_eq!(joined, long);
    assert_eq!(parts[3], (0, 0, b"short".to_vec()));
    let acknowledged =
        |operator: &Operator| operator.ledger().incoming_acknowledged.load(std::sync::atomic::Ordering::Relaxed);
    assert!(operator.ledger().wait_for(Duration::from_secs(5), |_| acknowledged(&operator) == 4).await);
}

struct Door(BufReader<TcpStream>);

impl Door {
    async fn open(operator: &Operator) -> Self {
        Self(BufReader::new(TcpStream::connect(operator.control_address.unwrap()).await.unwrap()))
    }

    async fn line(&mut self) -> Value {
        let mut line = String::new();
        tokio::time::timeout(Duration::from_secs(5), self.0.read_line(&mut line)).await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, request: Value) -> Value {
        self.0.write_all(format!("{request}\n").as_bytes()).await.unwrap();
        self.line().await
    }
}

fn with_door() -> OperatorOptions {
    OperatorOptions { control: Some(SocketAddr::from(([127, 0, 0, 1], 0))), ..OperatorOptions::local() }
}

#[tokio::test]
async fn the_side_door_delivers_watches_and_tells() {
    let operator = Operator::start(&with_door(), false).await.unwrap();
    let mut esme = Esme::connect(operator.address.port()).await;
    let mut door = Door::open(&operator).await;
    let recipient = numbers(1).next().unwrap();
    assert_eq!(door.ask(json!({ "watch": format!("+{recipient}") })).await, json!({ "ok": true }));
    esme.send(numbers(2));
    let message = json!({ "source": "48799000111", "destination": recipient, "text": "Hello", "parts": 1 });
    assert_eq!(door.line().await, json!({ "message": message }));
    let deliver = json!({ "deliver": { "source": recipient, "destination": "48799000111", "text": "Hi" } });
    assert_eq!(door.ask(deliver).await, json!({ "ok": true, "parts": 1 }));
    esme.until(|seen| parts(seen).len() == 1).await;
    let stats = door.ask(json!({ "stats": true })).await;
    assert_eq!((&stats["submitted"], &stats["incoming"], &stats["sessions"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(door.ask(json!({ "scenario": "silent" })).await, json!({ "ok": true }));
    assert_eq!(operator.behaviour().missing_per_mille, 1000);
    assert!(door.ask(json!({ "scenario": "nonsense" })).await["error"].is_string());
    assert!(door.ask(json!("nonsense")).await["error"].is_string());
    assert_eq!(door.ask(json!({ "cut": true })).await, json!({ "ok": true }));
    esme.running.await.unwrap();
}

#[tokio::test]
async fn the_side_door_opens_on_this_machine_only() {
    let control = Some(SocketAddr::from(([0, 0, 0, 0], 0)));
    let refused = Operator::start(&OperatorOptions { control, ..OperatorOptions::local() }, false).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("password")));
}

#[tokio::test]
async fn a_scenario_nobody_knows_is_named_with_the_known_ones() {
    let options = OperatorOptions { scenario: "nonsense".into(), ..OperatorOptions::local() };
    let refused = Operator::start(&options, false).await.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("\"nonsense\"") && refused.contains("flaky"), "{refused}");
}

#[tokio::test]
async fn a_handset_that_replies_writes_back_to_the_sender() {
    let operator = operator(Behaviour::default()).await;
    let mut esme = Esme::connect(operator.address.port()).await;
    esme.send(["48500000017".to_owned()]);
    let seen = esme.until(|seen| parts(seen).len() == 1).await;
    assert_eq!(parts(&seen)[0].2, b"Thank you, got it.");
}
