//! Webhooks by the API, over the real flow and the real store, with an operator and receivers on loopback.

#![allow(clippy::unwrap_used, reason = "a surprise ends a test")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::clock::Clock;
use domain::random::Random;
use flow::Flow;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use serde_json::{Value, json};
use simulator::operator::{Operator, OperatorOptions};
use simulator::webhook::{Mood, Secrets, Sink, SinkOptions};
use store::Store;
use store::control::{ControlDb, Setup};
use web::api::{Api, Options};
use web::backend::Live;
use web::serve::{Handler, Origin};

const SECRET_KEY: &str = "the-secret-key";
const SIGNING_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const APPLICATION_KEY: &str = "ApplicationKeyOfTheLiveTest";
/// Keys of the account `acme`, by what they may do, and one of another account.
const ALL: &str = "AuthorizationOfAcmeForAll0123456789";
const READ: &str = "AuthorizationOfAcmeForReading0123456789";
const SEND: &str = "AuthorizationOfAcmeForSending0123456789";
const HOOKS: &str = "AuthorizationOfAcmeForHooks0123456789";
const RIVAL: &str = "AuthorizationOfTheRival0123456789";
const PATIENCE: Duration = Duration::from_secs(60);

struct Place {
    api: Api<Live>,
    sink: Sink,
    _flow: Flow,
    _operator: Operator,
    _directory: tempfile::TempDir,
}

fn setup(operator_port: u16, url: &str) -> String {
    let key = |name: &str, authorization: &str, permissions: &str| {
        format!(
            "[[account.key]]\nname = \"{name}\"\nauthorization = \"{authorization}\"\n\
             application_key = \"{APPLICATION_KEY}\"\npermissions = [{permissions}]\n"
        )
    };
    let account = |name: &str| {
        format!("[[account]]\nname = \"{name}\"\nbalance = \"10.0000\"\n[[account.sender]]\nname = \"ACME\"\n")
    };
    let all = r#""sms.send", "sms.read", "webhook.write""#;
    [
        format!(
            "[[carrier]]\nname = \"one\"\nhost = \"127.0.0.1\"\nport = {operator_port}\npassword = \"secret\"\n\
             [[route]]\nprefix = \"48\"\ncarriers = [\"one\"]\n"
        ),
        account("acme"),
        key("all", ALL, all),
        key("read", READ, r#""sms.read""#),
        key("send", SEND, r#""sms.send""#),
        key("hooks", HOOKS, r#""webhook.write""#),
        // Two tries: the second comes so soon that a test can wait for the end.
        format!(
            "[[account.webhook]]\nevent = \"sms.status\"\nurl = \"{url}\"\nsecret_key = \"{SECRET_KEY}\"\n\
             signing_secret = \"{SIGNING_SECRET}\"\nbasic_user = \"posthorn\"\nbasic_password = \"canary\"\n\
             retry_seconds = [1]\n"
        ),
        account("rival"),
        key("all", RIVAL, all),
        format!("[[account.webhook]]\nevent = \"sms.status\"\nurl = \"{url}/rival\"\n"),
    ]
    .concat()
}

impl Place {
    async fn open() -> Self {
        let sink = Sink::start(&SinkOptions::local(), true).await.unwrap();
        sink.set_secrets(Secrets { secret_key: SECRET_KEY.into(), signing_secret: SIGNING_SECRET.into() });
        let operator = Operator::start(&OperatorOptions::local(), false).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let options = store::Options::new(directory.path());
        let control = ControlDb::open(directory.path(), &options.master_key_file).unwrap();
        let text = setup(operator.address.port(), &sink.url());
        control.apply(&Setup::parse("setup.toml", &text).unwrap(), false).unwrap();
        drop(control);
        let clock = Clock::system();
        let store = Store::open(options, clock.clone()).unwrap();
        let allow_private_addresses = vec!["127.0.0.0/8".parse().unwrap()];
        let flow_options = flow::Options {
            tell: flow::tell::Options { allow_private_addresses, ..flow::tell::Options::default() },
            ..flow::Options::new(Random::system())
        };
        let flow = Flow::start(store.clone(), clock.clone(), flow_options).await.unwrap();
        let backend = Live::new(flow.accept.clone(), flow.tell.clone(), flow.explain.clone(), store);
        let api = Api::new(backend, clock, &Random::system(), Options::default());
        Self { api, sink, _flow: flow, _operator: operator, _directory: directory }
    }

    async fn call_as(&self, key: &str, method: &str, target: &str, body: &str) -> (u16, Value) {
        let builder = Request::builder().method(method).uri(target);
        let builder = builder.header("authorization", key).header("application-key", APPLICATION_KEY);
        let request = builder.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response = self.api.answer(request, &Origin::new(IpAddr::V4(Ipv4Addr::LOCALHOST))).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn get(&self, target: &str) -> (u16, Value) {
        self.call_as(ALL, "GET", target, "").await
    }

    async fn post(&self, target: &str, body: Value) -> (u16, Value) {
        self.call_as(ALL, "POST", target, &body.to_string()).await
    }

    /// Sends a message of this account; it is delivered, and told.
    async fn send(&self, key: &str, external_id: &str) {
        let body =
            json!({"sender": "ACME", "message": "x", "phoneNumbers": ["48500100200"], "externalId": external_id});
        let (status, sent) = self.call_as(key, "POST", "/v2.1/sms", &body.to_string()).await;
        assert_eq!(status, 200, "{sent}");
    }

    /// Asks until the answer is as wanted: attempts come to the store a second later than they are made.
    async fn until(&self, target: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, answer) = self.get(target).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{target}: {answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn until_listed(&self, target: &str, count: usize) -> Value {
        self.until(target, |answer| answer["meta"]["numberOfData"] == json!(count)).await
    }

    async fn until_received(&self, events: usize) {
        assert!(
            self.sink.wait_for(PATIENCE, |sink| sink.received().len() >= events).await,
            "{:?}",
            self.sink.received()
        );
    }
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["errors"].as_array().into_iter().flatten().map(|error| error["code"].as_str().unwrap()).collect()
}

/// Replaces what differs from run to run, so that the rest can be compared.
fn stable(mut answer: Value, place: &Place) -> String {
    fn walk(value: &mut Value) {
        const MOMENTS: [&str; 9] =
            ["time", "uniqId", "requestId", "latencyMs", "bodyOctets", "seq", "eventId", "statusTime", "nextCursor"];
        match value {
            Value::Array(items) => items.iter_mut().for_each(walk),
            Value::Object(members) => {
                for (name, member) in members {
                    if MOMENTS.contains(&&**name) {
                        *member = json!("…");
                    } else {
                        walk(member);
                    }
                }
            }
            Value::String(text) => {
                for name in ["webhook-id", "request-id", "webhook-timestamp", "webhook-signature", "x-webhook-"] {
                    if text.starts_with(name) {
                        *text = format!("{}: …", text.split(':').next().unwrap());
                    }
                }
            }
            _ => {}
        }
    }
    walk(&mut answer);
    for item in answer.get_mut("data").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(ids) = item.get_mut("eventIds") {
            *ids = json!(ids.as_array().unwrap().len());
        }
    }
    let text = serde_json::to_string_pretty(&answer).unwrap();
    let text = text.replace(concat!("Posthorn/", env!("CARGO_PKG_VERSION")), "Posthorn/VERSION");
    text.replace(&place.sink.address.to_string(), "RECEIVER")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_webhook_endpoint_answers_as_it_is_documented() {
    let place = Place::open().await;
    let (status, answer) = place.get("/v2.1/webhooks/attempts").await;
    assert_eq!((status, codes(&answer)), (404, vec!["E-5-001"]));
    place.send(ALL, "order-1").await;
    place.until_received(1).await;
    let mut shown = Vec::new();
    let working = |answer: &Value| answer["data"][0]["waiting"] == 0 && answer["data"][0]["callsInProgress"] == 0;
    shown.push(stable(place.until("/v2.1/webhooks", working).await, &place));
    shown.push(stable(place.until_listed("/v2.1/webhooks/attempts", 1).await, &place));
    shown.push(stable(place.get("/v2.1/events").await.1, &place));
    shown.push(stable(place.post("/v2.1/webhooks/test", json!({ "event": "sms.status" })).await.1, &place));
    place.sink.answer_next([Mood::Answer { status: 500, after_ms: 0 }]);
    let (status, answer) = place.post("/v2.1/webhooks/test", json!({})).await;
    assert_eq!(status, 409);
    shown.push(stable(answer, &place));
    assert_eq!(codes(&place.post("/v2.1/webhooks/test", json!({ "event": "sms.click" })).await.1), ["E-5-005"]);
    assert_eq!(codes(&place.post("/v2.1/webhooks/enable", json!({ "event": "sms.status" })).await.1), ["E-6-006"]);
    assert_eq!(place.sink.bad_calls(), 0, "test calls are signed as real ones are");
    insta::assert_snapshot!(shown.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_answers_410_is_off_until_it_is_enabled() {
    let place = Place::open().await;
    place.sink.answer_next([Mood::Answer { status: 410, after_ms: 0 }]);
    place.send(ALL, "order-1").await;
    let off = place.until("/v2.1/webhooks", |answer| answer["data"][0]["state"] == "off").await;
    assert_eq!(off["data"][0]["offReason"], "gone");
    let dead = place.until_listed("/v2.1/events/dead", 1).await;
    assert_eq!((&dead["data"][0]["externalId"], &dead["data"][0]["httpStatus"]), (&json!("order-1"), &json!(410)));
    let calls = place.sink.calls();
    place.send(ALL, "order-2").await;
    place.until_listed("/v2.1/events/dead", 2).await;
    assert_eq!(place.sink.calls(), calls, "an endpoint that is off is not called");

    let (status, answer) = place.post("/v2.1/webhooks/enable", json!({ "event": "sms.status" })).await;
    assert_eq!((status, &answer["data"]), (200, &json!([{ "enabled": 1 }])), "{answer}");
    assert_eq!(place.post("/v2.1/events/replay", json!({})).await.1["data"], json!([{ "replayed": 2 }]));
    place.until_received(3).await;
    place.until("/v2.1/webhooks", |answer| answer["data"][0]["state"] == "working").await;
    assert_eq!(place.get("/v2.1/events/dead").await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_read_on_by_a_cursor_and_replayed_one_by_one_by_filter_and_since_a_moment() {
    let place = Place::open().await;
    for number in 1..=3 {
        place.send(ALL, &format!("order-{number}")).await;
        place.until_received(number).await;
    }
    let (mut cursor, mut read) = (String::new(), Vec::new());
    loop {
        let (status, page) = place.get(&format!("/v2.1/events?limit=1{cursor}")).await;
        let next = page["meta"]["nextCursor"].as_str().unwrap();
        cursor = format!("&cursor={next}");
        if status == 404 {
            break;
        }
        read.push(page["data"][0].clone());
    }
    let first = place.sink.received();
    let told: Vec<Value> = first.iter().map(|received| received.event.clone()).collect();
    assert_eq!(read, told, "what is read is what was told");
    // An event that waits for its next try can't be replayed: they are told, and that must be durable.
    let at_rest = |answer: &Value| answer["data"][0]["waiting"] == 0;
    place.until("/v2.1/webhooks", at_rest).await;

    let replay = async |body: Value| place.post("/v2.1/events/replay", body).await.1["data"][0]["replayed"].clone();
    assert_eq!(replay(json!({ "eventIds": [told[1]["eventId"]] })).await, 1);
    place.until_received(4).await;
    let again = place.sink.received()[3].clone();
    assert_eq!((again.event_id(), again.attempt), (first[1].event_id(), first[1].attempt + 1), "one id, another try");
    place.until("/v2.1/webhooks", at_rest).await;
    let since = json!({ "only": "all", "dateFrom": "2026-01-01 00:00:00" });
    assert_eq!(replay(since.clone()).await, 3);
    place.until_received(7).await;
    place.until("/v2.1/webhooks", at_rest).await;
    let later = json!({ "only": "all", "dateFrom": "2099-01-01 00:00:00" });
    assert_eq!(codes(&place.post("/v2.1/events/replay", later).await.1), ["E-5-001"]);

    // Down for both tries: a dead letter, which comes by its id or by the filter.
    let down = Mood::Answer { status: 503, after_ms: 0 };
    place.sink.answer_next([down, down]);
    place.send(ALL, "order-4").await;
    place.until_listed("/v2.1/events/dead", 1).await;
    assert_eq!(replay(json!({ "event": "sms.status" })).await, 1);
    place.until_received(10).await;
    let last = place.sink.received()[9].clone();
    assert_eq!((last.external_id(), last.attempt, last.answered), ("order-4", 3, 200));
    assert_eq!(place.sink.bad_calls(), 0, "every call was signed");

    // Four made good calls at once, three by replays and two that failed: each is kept and says what it was.
    let attempts = place.until("/v2.1/webhooks/attempts", |answer| {
        let items = answer["data"].as_array();
        items.is_some_and(|items| {
            items.iter().map(|item| item["eventIds"].as_array().unwrap().len()).sum::<usize>() == 10
        })
    });
    let attempts = attempts.await;
    let failed = place.until_listed("/v2.1/webhooks/attempts?failed=1", 2).await;
    assert!(failed["data"].as_array().unwrap().iter().all(|item| item["httpStatus"] == 503), "{failed}");
    assert!(!attempts.to_string().contains("canary"), "the password of HTTP Basic");
    let page = place.until_listed("/v2.1/webhooks/attempts?limit=2", 2).await;
    let cursor = page["meta"]["nextCursor"].as_str().unwrap();
    let (_, next) = place.get(&format!("/v2.1/webhooks/attempts?limit=1&cursor={cursor}")).await;
    assert_eq!(next["data"][0], attempts["data"][2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_see_nothing_of_each_other() {
    let place = Place::open().await;
    let down = Mood::Answer { status: 410, after_ms: 0 };
    place.sink.answer_next([down]);
    place.send(ALL, "order-1").await;
    place.until_listed("/v2.1/events/dead", 1).await;
    place.until_listed("/v2.1/webhooks/attempts", 1).await;
    let of_acme = place.get("/v2.1/events").await.1["data"][0]["eventId"].clone();
    let rival = async |method: &str, target: &str, body: &str| place.call_as(RIVAL, method, target, body).await;
    for target in
        ["/v2.1/webhooks/attempts", "/v2.1/webhooks/attempts?cursor=999999", "/v2.1/events", "/v2.1/events/dead"]
    {
        let (status, answer) = rival("GET", target, "").await;
        assert_eq!((status, codes(&answer)), (404, vec!["E-5-001"]), "{target}: {answer}");
    }
    let (_, own) = rival("GET", "/v2.1/webhooks", "").await;
    assert_eq!(own["meta"]["numberOfData"], 1);
    assert_eq!(
        (&own["data"][0]["url"], &own["data"][0]["state"]),
        (&json!(place.sink.url() + "/rival"), &json!("working"))
    );
    let replay = json!({ "eventIds": [of_acme] }).to_string();
    let (status, answer) = rival("POST", "/v2.1/events/replay", &replay).await;
    assert_eq!((status, codes(&answer)), (404, vec!["E-5-003"]));
    for body in [json!({}), json!({ "url": place.sink.url() })] {
        let (status, answer) = rival("POST", "/v2.1/webhooks/enable", &body.to_string()).await;
        assert_eq!((status, codes(&answer)), (409, vec!["E-6-006"]));
    }
    let (_, tested) = rival("POST", "/v2.1/webhooks/test", "{}").await;
    assert_eq!(tested["data"][0]["url"], place.sink.url() + "/rival", "its own");
    assert_eq!(place.get("/v2.1/webhooks").await.1["data"][0]["state"], "off", "acme's is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_webhook_endpoint_needs_its_permission() {
    let place = Place::open().await;
    let calls = [
        ("GET", "/v2.1/webhooks", HOOKS),
        ("POST", "/v2.1/webhooks/test", HOOKS),
        ("POST", "/v2.1/webhooks/enable", HOOKS),
        ("GET", "/v2.1/webhooks/attempts", HOOKS),
        ("POST", "/v2.1/events/replay", HOOKS),
        ("GET", "/v2.1/events", READ),
        ("GET", "/v2.1/events/dead", READ),
    ];
    for (method, target, allowed) in calls {
        for key in [READ, SEND, HOOKS] {
            let body = if method == "POST" { "{}" } else { "" };
            let (status, answer) = place.call_as(key, method, target, body).await;
            assert_eq!(status == 403, key != allowed, "{method} {target} by {key}: {answer}");
            assert_eq!(codes(&answer).contains(&"E-3-001"), key != allowed);
        }
        let (status, _) = place.call_as("AuthorizationOfNobody0123456789", method, target, "{}").await;
        assert_eq!(status, 401);
        let (status, _) = place.call_as(ALL, "PUT", target, "{}").await;
        assert_eq!(status, 405);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_named() {
    let place = Place::open().await;
    let queries = [
        ("attempts?limit=0", "limit", "0"),
        ("attempts?limit=1001", "limit", "1001"),
        ("attempts?limit=x", "limit", "x"),
        ("attempts?cursor=next", "cursor", "next"),
        ("attempts?failed=yes", "failed", "yes"),
    ];
    for (query, parameter, value) in queries {
        let (status, answer) = place.get(&format!("/v2.1/webhooks/{query}")).await;
        assert_eq!((status, codes(&answer)), (422, vec!["E-4-018"]), "{query}");
        let meta = &answer["errors"][0]["meta"];
        assert_eq!((&meta["parameter"], &meta["value"]), (&json!(parameter), &json!(value)), "{query}");
    }
    for target in ["/v2.1/webhooks/test", "/v2.1/webhooks/enable"] {
        for (body, status, code) in [
            (r#"{"event":"sms"}"#, 422, "E-4-018"),
            (r#"{"event":7}"#, 422, "E-4-002"),
            ("", 400, "E-1-001"),
            ("[]", 400, "E-1-001"),
            (r#"{"event":"#, 400, "E-1-001"),
        ] {
            let answer = place.call_as(ALL, "POST", target, body).await;
            assert_eq!((answer.0, codes(&answer.1)), (status, vec![code]), "{target} {body}");
        }
    }
}
