//! `POST /v2.1/sms`, `POST /v2.1/sms/preview`, `DELETE /v2.1/sms`.

use std::net::Ipv4Addr;

use bytes::Bytes;
use domain::problem::Problem;
use domain::random::Random;
use http_body_util::Full;
use serde_json::json;
use web::api::{Api, Options};
use web::serve::{Handler, Origin};

use crate::support::client::request;
use crate::support::fake::{APPLICATION_KEY, AUTHORIZATION, Fake};
use crate::support::server::Server;

const ONE: &[u8] = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["+48111222333"]}"#;

#[tokio::test]
async fn one_recipient_is_answered_with_all_fields_and_200() {
    let server = Server::start();
    let mut client = server.client().await;
    for path in ["/v2.1/sms", "/v2/sms", "/v2.1/sms/"] {
        let body = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["\u002B48111222333"],"externalId":"order-1","type":1}"#;
        let reply = client.call("POST", path, body).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("idempotency-expires"), Some("Tue, 24 Nov 2026 10:15:00 GMT"));
        let mut envelope = reply.envelope();
        envelope["meta"]["uniqId"].take();
        let data = json!({"sender":"ACME","phoneNumber":"+48111222333","externalId":"order-1","status":1,"statusTime":1_795_342_500,
            "createTime":1_795_342_500,"smsPrice":700,"currency":985,"numberOfParts":1,"message":"Hello","scheduleTime":0,
            "type":1,"shortLink":false,"encoding":0});
        let meta = json!({"numberOfErrors":0,"numberOfData":1,"status":200,"uniqId":null,"sentSms":1,"notSentSms":0,"accountBalance":"999.9300"});
        assert_eq!(envelope, json!({"meta": meta, "data": [data]}));
    }
    assert_eq!(server.fake.orders().len(), 3);
}

#[tokio::test]
async fn several_recipients_get_numbered_references_and_refused_ones_make_it_207() {
    let server = Server::start();
    let mut client = server.client().await;
    let body = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["48111222333","48111222334"],"externalId":"a"}"#;
    let reply = client.call("POST", "/v2.1/sms", body).await;
    let envelope = reply.envelope();
    assert_eq!((reply.status, &envelope["data"][1]["externalId"]), (200, &json!("a-0002")));

    let body = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["48111222333","12"]}"#;
    let reply = client.call("POST", "/v2.1/sms", body).await;
    let envelope = reply.envelope();
    assert_eq!(reply.status, 207);
    assert_eq!((&envelope["meta"]["sentSms"], &envelope["meta"]["notSentSms"]), (&json!(1), &json!(1)));
    assert_eq!(envelope["errors"][0]["meta"], json!({"parameter":"phoneNumbers","value":"12","source":"12"}));

    let body = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["x","12"]}"#;
    let reply = client.call("POST", "/v2.1/sms", body).await;
    assert_eq!((reply.status, reply.codes()), (422, vec!["E-4-009".into(), "E-4-009".into()]));
    assert_eq!(reply.header("idempotency-expires"), None);
}

#[tokio::test]
async fn null_is_absent_and_unknown_fields_are_ignored() {
    let server = Server::start();
    let mut client = server.client().await;
    let body = br#"{"sender":"ACME","message":"x","phoneNumbers":["48111222333"],"validity":null,"scheduleTime":null,
        "type":null,"shortLink":null,"webhookUrl":null,"externalId":null,"priority":null,"account":7,"status":[{"price":1}]}"#;
    assert_eq!(client.call("POST", "/v2.1/sms", body).await.status, 200);
    let order = server.fake.orders().remove(0);
    assert_eq!((order.validity, order.schedule_time, order.message_type), (None, None, None));
    assert_eq!((order.short_link, order.webhook_url, order.external_id, order.priority), (None, None, None, None));
    assert_eq!(order.key.name, "backend");
}

#[tokio::test]
async fn every_field_reaches_the_order() {
    let server = Server::start();
    let mut client = server.client().await;
    let body = br#"{"priority":true,"externalId":"e","webhookUrl":"https://a.example/x","shortLink":true,"type":1,"scheduleTime":5,
        "validity":60,"phoneNumbers":["48111222333"],"message":"x","sender":"2424"}"#;
    let octets = request("POST", "/v2.1/sms", &[("idempotency-key", "key-1")], body);
    assert_eq!(client.exchange(&octets).await.status, 200);
    let order = server.fake.orders().remove(0);
    assert_eq!((order.validity, order.schedule_time, order.message_type), (Some(60), Some(5), Some(1)));
    assert_eq!((order.short_link, order.priority), (Some(true), Some(true)));
    assert_eq!(order.webhook_url.as_deref(), Some("https://a.example/x"));
    assert_eq!((order.external_id.as_deref(), order.idempotency_key.as_deref()), (Some("e"), Some("key-1")));
}

#[tokio::test]
async fn wrong_types_are_422_and_name_the_field() {
    let server = Server::start();
    let mut client = server.client().await;
    let cases = [
        (r#""validity":"60""#, "validity", "60"),
        (r#""validity":60.5"#, "validity", "60.5"),
        (r#""validity":1e2"#, "validity", "100"),
        (r#""scheduleTime":99999999999999999999"#, "scheduleTime", "100000000000000000000"),
        (r#""scheduleTime":9223372036854775808"#, "scheduleTime", "9223372036854775808"),
        (r#""type":true"#, "type", "true"),
        (r#""shortLink":1"#, "shortLink", "1"),
        (r#""priority":"true""#, "priority", "true"),
        (r#""externalId":5"#, "externalId", "5"),
        (r#""webhookUrl":[]"#, "webhookUrl", "[…]"),
        (r#""phoneNumbers":"48111222333""#, "phoneNumbers", "48111222333"),
        (r#""phoneNumbers":48111222333"#, "phoneNumbers", "48111222333"),
        (r#""phoneNumbers":["48111222333","48111222334","48111222335",48111222336]"#, "phoneNumbers[3]", "48111222336"),
        (r#""phoneNumbers":["48111222333",null]"#, "phoneNumbers[1]", "null"),
        (r#""phoneNumbers":[["48111222333"]]"#, "phoneNumbers[0]", "[…]"),
        (r#""message":{"text":"x"}"#, "message", "{…}"),
        (r#""sender":7"#, "sender", "7"),
    ];
    for (member, parameter, value) in cases {
        let body = format!("{{{member}}}");
        for path in ["/v2.1/sms", "/v2.1/sms/preview"] {
            let reply = client.call("POST", path, body.as_bytes()).await;
            let envelope = reply.envelope();
            assert_eq!((reply.status, reply.codes()), (422, vec!["E-4-002".to_owned()]), "{member}");
            let meta = json!({"parameter": parameter, "value": value, "source": ""});
            assert_eq!(envelope["errors"][0]["meta"], meta, "{member}");
        }
    }
    let both = client.call("POST", "/v2.1/sms", br#"{"validity":"1","type":"2"}"#).await;
    assert_eq!(both.codes().len(), 2);
    assert!(server.fake.orders().is_empty());
}

#[tokio::test]
async fn refusals_keep_their_status_and_tell_when_to_come_again() {
    let server = Server::start();
    let mut client = server.client().await;
    for problem in Problem::ALL {
        server.fake.refuse(*problem, None);
        let reply = client.call("POST", "/v2.1/sms", ONE).await;
        assert_eq!(reply.status, problem.http_status());
        assert_eq!(reply.codes(), [problem.code()]);
        let retries = matches!(reply.status, 429 | 503);
        assert_eq!(reply.header("retry-after").is_some(), retries, "{problem:?}");
        assert_eq!(reply.header("ratelimit").is_some(), retries, "{problem:?}");
    }
    server.fake.refuse(Problem::TooManyRequests, Some(3));
    let reply = client.call("POST", "/v2.1/sms", ONE).await;
    assert_eq!(reply.header("retry-after"), Some("3"));
    assert_eq!(reply.header("ratelimit"), Some(r#""messages";r=0;t=3"#));
    assert_eq!(reply.header("ratelimit-policy"), Some(r#""messages";q=50;w=1"#));
    server.fake.refuse(Problem::RequestInProgress, Some(1));
    let reply = client.call("POST", "/v2.1/sms", ONE).await;
    assert_eq!((reply.status, reply.header("retry-after")), (409, Some("1")));
}

#[tokio::test]
async fn a_panic_is_a_500_envelope_and_the_connection_goes_on() {
    let server = Server::start();
    let mut client = server.client().await;
    server.fake.script(crate::support::fake::Script::Panic);
    let reply = client.call("POST", "/v2.1/sms", ONE).await;
    assert_eq!((reply.status, reply.codes()), (500, vec!["E-9-001".into()]));
    assert_eq!(client.call("POST", "/v2.1/sms", ONE).await.status, 200);
}

#[tokio::test]
async fn idempotency_keys_are_visible_ascii_up_to_255() {
    let server = Server::start();
    let mut client = server.client().await;
    let long = "k".repeat(255);
    let reply = client.exchange(&request("POST", "/v2.1/sms", &[("idempotency-key", &long)], ONE)).await;
    assert_eq!(reply.status, 200);
    assert!(reply.header("idempotency-expires").is_some());
    let too_long = "k".repeat(256);
    for bad in ["a b", "", "ż", &too_long] {
        let reply = client.exchange(&request("POST", "/v2.1/sms", &[("idempotency-key", bad)], ONE)).await;
        assert_eq!((reply.status, reply.codes()), (422, vec!["E-4-019".into()]), "{bad}");
    }
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    assert_eq!(client.exchange(&request("POST", "/v2.1/sms", &twice, ONE)).await.status, 422);
}

#[tokio::test]
async fn a_preview_tells_encoding_parts_price_and_route() {
    let server = Server::start();
    let mut client = server.client().await;
    let body = br#"{"sender":"ACME","message":"za\u017c\u00f3\u0142\u0107","phoneNumbers":["+48111222333","x"]}"#;
    let reply = client.call("POST", "/v2.1/sms/preview", body).await;
    let envelope = reply.envelope();
    assert_eq!(reply.status, 207);
    let data = json!([{"phoneNumber":"+48111222333","encoding":8,"lane":"standard","numberOfParts":2,"numberOfUnits":80,"smsPrice":1400,"currency":985,
        "message":"zażółć","route":"operator-one","forcingCharacters":["ż","ł"],"forcingPositions":[2,4,5],
        "choices":[{"choice":"gsm7-transliterated","encoding":0,"numberOfParts":1,"numberOfUnits":80,"smsPrice":700,"replaced":3}]}]);
    assert_eq!(envelope["data"], data);
    assert!(server.fake.orders().is_empty());
}

#[tokio::test]
async fn a_cancel_tells_each_message_apart() {
    let server = Server::start();
    let mut client = server.client().await;
    let reply = client.call("DELETE", "/v2.1/sms", br#"{"externalId":["a-1","gone-1","late-1"]}"#).await;
    let envelope = reply.envelope();
    assert_eq!((reply.status, reply.codes()), (207, vec!["E-5-002".into(), "E-6-004".into()]));
    assert_eq!((&envelope["data"][0]["externalId"], &envelope["data"][0]["status"]), (&json!("a-1"), &json!(10)));
    assert_eq!(envelope["data"][0].as_object().unwrap().len(), 14);
    assert_eq!(envelope["errors"][0]["meta"]["source"], "gone-1");
    assert_eq!(client.call("DELETE", "/v2.1/sms", br#"{"externalId":["a-1"]}"#).await.status, 200);
    assert_eq!(client.call("DELETE", "/v2.1/sms", br#"{"externalId":["gone-1"]}"#).await.status, 404);
    assert_eq!(client.call("DELETE", "/v2.1/sms", br#"{"externalId":["late-1"]}"#).await.status, 409);
    for (body, code) in [
        ("{}", "E-4-001"),
        (r#"{"externalId":[]}"#, "E-4-001"),
        (r#"{"externalId":"a"}"#, "E-4-002"),
        (r#"{"externalId":["a",1]}"#, "E-4-002"),
        (r#"{"externalId":["a","ż"]}"#, "E-4-015"),
    ] {
        let reply = client.call("DELETE", "/v2.1/sms", body.as_bytes()).await;
        assert_eq!((reply.status, reply.codes()), (422, vec![code.to_owned()]), "{body}");
    }
    assert_eq!(client.call("DELETE", "/v2.1/sms", b"").await.status, 400);
}

#[tokio::test]
async fn a_reference_is_remembered_as_long_as_the_server_says() {
    let fake = Fake::new();
    let options = Options { idempotency_life_ms: 6 * 3_600_000, ..Options::default() };
    let api = Api::new(fake.clone(), fake.0.clock.clone(), &Random::seeded(1), options);
    let body = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["+48111222333"],"externalId":"order-1"}"#;
    let request = hyper::Request::post("/v2.1/sms")
        .header("authorization", AUTHORIZATION)
        .header("application-key", APPLICATION_KEY)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_static(body)))
        .unwrap();
    let response = api.answer(request, &Origin::new(Ipv4Addr::LOCALHOST.into())).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["idempotency-expires"], "Sun, 22 Nov 2026 16:15:00 GMT");
}
