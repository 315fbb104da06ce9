//! Incoming messages, conversations, talks with bots and the opt-out list.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::incoming::IncomingMessage;
use domain::person::{Position, Talk, TalkKey};
use domain::phone::Phone;
use serde_json::json;

use crate::support::client::bare_request;
use crate::support::fake::{APPLICATION_KEY, NOW, READER_AUTHORIZATION};
use crate::support::server::Server;

fn message(account: u32, number: i64, text: &str) -> IncomingMessage {
    IncomingMessage {
        id: MessageId(number << 8),
        account: Some(AccountId(account)),
        carrier: CarrierId(1),
        at: NOW,
        source: "48600100200".into(),
        phone: Phone::parse("48600100200").ok(),
        number: "2424".into(),
        keyword: "ACME".into(),
        text: text.into(),
        parts: 1,
        missing: Box::default(),
        late_part: None,
        group: None,
        flaw: None,
        raw: Box::default(),
        handled: true,
    }
}

#[tokio::test]
async fn incoming_messages_are_listed_filtered_and_kept_apart() {
    let server = Server::start();
    let mut client = server.client().await;
    assert_eq!(client.call("GET", "/v2.1/sms/incoming", b"").await.codes(), ["E-5-001"]);
    let incomplete =
        IncomingMessage { parts: 3, missing: Box::new([2]), group: Some(MessageId(64)), ..message(1, 2, "one three") };
    *server.fake.0.incoming.lock() = vec![message(1, 1, "hello"), incomplete, message(2, 3, "another account's")];
    let listed = client.call("GET", "/v2.1/sms/incoming", b"").await.envelope();
    assert_eq!(
        listed["data"],
        json!([
            {"eventId":"0000000000000100-0","phoneNumber":"+48600100200","number":"2424","keyword":"ACME",
             "message":"hello","receivedTime":1_795_342_500,"numberOfParts":1,"complete":true},
            {"eventId":"0000000000000200-0","phoneNumber":"+48600100200","number":"2424","keyword":"ACME",
             "message":"one three","receivedTime":1_795_342_500,"numberOfParts":3,"complete":false,
             "missingParts":[2],"groupId":"0000000000000040"}
        ])
    );
    let full = client.call("GET", "/v2/sms/incoming?getFullDate=1&number=%2B2424", b"").await.envelope();
    assert_eq!(full["data"][0]["receivedTime"], "2026-11-22 10:15:00");
    assert_eq!(client.call("GET", "/v2.1/sms/incoming?number=7070", b"").await.status, 404);
    for bad in ["phoneNumber=x", "number=abc", "limit=0", "cursor=1", "dateFrom=soon", "getFullDate=2"] {
        assert_eq!(client.call("GET", &format!("/v2.1/sms/incoming?{bad}"), b"").await.codes(), ["E-4-018"], "{bad}");
    }
    assert_eq!(client.call("POST", "/v2.1/sms/incoming", b"{}").await.status, 405);
}

#[tokio::test]
async fn a_conversation_is_named_by_number_and_person() {
    let server = Server::start();
    let mut client = server.client().await;
    *server.fake.0.incoming.lock() = vec![message(1, 1, "hello"), message(2, 2, "another account's")];
    let reply = client.call("GET", "/v2.1/conversations/2424/48600100200", b"").await.envelope();
    assert_eq!((reply["data"].as_array().map(Vec::len), &reply["data"][0]["direction"]), (Some(1), &json!("in")));
    assert_eq!(reply["data"][0]["message"], "hello");
    for (path, status) in [
        ("/v2.1/conversations/2424/48600100201", 404),
        ("/v2.1/conversations/2424/nobody", 422),
        ("/v2.1/conversations/abc/48600100200", 422),
        ("/v2.1/conversations/2424", 404),
        ("/v2.1/conversations//48600100200", 404),
    ] {
        assert_eq!(client.call("GET", path, b"").await.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_opt_out_list_is_added_to_listed_and_taken_from() {
    let server = Server::start();
    let mut client = server.client().await;
    assert_eq!(client.call("GET", "/v2.1/optouts", b"").await.status, 404);
    let two = br#"{"phoneNumbers":["+48600100200","48600100201"],"sender":"2424"}"#;
    let added = client.call("POST", "/v2.1/optouts", two).await.envelope();
    assert_eq!(
        added["data"][0],
        json!({"phoneNumber":"+48600100200","sender":"2424","sinceTime":1_795_342_500,"origin":"account"})
    );
    let first = client.call("GET", "/v2.1/optouts?limit=1", b"").await.envelope();
    assert_eq!(first["meta"]["nextCursor"], "48600100200,2424");
    let second = client.call("GET", "/v2.1/optouts?limit=1&cursor=48600100200,2424", b"").await.envelope();
    assert_eq!(second["data"][0]["phoneNumber"], "+48600100201");
    assert!(second["meta"]["nextCursor"].is_null());
    let one = client.call("GET", "/v2.1/optouts?phoneNumber=48600100201", b"").await.envelope();
    assert_eq!(one["data"].as_array().map(Vec::len), Some(1));
    let removed = client.call("DELETE", "/v2.1/optouts", br#"{"phoneNumbers":["48600100200"],"sender":"2424"}"#).await;
    assert_eq!(removed.status, 200);
    let again = client.call("DELETE", "/v2.1/optouts", br#"{"phoneNumbers":["48600100200"],"sender":"2424"}"#).await;
    assert_eq!(again.status, 404);
    for (body, code) in [
        (&br#"{}"#[..], "E-4-007"),
        (br#"{"phoneNumbers":["x"]}"#, "E-4-009"),
        (br#"{"phoneNumbers":["48600100200"],"sender":"no such sender at all"}"#, "E-4-003"),
        (br#"{"phoneNumbers":"48600100200"}"#, "E-4-002"),
    ] {
        assert_eq!(client.call("POST", "/v2.1/optouts", body).await.codes(), [code]);
    }
    let headers = [("authorization", READER_AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    assert_eq!(client.exchange(&bare_request("POST", "/v2.1/optouts", &headers, two)).await.codes(), ["E-3-001"]);
    assert_eq!(client.exchange(&bare_request("GET", "/v2.1/optouts", &headers, b"")).await.status, 200);
}

fn talk(account: u32, number: &str, phone: &str, flow: &str) -> Arc<Talk> {
    let key = TalkKey { account: AccountId(account), number: number.into(), phone: Phone::parse(phone).unwrap() };
    let position = Position { flow: flow.into(), step: flow.into(), ..Position::default() };
    Arc::new(Talk { key, position, until: UnixMillis::from_seconds(1_795_342_500), last: MessageId(1) })
}

#[tokio::test]
async fn talks_are_listed_and_ended_by_their_account_only() {
    let server = Server::start();
    let mut client = server.client().await;
    assert_eq!(client.call("GET", "/v2.1/talks", b"").await.codes(), ["E-5-001"]);
    *server.fake.0.talks.lock() = vec![
        talk(1, "2424", "48600100200", "table"),
        talk(1, "2424", "48600100201", ""),
        talk(2, "2424", "48600100202", "table"),
    ];
    let first = client.call("GET", "/v2.1/talks?limit=1", b"").await.envelope();
    assert_eq!(
        first["data"][0],
        json!({"number":"2424","phoneNumber":"+48600100200","handedOver":false,"flow":"table","step":"table","untilTime":1_795_342_500})
    );
    assert_eq!(first["meta"]["nextCursor"], "2424,48600100200");
    let second = client.call("GET", "/v2.1/talks?limit=1&cursor=2424,48600100200", b"").await.envelope();
    assert_eq!((&second["data"][0]["handedOver"], &second["meta"]["nextCursor"]), (&json!(true), &json!(null)));

    let body = |phone: &str| format!(r#"{{"number":"2424","phoneNumber":"{phone}"}}"#).into_bytes();
    assert_eq!(client.call("DELETE", "/v2.1/talks", &body("48600100202")).await.status, 404, "another account's");
    let ended = client.call("DELETE", "/v2.1/talks", &body("+48600100201")).await;
    assert_eq!((ended.status, &ended.envelope()["data"][0]["handedOver"]), (200, &json!(true)));
    assert_eq!(client.call("DELETE", "/v2.1/talks", &body("48600100201")).await.status, 404, "it is over");
    assert_eq!(server.fake.0.talks.lock().len(), 2);
    for (body, code) in [
        (&br#"{}"#[..], "E-4-001"),
        (br#"{"number":"2424"}"#, "E-4-009"),
        (br#"{"number":"2424","phoneNumber":"nobody"}"#, "E-4-009"),
        (br#"{"number":2424,"phoneNumber":"48600100200"}"#, "E-4-002"),
    ] {
        assert_eq!(client.call("DELETE", "/v2.1/talks", body).await.codes(), [code]);
    }
    assert_eq!(client.call("GET", "/v2.1/talks?cursor=2424", b"").await.status, 422);
    let headers = [("authorization", READER_AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    let refused = client.exchange(&bare_request("DELETE", "/v2.1/talks", &headers, &body("48600100200"))).await;
    assert_eq!(refused.codes(), ["E-3-001"]);
}
