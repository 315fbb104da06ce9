//! Keys, permissions, addresses.

use crate::support::client::{Reply, bare_request};
use crate::support::fake::{APPLICATION_KEY, AUTHORIZATION, ELSEWHERE_AUTHORIZATION, READER_AUTHORIZATION};
use crate::support::server::{Server, options};

/// An answer without what differs from one to the next.
fn essence(reply: &Reply) -> (u16, Vec<String>, String) {
    let mut envelope = reply.envelope();
    envelope["meta"]["uniqId"].take();
    let names = reply.headers.iter().map(|(name, _)| name.clone()).filter(|name| name != "date").collect();
    (reply.status, names, envelope.to_string())
}

#[tokio::test]
async fn wrong_keys_are_401_and_tell_nothing_more() {
    let server = Server::start();
    let mut client = server.client().await;
    let bearer = format!("Bearer {AUTHORIZATION}");
    let longer = format!("{AUTHORIZATION}x");
    let huge = "a".repeat(600);
    let mut essences = Vec::new();
    for (authorization, application_key) in [
        ("unknown", APPLICATION_KEY),
        (AUTHORIZATION, "otherapplication"),
        (&bearer, APPLICATION_KEY),
        (&longer, APPLICATION_KEY),
        (&huge, APPLICATION_KEY),
        (APPLICATION_KEY, AUTHORIZATION),
        (ELSEWHERE_AUTHORIZATION, APPLICATION_KEY),
    ] {
        let headers = [("authorization", authorization), ("application-key", application_key)];
        let reply = client.exchange(&bare_request("GET", "/v2.1/sms/senders", &headers, b"")).await;
        assert_eq!((reply.status, reply.codes()), (401, vec!["E-2-002".into()]), "{authorization}");
        essences.push(essence(&reply));
    }
    assert!(essences.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn missing_keys_are_401_with_their_own_code() {
    let server = Server::start();
    let mut client = server.client().await;
    let both = [("authorization", AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    let twice = [both[0], both[0], both[1]];
    let empty = [("authorization", ""), ("application-key", APPLICATION_KEY)];
    for headers in [&[][..], &both[..1], &both[1..], &twice[..], &empty[..]] {
        let reply = client.exchange(&bare_request("GET", "/v2.1/sms", headers, b"")).await;
        assert_eq!((reply.status, reply.codes()), (401, vec!["E-2-001".into()]), "{headers:?}");
    }
    let query = format!("/v2.1/sms/senders?authorization={AUTHORIZATION}&application-key={APPLICATION_KEY}");
    let reply = client.exchange(&bare_request("GET", &query, &both, b"")).await;
    assert_eq!((reply.status, reply.codes()), (401, vec!["E-2-001".into()]));
    assert_eq!(client.exchange(&bare_request("GET", "/v2.1/sms/senders", &both, b"")).await.status, 200);
}

#[tokio::test]
async fn a_reading_key_may_not_send() {
    let server = Server::start();
    let mut client = server.client().await;
    let headers = [("authorization", READER_AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    for (method, path) in [("POST", "/v2.1/sms"), ("DELETE", "/v2.1/sms"), ("POST", "/v2.1/sms/preview")] {
        let reply = client.exchange(&bare_request(method, path, &headers, b"{}")).await;
        assert_eq!((reply.status, reply.codes()), (403, vec!["E-3-001".into()]), "{method} {path}");
    }
    assert_eq!(client.exchange(&bare_request("OPTIONS", "/v2.1/sms/senders", &headers, b"")).await.status, 200);
    assert!(server.fake.orders().is_empty());
}

#[tokio::test]
async fn an_allow_list_counts_the_client_behind_a_trusted_proxy_only() {
    let headers = [("authorization", ELSEWHERE_AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    let forwarded = [&headers[..], &[("x-forwarded-for", "6.6.6.6, 198.51.100.9")]].concat();
    let octets = bare_request("GET", "/v2.1/sms/senders", &forwarded, b"");
    let direct = Server::start();
    assert_eq!(direct.client().await.exchange(&octets).await.status, 401);
    let behind = Server::with(web::serve::Options { trusted_proxies: vec!["127.0.0.1".into()], ..options() });
    assert_eq!(behind.client().await.exchange(&octets).await.status, 200);
    assert_eq!(
        behind.client().await.exchange(&bare_request("GET", "/v2.1/sms/senders", &headers, b"")).await.status,
        401
    );
}

#[tokio::test]
async fn guessing_is_slowed_down_and_right_keys_still_work() {
    let server = Server::start();
    let mut client = server.client().await;
    let wrong = [("authorization", "unknown"), ("application-key", APPLICATION_KEY)];
    let mut statuses = Vec::new();
    for _ in 0..25 {
        let reply = client.exchange(&bare_request("GET", "/v2.1/sms", &wrong, b"")).await;
        statuses.push(reply.status);
        if reply.status == 429 {
            assert_eq!(reply.codes(), ["E-7-002"]);
            assert_eq!(reply.header("retry-after"), Some("4"));
            assert_eq!(reply.header("ratelimit-policy"), Some(r#""wrong-keys";q=20;w=60"#));
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 20);
    assert_eq!(client.call("GET", "/v2.1/sms/senders", b"").await.status, 200);
}
