//! `GET /v2.1/events`, `GET /v2.1/events/dead`, `POST /v2.1/events/replay`.

use domain::event::{Event, Payload, StatusReport};
use domain::fact::EventId;
use domain::id::{AccountId, MessageId};
use domain::phone::Phone;
use domain::sender::Sender;
use domain::state::Status;
use serde_json::json;
use store::question::{EventRecord, Telling};

use crate::support::client::{bare_request, request};
use crate::support::fake::{APPLICATION_KEY, NOW, READER_AUTHORIZATION};
use crate::support::server::Server;

fn record(number: i64, telling: Telling) -> EventRecord {
    let report = StatusReport {
        external_id: format!("order-{number}").into(),
        phone: Phone::parse("48111222333").unwrap(),
        sender: Sender::parse("ACME").unwrap(),
        status: Status::Delivered,
        status_at: NOW.plus_ms(number * 1_000),
        parts: 1,
        error: "".into(),
    };
    let id = EventId { message: MessageId(number << 8), step: 2 };
    let event = Event { attempts: 3, ..Event::new(id, AccountId(1), None, Payload::Status(report)) };
    EventRecord { event, telling, last_try_at: Some(NOW), http_status: 503 }
}

fn id(number: i64) -> String {
    EventId { message: MessageId(number << 8), step: 2 }.to_string()
}

#[tokio::test]
async fn events_are_read_on_from_a_cursor_until_there_are_no_more() {
    let server = Server::start();
    let mut client = server.client().await;
    *server.fake.0.events.lock() = (1..=3).map(|number| record(number, Telling::Unwanted)).collect();
    let first = client.call("GET", "/v2.1/events?limit=2", b"").await.envelope();
    let item = json!({"event":"sms.status","eventId":id(1),"seq":2,"externalId":"order-1","phoneNumber":"+48111222333",
        "sender":"ACME","status":21,"statusDesc":"Delivered","statusTime":1_795_342_501,"numberOfParts":1});
    assert_eq!(first["data"][0], item);
    let cursor = first["meta"]["nextCursor"].as_str().unwrap().to_owned();
    let second = client.call("GET", &format!("/v2.1/events?cursor={cursor}"), b"").await.envelope();
    assert_eq!((second["data"].as_array().unwrap().len(), &second["data"][0]["eventId"]), (1, &json!(id(3))));
    let cursor = second["meta"]["nextCursor"].as_str().unwrap().to_owned();
    let reply = client.call("GET", &format!("/v2.1/events?cursor={cursor}"), b"").await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.envelope()["meta"]["nextCursor"], cursor, "where to go on is told even when there is nothing");
    for bad in ["cursor=1", "limit=0", "limit=1001", "dateFrom=soon"] {
        assert_eq!(client.call("GET", &format!("/v2.1/events?{bad}"), b"").await.codes(), ["E-4-018"], "{bad}");
    }
    let both = format!("/v2.1/events?cursor={cursor}&dateFrom=2026-11-01T00:00:00Z");
    assert_eq!(client.call("GET", &both, b"").await.codes(), ["E-4-018"]);
}

#[tokio::test]
async fn dead_letters_are_listed_with_what_was_tried() {
    let server = Server::start();
    let mut client = server.client().await;
    assert_eq!(client.call("GET", "/v2.1/events/dead", b"").await.status, 404);
    *server.fake.0.events.lock() =
        vec![record(1, Telling::Told), record(2, Telling::GivenUp), record(3, Telling::GivenUp)];
    let page = client.call("GET", "/v2.1/events/dead?limit=1", b"").await.envelope();
    let item = &page["data"][0];
    assert_eq!((&item["eventId"], &item["attempts"], &item["httpStatus"]), (&json!(id(2)), &json!(3), &json!(503)));
    let cursor = page["meta"]["nextCursor"].as_str().unwrap().to_owned();
    let page = client.call("GET", &format!("/v2.1/events/dead?cursor={cursor}"), b"").await.envelope();
    assert_eq!(page["data"][0]["eventId"], id(3));
    assert!(page["meta"].get("nextCursor").is_none());
}

#[tokio::test]
async fn events_are_replayed_by_id_or_by_filter() {
    let server = Server::start();
    let mut client = server.client().await;
    *server.fake.0.events.lock() = vec![
        record(1, Telling::Told),
        record(2, Telling::GivenUp),
        record(3, Telling::Waiting),
        record(4, Telling::GivenUp),
    ];
    let replayed = || std::mem::take(&mut *server.fake.0.replayed.lock());
    let ids = |numbers: &[i64]| -> Vec<EventId> {
        numbers.iter().map(|number| EventId::parse(&id(*number)).unwrap()).collect()
    };

    let body = json!({ "eventIds": [id(1), id(3), id(9)] }).to_string();
    let reply = client.call("POST", "/v2.1/events/replay", body.as_bytes()).await;
    assert_eq!((reply.status, reply.codes()), (207, vec!["E-5-003".to_owned()]));
    assert_eq!(reply.envelope()["data"], json!([{ "replayed": 1 }]));
    assert_eq!(replayed(), ids(&[1]), "what waits is being told already");

    let mut by_filter =
        async |body: serde_json::Value| client.call("POST", "/v2.1/events/replay", body.to_string().as_bytes()).await;
    assert_eq!(by_filter(json!({})).await.status, 200);
    assert_eq!(replayed(), ids(&[2, 4]), "everything that was given up");
    assert_eq!(by_filter(json!({ "dateFrom": "2026-11-22T10:15:03Z" })).await.status, 200);
    assert_eq!(replayed(), ids(&[4]));
    assert_eq!(by_filter(json!({ "only": "all", "dateFrom": "2026-11-01 00:00:00" })).await.status, 200);
    assert_eq!(by_filter(json!({ "only": "all" })).await.codes(), ["E-4-001"]);
    assert_eq!(by_filter(json!({ "event": "sms.click" })).await.codes(), ["E-5-001"]);
    for bad in
        [json!({ "event": "sms" }), json!({ "only": "some" }), json!({ "dateTo": "x" }), json!({ "cursor": "x" })]
    {
        assert_eq!(by_filter(bad.clone()).await.codes(), ["E-4-018"], "{bad}");
    }
    assert_eq!(by_filter(json!({ "eventIds": [] })).await.codes(), ["E-4-023"]);
    assert_eq!(by_filter(json!({ "eventIds": ["1-1"] })).await.codes(), ["E-4-023"]);
    assert_eq!(by_filter(json!({ "eventIds": "1-1" })).await.codes(), ["E-4-002"]);
}

#[tokio::test]
async fn a_list_of_attempts_says_how_many_are_missing_also_when_it_is_empty() {
    let server = Server::start();
    let mut client = server.client().await;
    let empty = client.call("GET", "/v2.1/webhooks/attempts", b"").await;
    assert_eq!((empty.status, empty.envelope()["meta"].get("notKept")), (404, None));
    server.fake.0.attempts.lock().missed = 7;
    let empty = client.call("GET", "/v2.1/webhooks/attempts", b"").await;
    assert_eq!((empty.status, &empty.envelope()["meta"]["notKept"]), (404, &json!(7)));
}

#[tokio::test]
async fn reading_events_needs_another_right_than_replaying_them() {
    let server = Server::start();
    let mut client = server.client().await;
    *server.fake.0.events.lock() = vec![record(1, Telling::GivenUp)];
    let keys = [("authorization", READER_AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    assert_eq!(client.exchange(&bare_request("GET", "/v2.1/events", &keys, b"")).await.status, 200);
    let refused = client.exchange(&bare_request("POST", "/v2.1/events/replay", &keys, b"{}")).await;
    assert_eq!(refused.codes(), ["E-3-001"]);
    assert_eq!(client.exchange(&request("POST", "/v2.1/events/replay", &[], b"{}")).await.status, 200);
}
