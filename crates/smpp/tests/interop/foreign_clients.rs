//! Foreign clients against our server.

use std::str::FromStr;

use futures_util::StreamExt;
use rusmpp::pdus::{BindTransceiver, DeliverSmResp, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::{RegisteredDelivery, Ton};
use rusmpp::{CommandId, CommandStatus, Pdu};
use rusmppc::{ConnectionBuilder, Event};
use smpp::session::SessionEnd;

use crate::peers::{node_client, python_client};
use crate::smsc::{THROTTLED, serve_one};

/// What every foreign client must have seen, in any order of the deliveries.
fn check(mut lines: Vec<String>) {
    lines.sort();
    let expected = [
        "bound",
        "enquire_link answered",
        "incoming STOP it",
        "receipt 1001 DELIVRD",
        "refused 0x0000000e",
        "submitted 1001",
        "throttled 0x00000058",
        "unbound",
    ];
    assert_eq!(lines, expected);
}

fn check_server(seen: &crate::smsc::Seen, short_message: &[u8]) {
    assert_eq!(seen.submits, [(b"48601000001".to_vec(), short_message.to_vec())]);
    assert_eq!(seen.deliver_answers, [smpp::CommandStatus::ROK; 2]);
}

#[tokio::test]
async fn python_smpplib() {
    let (port, seen, task) = serve_one().await;
    check(python_client(port).finish().await);
    assert_eq!(task.await.unwrap(), SessionEnd::PeerUnbound);
    check_server(&seen.lock().unwrap(), b"hello @ home");
}

#[tokio::test]
async fn node_smpp() {
    let (port, seen, task) = serve_one().await;
    check(node_client(port).finish().await);
    assert_eq!(task.await.unwrap(), SessionEnd::PeerUnbound);
    // It writes GSM 7-bit, where the at sign is the octet that ends a C-octet string.
    check_server(&seen.lock().unwrap(), b"hello \0 home");
}

fn submit(destination: &str) -> SubmitSm {
    SubmitSm::builder()
        .source_addr_ton(Ton::Alphanumeric)
        .source_addr(COctetString::from_str("Posthorn").unwrap())
        .destination_addr(COctetString::from_str(destination).unwrap())
        .registered_delivery(RegisteredDelivery::request_all())
        .short_message(OctetString::from_str("hello @ home").unwrap())
        .build()
}

fn bind(password: &str) -> BindTransceiver {
    BindTransceiver::builder()
        .system_id(COctetString::from_str("us").unwrap())
        .password(COctetString::from_str(password).unwrap())
        .build()
}

#[tokio::test]
async fn rusmppc() {
    let (port, seen, task) = serve_one().await;
    let address = format!("smpp://127.0.0.1:{port}");
    let builder = || ConnectionBuilder::new().disable_interface_version_check();
    let (wrong, _events) = builder().connect(&address).await.unwrap();
    let refusal = wrong.bind_transceiver(bind("wrong")).await.unwrap_err();
    assert!(format!("{refusal:?}").contains("EsmeRinvpaswd"), "{refusal:?}");

    let (client, mut events) = builder().connect(&address).await.unwrap();
    client.bind_transceiver(bind("secret")).await.unwrap();
    let response = client.submit_sm(submit("48601000001")).await.unwrap();
    assert_eq!(response.message_id().as_str(), "1001");
    let throttled = client.submit_sm(submit(std::str::from_utf8(THROTTLED).unwrap())).await.unwrap_err();
    assert!(format!("{throttled:?}").contains("EsmeRthrottled"), "{throttled:?}");

    let mut texts = Vec::new();
    while texts.len() < 2 {
        let Some(Event::Incoming(command)) = events.next().await else { panic!("the events ended early") };
        assert_eq!((command.id(), command.status()), (CommandId::DeliverSm, CommandStatus::EsmeRok));
        let Some(Pdu::DeliverSm(deliver)) = command.pdu() else { panic!("no body in {command:?}") };
        texts.push(deliver.short_message().to_str().unwrap().to_owned());
        client.deliver_sm_resp(command.sequence_number(), DeliverSmResp::default()).await.unwrap();
    }
    assert!(texts[0].starts_with("id:1001 ") && texts[1] == "STOP it", "{texts:?}");
    client.enquire_link().await.unwrap();
    client.unbind().await.unwrap();
    assert_eq!(task.await.unwrap(), SessionEnd::PeerUnbound);
    check_server(&seen.lock().unwrap(), b"hello @ home");
}
