//! Short links over the real flow and the real store: priced, sent, followed, remembered.

#![allow(clippy::unwrap_used, reason = "a surprise ends a test")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::click::Agent;
use domain::clock::Clock;
use domain::random::Random;
use flow::Flow;
use flow::follow::Visit;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request};
use serde_json::{Value, json};
use store::Store;
use store::control::{ControlDb, Setup};
use web::api::{Api, Options};
use web::auth::TrustedProxies;
use web::backend::Live;
use web::links::Links;
use web::serve::{Handler, Origin};

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
balance = "1000.0000"

[[account.sender]]
name = "ACME"

[[account.key]]
name = "backend"
authorization = "AuthorizationOfTheLiveTest0123456789"
application_key = "ApplicationKeyOfTheLiveTest"
senders = ["ACME"]
permissions = ["sms.send", "sms.read"]
"#;
const BASE: &str = "https://s.example.com/";
/// Units of every short link: the base and twelve characters.
const LINK_UNITS: usize = BASE.len() + 12;

struct Place {
    api: Api<Live>,
    links: Links<flow::follow::Follow>,
    flow: Flow,
    _directory: tempfile::TempDir,
}

impl Place {
    async fn open(links_base: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = store::Options::new(directory.path());
        let control = ControlDb::open(directory.path(), &options.master_key_file).unwrap();
        control.apply(&Setup::parse("setup.toml", SETUP).unwrap(), false).unwrap();
        drop(control);
        let (clock, random) = (Clock::system(), Random::system());
        let store = Store::open(options, clock.clone()).unwrap();
        let flow_options =
            flow::Options { links_base: links_base.map(str::to_owned), ..flow::Options::new(Random::system()) };
        let flow = Flow::start(store.clone(), clock.clone(), flow_options).await.unwrap();
        let api = Api::new(
            Live::new(flow.accept.clone(), flow.tell.clone(), flow.explain.clone(), store),
            clock,
            &random,
            Options::default(),
        );
        let links = Links::new(flow.follow.clone(), &random, TrustedProxies::default());
        Self { api, links, flow, _directory: directory }
    }

    async fn call(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let builder = Request::builder().method(method).uri(target);
        let builder = builder.header("authorization", "AuthorizationOfTheLiveTest0123456789");
        let builder = builder.header("application-key", "ApplicationKeyOfTheLiveTest");
        let (status, _, answer) = answer(&self.api, builder, &body.to_string()).await;
        (status, answer)
    }

    async fn send(&self, message: &str, numbers: &[&str]) -> (u16, Value) {
        self.call("POST", "/v2.1/sms", &order(message, numbers)).await
    }

    /// Asks until so many items are there: a slow disk may be behind the redirects.
    async fn listed(&self, target: &str, count: usize) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let (_, answer) = self.call("GET", target, &json!({})).await;
            if answer["meta"]["numberOfData"] == json!(count) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{count} items wanted of {target}: {answer}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn open_link(&self, method: &str, path: &str, agent: &str) -> (u16, Option<String>) {
        let builder = Request::builder().method(method).uri(path).header("user-agent", agent);
        let (status, headers, _) = answer(&self.links, builder, "").await;
        (status, headers.get("location").map(|value| value.to_str().unwrap().to_owned()))
    }
}

fn order(message: &str, numbers: &[&str]) -> Value {
    json!({"sender": "ACME", "message": message, "phoneNumbers": numbers, "shortLink": true})
}

async fn answer(handler: &impl Handler, builder: hyper::http::request::Builder, body: &str) -> (u16, HeaderMap, Value) {
    let request = builder.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let response = handler.answer(request, &Origin::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)))).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, serde_json::from_slice(&body).unwrap())
}

/// The paths of the short links in a text.
fn paths(text: &str) -> Vec<String> {
    let codes = text.split(BASE).skip(1);
    codes.map(|rest| format!("/{}", &rest[..12])).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_domain_short_links_are_refused() {
    let place = Place::open(None).await;
    let (status, answer) = place.send("see https://a.example/x", &["48111222333"]).await;
    assert_eq!((status, &answer["errors"][0]["code"]), (422, &json!("E-4-017")), "{answer}");
    place.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_and_price_are_counted_with_the_short_links() {
    let place = Place::open(Some(BASE)).await;
    let long = format!("https://a.example/{}", "x".repeat(300));
    for url in ["http://a.pl", &long, "https://a.example/ż?q=^{}[]~"] {
        for (units, parts) in [(159, 1), (160, 1), (161, 2), (306, 2), (307, 3)] {
            let message = format!("{}{url}", "a".repeat(units - LINK_UNITS - 1) + " ");
            let (status, preview) = place.call("POST", "/v2.1/sms/preview", &order(&message, &["48111222333"])).await;
            let item = &preview["data"][0];
            assert_eq!((status, &item["encoding"]), (200, &json!(0)), "{preview}");
            assert_eq!(
                (&item["numberOfUnits"], &item["numberOfParts"]),
                (&json!(units), &json!(parts)),
                "{url} {units}"
            );
            assert_eq!((&item["smsPrice"], &item["forcingCharacters"]), (&json!(700 * parts), &json!([])));
            let (status, sent) = place.send(&message, &["48111222333"]).await;
            let item = &sent["data"][0];
            assert_eq!((status, &item["numberOfParts"], &item["smsPrice"]), (200, &json!(parts), &json!(700 * parts)));
            assert_eq!(item["message"].as_str().unwrap().len(), units);
        }
    }
    // UCS-2 counts the same way.
    let message = format!("ż{} http://a.pl", "a".repeat(70 - LINK_UNITS - 2));
    let (_, sent) = place.send(&message, &["48111222333"]).await;
    assert_eq!((&sent["data"][0]["numberOfParts"], &sent["data"][0]["encoding"]), (&json!(1), &json!(8)));
    let (_, sent) = place.send(&format!("a{message}"), &["48111222333"]).await;
    assert_eq!(sent["data"][0]["numberOfParts"], json!(2));
    place.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_shortened_is_refused_and_nothing_is_kept() {
    let place = Place::open(Some(BASE)).await;
    for (message, code) in [
        ("https://user:password@a.example/".to_owned(), "E-4-024"),
        (format!("https://a.example/{}", "x".repeat(2_100)), "E-4-024"),
        ("https://a.example/x ".repeat(11), "E-4-025"),
    ] {
        let (status, answer) = place.send(&message, &["48111222333"]).await;
        assert_eq!((status, &answer["errors"][0]["code"]), (422, &json!(code)), "{answer}");
        assert_eq!(answer["errors"][0]["meta"]["parameter"], "message");
    }
    assert_eq!(place.call("GET", "/v2.1/sms", &json!({})).await.0, 404);
    let (status, plain) = place.send("no link in here: javascript:alert(1)", &["48111222333"]).await;
    assert_eq!((status, &plain["data"][0]["shortLink"]), (200, &json!(true)));
    assert_eq!(plain["data"][0]["message"], "no link in here: javascript:alert(1)");
    place.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recipient_gets_links_of_his_own_and_they_lead_to_the_urls() {
    let place = Place::open(Some(BASE)).await;
    let message = "A: https://a.example/x?y=ż, B: HTTP://B.example.";
    let mut order = order(message, &["48111222333", "48111222334", "48111222333"]);
    order["externalId"] = json!("order");
    let (status, sent) = place.call("POST", "/v2.1/sms", &order).await;
    assert_eq!((status, sent["data"].as_array().unwrap().len()), (207, 2), "{sent}");
    let texts: Vec<&str> =
        sent["data"].as_array().unwrap().iter().map(|item| item["message"].as_str().unwrap()).collect();
    assert!(texts[0] != texts[1] && texts[0].len() == texts[1].len(), "{texts:?}");
    let (_, again) = place.call("POST", "/v2.1/sms", &order).await;
    assert_eq!(again["data"], sent["data"], "a repeat has the same links");
    let (_, listed) = place.call("GET", "/v2.1/sms?orderDirection=ASC", &json!({})).await;
    assert_eq!(listed["data"], sent["data"], "a message is listed as it was sent");

    for (text, number) in texts.iter().zip(["0001", "0002"]) {
        let paths = paths(text);
        let targets = ["https://a.example/x?y=%C5%BC", "http://b.example/"];
        for (path, target) in paths.iter().zip(targets) {
            assert_eq!(place.open_link("GET", path, "Mozilla/5.0 (iPhone)").await, (302, Some(target.to_owned())));
        }
        assert_eq!(place.open_link("GET", &format!("{}.", paths[0]), "WhatsApp/2.23.20.0 A").await.0, 302);
        assert_eq!(place.open_link("HEAD", &paths[0], "curl/8.5.0").await.0, 302);
        let path = format!("/v2.1/sms/clicks?externalId=C-order-{number}");
        let clicks = place.listed(&path, 4).await;
        let told = |item: &Value| (item["url"].clone(), item["agent"].clone(), item["counted"].clone());
        let told: Vec<_> = clicks["data"].as_array().unwrap().iter().map(told).collect();
        let (one, two) = (json!("https://a.example/x?y=ż"), json!("HTTP://B.example"));
        let expected = [
            (one.clone(), json!("probe"), json!(false)),
            (one.clone(), json!("bot"), json!(false)),
            (two, json!("phone"), json!(true)),
            (one, json!("phone"), json!(true)),
        ];
        assert_eq!(told.as_slice(), expected.as_slice(), "{clicks}");
        assert_eq!(clicks["data"][0]["network"], "203.0.113.0/24");
        assert_eq!(clicks["data"][0]["externalId"], format!("order-{number}"));
    }
    let (_, people) = place.call("GET", "/v2.1/sms/clicks?onlyCounted=1&limit=3", &json!({})).await;
    assert_eq!(people["data"].as_array().unwrap().len(), 3);
    assert!(people["meta"]["nextCursor"].is_string(), "{people}");
    assert_eq!(place.flow.follow.stats().opened(Agent::Phone), 4);

    // Every click of a person is an event, and no other.
    let events = place.listed("/v2.1/events", 4).await;
    let events: Vec<_> = events["data"].as_array().unwrap().iter().collect();
    for (event, (number, url)) in events.iter().zip(
        ["0001", "0002"].iter().flat_map(|number| [(number, "https://a.example/x?y=ż"), (number, "HTTP://B.example")]),
    ) {
        assert_eq!((&event["event"], &event["url"]), (&json!("sms.click"), &json!(url)));
        assert_eq!(event["externalId"], format!("order-{number}"));
        assert!(event["phoneNumber"].is_string() && event["clickTime"].is_i64() && event["eventId"].is_string());
    }
    place.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_is_transliterated_around_its_links() {
    let place = Place::open(Some(BASE)).await;
    let mut order = order("Żółw: https://a.example/ż, gęś", &["48111222333"]);
    order["encoding"] = json!("gsm7-transliterated");
    let (_, preview) = place.call("POST", "/v2.1/sms/preview", &order).await;
    assert_eq!(preview["data"][0]["message"], format!("Zolw: {BASE}000000000000, ges"), "{preview}");
    let (status, sent) = place.call("POST", "/v2.1/sms", &order).await;
    let text = sent["data"][0]["message"].as_str().unwrap();
    assert_eq!((status, &sent["data"][0]["encoding"]), (200, &json!(0)), "{sent}");
    assert!(text.starts_with(&format!("Zolw: {BASE}")) && text.ends_with(", ges"), "{text}");
    let target = place.open_link("GET", &paths(text)[0], "curl/8").await;
    assert_eq!(target, (302, Some("https://a.example/%C5%BC".to_owned())));
    place.flow.stop().await;
}

/// The wait for the disk is bounded, so a slow one excuses a click, and only that one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_means_a_recorded_click() {
    let place = Place::open(Some(BASE)).await;
    let (_, sent) = place.send("https://a.example/x", &["48111222333"]).await;
    let path = paths(sent["data"][0]["message"].as_str().unwrap())[0].clone();
    let late = || place.flow.follow.stats().late.load(std::sync::atomic::Ordering::Relaxed);
    let mut excused = 0;
    for clicks in 1..=60 {
        let before = late();
        assert_eq!(place.open_link("GET", &path, "curl/8").await.0, 302);
        if late() > before {
            excused += 1;
            continue;
        }
        let (_, listed) = place.call("GET", "/v2.1/sms/clicks", &json!({})).await;
        assert_eq!(listed["meta"]["numberOfData"], json!(clicks), "{excused} came late before");
    }
    // Whoever opens a link more often than people do is redirected and not recorded.
    assert_eq!(place.open_link("GET", &path, "curl/8").await.0, 302);
    assert_eq!(place.flow.follow.stats().limited.load(std::sync::atomic::Ordering::Relaxed), 1);
    place.flow.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_and_damaged_codes_lead_nowhere() {
    let place = Place::open(Some(BASE)).await;
    let numbers: Vec<String> = (0..500).map(|number| format!("48{}", 600_000_000 + number)).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let (status, sent) = place.send("https://a.example/x", &numbers).await;
    assert_eq!(status, 200, "{sent}");
    let code = paths(sent["data"][0]["message"].as_str().unwrap())[0].clone();
    let random = Random::seeded(5);
    let visit = Visit { agent: Agent::Phone, address: IpAddr::V4(Ipv4Addr::LOCALHOST) };
    for _ in 0..100_000 {
        let made_up = random.alphanumeric(12);
        assert_eq!(place.flow.follow.follow(&made_up, visit).await.unwrap(), None, "{made_up}");
    }
    for place_in_code in 1..13 {
        for other in ["0", "Z", "a", "q"] {
            let mut flipped = code.clone();
            flipped.replace_range(place_in_code..=place_in_code, other);
            let expected = if flipped == code { 302 } else { 404 };
            assert_eq!(place.open_link("GET", &flipped, "curl/8").await.0, expected, "{code} {flipped}");
        }
    }
    place.flow.stop().await;
}
