//! The API over the real flow and the real store, without an operator: what is accepted waits.

#![allow(clippy::unwrap_used, reason = "a surprise ends a test")]

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use domain::clock::Clock;
use domain::random::Random;
use flow::Flow;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use serde_json::{Value, json};
use store::Store;
use store::control::{ControlDb, Setup};
use web::api::{Api, Options};
use web::backend::Live;
use web::serve::{Handler, Origin};

const AUTHORIZATION: &str = "AuthorizationOfTheLiveTest0123456789";
const APPLICATION_KEY: &str = "ApplicationKeyOfTheLiveTest";
/// Nothing listens on port 1: the operator is away.
const SETUP: &str = r#"
[[carrier]]
name = "operator-one"
host = "127.0.0.1"
port = 1
system_id = "posthorn"
password = "secret"

[[route]]
prefix = "48"
carriers = ["operator-one"]
price = "0.0700"

[[account]]
name = "acme"
currency = "PLN"
balance = "10.0000"

[[account.sender]]
name = "ACME"

[[account.key]]
name = "backend"
authorization = "AuthorizationOfTheLiveTest0123456789"
application_key = "ApplicationKeyOfTheLiveTest"
senders = ["ACME"]
permissions = ["sms.send", "sms.read", "webhook.write"]
"#;

struct Place {
    api: Api<Live>,
    flow: Flow,
    _directory: tempfile::TempDir,
}

impl Place {
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = store::Options::new(directory.path());
        let control = ControlDb::open(directory.path(), &options.master_key_file).unwrap();
        control.apply(&Setup::parse("setup.toml", SETUP).unwrap(), false).unwrap();
        drop(control);
        let clock = Clock::system();
        let store = Store::open(options, clock.clone()).unwrap();
        let flow_options = flow::Options::new(Random::system());
        let flow = Flow::start(store.clone(), clock.clone(), flow_options).await.unwrap();
        let backend = Live::new(flow.accept.clone(), flow.tell.clone(), flow.explain.clone(), store);
        let api = Api::new(backend, clock, &Random::system(), Options::default());
        Self { api, flow, _directory: directory }
    }

    async fn call(&self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let builder = Request::builder().method(method).uri(target);
        let builder = builder.header("authorization", AUTHORIZATION).header("application-key", APPLICATION_KEY);
        let request = builder.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response = self.api.answer(request, &Origin::new(IpAddr::V4(Ipv4Addr::LOCALHOST))).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_is_read_repeated_and_cancelled() {
    let place = Place::open().await;
    let (status, senders) = place.call("OPTIONS", "/v2.1/sms/senders", "").await;
    assert_eq!((status, &senders["data"][0]["name"]), (200, &json!("ACME")));
    assert_eq!(place.call("GET", "/v2.1/sms", "").await.0, 404);

    let body =
        r#"{"sender":"ACME","message":"Zażółć","phoneNumbers":["+48111222333","48111222334","12"],"externalId":"a"}"#;
    let (status, sent) = place.call("POST", "/v2.1/sms", body).await;
    assert_eq!((status, &sent["meta"]["sentSms"], &sent["meta"]["notSentSms"]), (207, &json!(2), &json!(1)), "{sent}");
    assert_eq!(sent["meta"]["accountBalance"], "9.8600");
    assert_eq!(sent["errors"][0]["code"], "E-4-009");
    let (again, repeated) = place.call("POST", "/v2.1/sms", body).await;
    assert_eq!((again, &repeated["data"]), (207, &sent["data"]));
    assert_eq!(place.call("POST", "/v2.1/sms", &body.replace("Zażółć", "x")).await.0, 409);

    let (status, list) = place.call("GET", "/v2.1/sms?orderDirection=ASC&externalId=C-a-0001", "").await;
    assert_eq!((status, &list["data"]), (200, &json!([sent["data"][0]])), "a message is listed as it was answered");
    let (_, first) = place.call("GET", "/v2.1/sms?limit=1", "").await;
    let cursor = first["meta"]["nextCursor"].as_str().unwrap();
    let (_, second) = place.call("GET", &format!("/v2.1/sms?limit=1&cursor={cursor}"), "").await;
    assert_ne!(first["data"][0]["externalId"], second["data"][0]["externalId"]);

    let later = Clock::system().now().seconds() + 3_600;
    let body = format!(
        r#"{{"sender":"ACME","message":"x","phoneNumbers":["48111222333"],"externalId":"b","scheduleTime":{later}}}"#
    );
    assert_eq!(place.call("POST", "/v2.1/sms", &body).await.0, 200);
    let (status, cancelled) = place.call("DELETE", "/v2.1/sms", r#"{"externalId":["b","nobody"]}"#).await;
    assert_eq!((status, &cancelled["data"][0]["status"]), (207, &json!(10)), "{cancelled}");
    assert_eq!(cancelled["errors"][0]["code"], "E-5-002");
    let (_, statuses) = place.call("GET", "/v2.1/sms/statuses?status=10", "").await;
    assert_eq!(statuses["data"][0]["statusDesc"], "Cancelled");

    let (status, events) = place.call("GET", "/v2.1/events", "").await;
    assert_eq!(
        (status, &events["data"][0]["externalId"], &events["data"][0]["status"]),
        (200, &json!("b"), &json!(10))
    );
    let cursor = events["meta"]["nextCursor"].as_str().unwrap();
    assert_eq!(place.call("GET", &format!("/v2.1/events?cursor={cursor}"), "").await.0, 404, "everything was read");
    let again = format!(r#"{{"eventIds":[{}]}}"#, events["data"][0]["eventId"]);
    assert_eq!(place.call("POST", "/v2.1/events/replay", &again).await.0, 200);
    // Nobody is there to be told: it is given up, and there as a dead letter.
    let given_up = async {
        while place.call("GET", "/v2.1/events/dead", "").await.0 != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), given_up).await.unwrap();

    let (status, preview) = place
        .call("POST", "/v2.1/sms/preview", r#"{"sender":"ACME","message":"ż","phoneNumbers":["48111222333"]}"#)
        .await;
    assert_eq!(
        (status, &preview["data"][0]["route"], &preview["data"][0]["encoding"]),
        (200, &json!("operator-one"), &json!(8))
    );
    encodings_are_chosen_and_compared(&place).await;
    place.flow.stop().await;
}

/// The choice of an encoding: what each would cost, what is sent, and what is refused.
async fn encodings_are_chosen_and_compared(place: &Place) {
    let body = |message: &str, encoding: &str| {
        json!({"sender": "ACME", "message": message, "phoneNumbers": ["48111222333"], "encoding": encoding}).to_string()
    };
    let text = format!("ża{}ż", "b".repeat(120));
    let (status, preview) = place.call("POST", "/v2.1/sms/preview", &body(&text, "auto")).await;
    let item = &preview["data"][0];
    assert_eq!((status, &item["numberOfParts"], &item["smsPrice"]), (200, &json!(2), &json!(1400)), "{preview}");
    assert_eq!((&item["forcingCharacters"], &item["forcingPositions"]), (&json!(["ż"]), &json!([0, 122])));
    let expected = json!([
        {"choice": "auto", "encoding": 8, "numberOfParts": 2, "numberOfUnits": 123, "smsPrice": 1400, "replaced": 0},
        {"choice": "gsm7-transliterated", "encoding": 0, "numberOfParts": 1, "numberOfUnits": 123, "smsPrice": 700, "replaced": 2},
        {"choice": "gsm7-national", "encoding": 8, "numberOfParts": 2, "numberOfUnits": 123, "smsPrice": 1400, "replaced": 0},
        {"choice": "ucs2", "encoding": 8, "numberOfParts": 2, "numberOfUnits": 123, "smsPrice": 1400, "replaced": 0},
    ]);
    assert_eq!(item["choices"], expected);
    let (status, sent) = place.call("POST", "/v2.1/sms", &body("Zażółć", "gsm7-transliterated")).await;
    let item = &sent["data"][0];
    assert_eq!((status, &item["message"], &item["encoding"]), (200, &json!("Zazolc"), &json!(0)), "{sent}");
    let (status, sent) = place.call("POST", "/v2.1/sms", &body("plain", "ucs2")).await;
    assert_eq!((status, &sent["data"][0]["encoding"]), (200, &json!(8)));
    let (status, refused) = place.call("POST", "/v2.1/sms", &body("ok 👍", "gsm7-transliterated")).await;
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("E-4-022")), "{refused}");
    assert_eq!(refused["errors"][0]["meta"]["value"], "👍 at 3");
    for wrong in ["", "gsm7", "AUTO"] {
        let (status, refused) = place.call("POST", "/v2.1/sms", &body("plain", wrong)).await;
        assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("E-4-021")), "{refused}");
        assert_eq!(refused["errors"][0]["meta"]["parameter"], "encoding");
    }
    let number = json!({"sender": "ACME", "message": "x", "phoneNumbers": ["48111222333"], "encoding": 8});
    let (status, refused) = place.call("POST", "/v2.1/sms", &number.to_string()).await;
    assert_eq!((status, &refused["errors"][0]["code"]), (422, &json!("E-4-002")), "{refused}");
}
