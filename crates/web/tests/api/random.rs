//! Whatever comes, an envelope goes back.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use domain::random::Random;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use proptest::prelude::*;
use serde_json::Value;
use web::api::{Api, Options};
use web::serve::{Handler, Origin};

use crate::support::client::envelope;
use crate::support::fake::{APPLICATION_KEY, AUTHORIZATION, Fake, record};

const ENDPOINTS: [(&str, &str); 9] = [
    ("POST", "/v2.1/sms"),
    ("POST", "/v2.1/sms/preview"),
    ("POST", "/v2.1/sms/hlr"),
    ("DELETE", "/v2.1/sms"),
    ("GET", "/v2.1/sms"),
    ("GET", "/v2/sms/statuses"),
    ("OPTIONS", "/v2.1/sms/senders"),
    ("PATCH", "/v2.1/sms"),
    ("GET", "/v2.1/other"),
];
const FIELDS: [&str; 12] = [
    "sender",
    "message",
    "phoneNumbers",
    "validity",
    "scheduleTime",
    "type",
    "shortLink",
    "webhookUrl",
    "externalId",
    "priority",
    "x",
    "",
];
const PARAMETERS: [&str; 12] = [
    "externalId",
    "offset",
    "limit",
    "sender",
    "phoneNumber",
    "status",
    "orderBy",
    "orderDirection",
    "dateFrom",
    "dateTo",
    "getFullDate",
    "cursor",
];

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(Value::from("ACME")),
        "\\+?[0-9]{5,16}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(&FIELDS[..]), inner), 0..8).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

fn object() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((prop::sample::select(&FIELDS[..]), json()), 0..12).prop_map(|members| {
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>().to_string().into_bytes()
    })
}

/// An object with some octets changed.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    (object(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)).prop_map(
        |(mut body, changes)| {
            for (index, octet) in changes {
                let index = index.index(body.len());
                body[index] = octet;
            }
            body
        },
    )
}

fn query() -> impl Strategy<Value = String> {
    let value =
        prop_oneof!["[ -~]{0,20}", "[0-9]{1,12}", "[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9:]{8})?", "%[0-9a-f]{2}.{0,3}"];
    let pair = (prop::sample::select(&PARAMETERS[..]), value).prop_map(|(name, value)| format!("{name}={value}"));
    prop::collection::vec(pair, 0..5).prop_map(|pairs| pairs.join("&"))
}

/// Only what an URI may hold; the rest never reaches the API.
fn uri(path: &str, query: &str) -> String {
    let allowed = |character: &char| character.is_ascii_graphic() && !"#<>\"`{}|\\^".contains(*character);
    format!("{path}?{}", query.chars().filter(allowed).collect::<String>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_is_answered_in_the_envelope(
        endpoint in prop::sample::select(&ENDPOINTS[..]),
        body in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), object(), damaged()],
        query in query(),
        coding in prop::option::weighted(0.2, prop::sample::select(&["gzip", "deflate", "br", "zstd", "x"][..])),
        right_keys in prop::bool::weighted(0.95),
    ) {
        let fake = Fake::new();
        fake.hold(vec![record("a", "48111222333", domain::state::Status::New)]);
        let api = Api::new(fake.clone(), fake.0.clock.clone(), &Random::seeded(1), Options::default());
        let (method, path) = endpoint;
        let authorization = if right_keys { AUTHORIZATION } else { "wrong" };
        let mut builder = Request::builder().method(method).uri(uri(path, &query));
        builder = builder.header("authorization", authorization).header("application-key", APPLICATION_KEY);
        if let Some(coding) = coding {
            builder = builder.header("content-encoding", coding);
        }
        let request = builder.body(Full::new(Bytes::from(body))).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (status, body) = runtime.block_on(async {
            let response = api.answer(request, &Origin::new(IpAddr::V4(Ipv4Addr::LOCALHOST))).await;
            let status = response.status().as_u16();
            (status, response.into_body().collect().await.unwrap().to_bytes())
        });
        envelope(status, &body);
        prop_assert!(status != 500);
    }
}
