//! Clients that are slow, broken or hostile, down to the octet.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use web::serve::Options;

use crate::support::client::{Client, bare_request, request};
use crate::support::fake::{APPLICATION_KEY, AUTHORIZATION};
use crate::support::log;
use crate::support::server::{Server, options};

const ONE: &[u8] = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["+48111222333"]}"#;
/// Longer than any limit set in these tests, shorter than the defaults.
const PATIENCE: Duration = Duration::from_secs(5);

fn hasty() -> Options {
    Options { header_read_ms: 300, body_read_ms: 300, ..options() }
}

/// Sends octet by octet until the server closes; how long that took.
async fn drip(client: &mut Client, octets: &[u8]) -> Duration {
    let started = Instant::now();
    for octet in octets {
        let pause = timeout(Duration::from_millis(40), client.is_closed()).await;
        if pause == Ok(true) {
            break;
        }
        client.send(&[*octet]).await;
    }
    assert!(client.is_closed().await);
    started.elapsed()
}

#[tokio::test]
async fn dripping_headers_silence_and_half_a_preface_are_cut_off() {
    let server = Server::with(hasty());
    let endless = [b"GET /v2.1/sms HTTP/1.1\r\nx: ".as_slice(), &[b'a'; 10_000]].concat();
    assert!(drip(&mut server.client().await, &endless).await < PATIENCE);
    for start in [&b""[..], b"PRI * HTTP/2.0\r\n", b"G", b"\r\n\r\n"] {
        let mut client = server.client().await;
        client.send(start).await;
        let started = Instant::now();
        assert!(client.is_closed().await);
        assert!(started.elapsed() < PATIENCE, "{start:?}");
    }
    // A kept connection that falls silent between two requests.
    let mut client = server.client().await;
    assert_eq!(client.call("POST", "/v2.1/sms", ONE).await.status, 200);
    let started = Instant::now();
    assert!(client.is_closed().await);
    assert!(started.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_dripping_body_is_400_and_closed() {
    let server = Server::with(hasty());
    let octets = request("POST", "/v2.1/sms", &[], ONE);
    let head = octets.len() - ONE.len();
    let mut client = server.client().await;
    client.send(&octets[..head + 5]).await;
    let started = Instant::now();
    let reply = client.reply().await.unwrap();
    assert_eq!((reply.status, reply.codes()), (400, vec!["E-1-003".into()]));
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(client.is_closed().await && started.elapsed() < PATIENCE);
    assert!(server.fake.orders().is_empty());
}

#[tokio::test]
async fn a_body_that_ends_early_is_no_json() {
    use tokio::io::AsyncWriteExt;
    let server = Server::start();
    let octets = request("POST", "/v2.1/sms", &[], ONE);
    let mut client = server.client().await;
    client.send(&octets[..octets.len() - 3]).await;
    client.stream.shutdown().await.unwrap();
    let reply = client.reply().await.unwrap();
    assert_eq!((reply.status, reply.codes()), (400, vec!["E-1-001".into()]));
    assert!(server.fake.orders().is_empty());
}

#[tokio::test]
async fn what_hyper_refuses_by_itself_is_an_envelope_too() {
    let log = log::capture();
    let server = Server::start();
    let many: String = (0..150).map(|number| format!("x-{number}: 1\r\n")).collect();
    let large = format!("x: {}\r\n", "a".repeat(20 * 1024));
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70 * 1024));
    let cases = [
        "GARBAGE\r\n\r\n".to_owned(),
        "GET /v2.1/sms HTTP/9.9\r\n\r\n".into(),
        "GET /v2.1/sms\0 HTTP/1.1\r\n\r\n".into(),
        "GET /v2.1/sms HTTP/1.1\r\nno colon here\r\n\r\n".into(),
        "GET /v2.1/sms HTTP/1.1\r\nx: a\0b\r\n\r\n".into(),
        "POST /v2.1/sms HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n".into(),
        "POST /v2.1/sms HTTP/1.1\r\ncontent-length: -1\r\n\r\n".into(),
        "POST /v2.1/sms HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n".into(),
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".into(),
        format!("GET /v2.1/sms HTTP/1.1\r\n{many}\r\n"),
        format!("GET /v2.1/sms HTTP/1.1\r\n{large}\r\n"),
        long,
    ];
    for case in &cases {
        let mut client = server.client().await;
        let shown = &case[..case.len().min(60)];
        client.send(case.as_bytes()).await;
        let reply = client.reply().await.unwrap_or_else(|| panic!("no answer to {shown:?}"));
        assert_eq!((reply.status, reply.codes()), (400, vec!["E-1-008".into()]), "{shown:?}");
        assert!(client.is_closed().await, "{shown:?}");
        let uniq_id = reply.envelope()["meta"]["uniqId"].as_str().unwrap().to_owned();
        assert_eq!(log.lines_with(&uniq_id).len(), 1, "{shown:?}");
    }
    // After an answer on the same connection.
    let mut client = server.client().await;
    let pipelined = [request("POST", "/v2.1/sms", &[], ONE), b"GARBAGE\r\n\r\n".to_vec()].concat();
    client.send(&pipelined).await;
    assert_eq!(client.reply().await.unwrap().status, 200);
    assert_eq!(client.reply().await.unwrap().codes(), ["E-1-008"]);
}

#[tokio::test]
async fn more_headers_than_allowed_are_an_envelope() {
    let server = Server::start();
    let many: Vec<(String, &str)> = (0..70).map(|number| (format!("x-{number}"), "1")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut client = server.client().await;
    let reply = client.exchange(&request("GET", "/v2.1/sms/senders", &many, b"")).await;
    assert_eq!((reply.status, reply.codes()), (400, vec!["E-1-008".into()]));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn contradictory_lengths_are_400_and_closed() {
    let server = Server::start();
    let chunked = format!("{:x}\r\n{}\r\n0\r\n\r\n", ONE.len(), String::from_utf8_lossy(ONE));
    let keys = format!("authorization: {AUTHORIZATION}\r\napplication-key: {APPLICATION_KEY}\r\n");
    for lengths in
        ["content-length: 4\r\ntransfer-encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"]
    {
        let mut client = server.client().await;
        client.send(format!("POST /v2.1/sms HTTP/1.1\r\nhost: a\r\n{keys}{lengths}\r\n{chunked}").as_bytes()).await;
        let reply = client.reply().await.unwrap();
        assert_eq!((reply.status, reply.codes()), (400, vec!["E-1-008".into()]), "{lengths}");
        assert!(client.is_closed().await);
    }
    assert!(server.fake.orders().is_empty());
    let mut client = server.client().await;
    client
        .send(
            format!("POST /v2.1/sms HTTP/1.1\r\nhost: a\r\n{keys}transfer-encoding: chunked\r\n\r\n{chunked}")
                .as_bytes(),
        )
        .await;
    assert_eq!(client.reply().await.unwrap().status, 200);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    let mut client = server.client().await;
    let bodies =
        (0..50).map(|number| format!(r#"{{"sender":"ACME","message":"m{number}","phoneNumbers":["48111222333"]}}"#));
    let octets: Vec<u8> = bodies.flat_map(|body| request("POST", "/v2.1/sms", &[], body.as_bytes())).collect();
    client.send(&octets).await;
    for number in 0..50 {
        let envelope = client.reply().await.unwrap().envelope();
        assert_eq!(envelope["data"][0]["message"], format!("m{number}"));
    }
}

#[tokio::test]
async fn other_methods_are_405_and_other_paths_404() {
    let server = Server::start();
    let mut client = server.client().await;
    for (path, allowed, others) in [
        ("/v2.1/sms", "GET, POST, DELETE", &["PUT", "PATCH", "TRACE", "OPTIONS", "FOO", "get"][..]),
        ("/v2.1/sms/statuses", "GET", &["POST", "DELETE", "OPTIONS"]),
        ("/v2/sms/senders", "OPTIONS, GET", &["POST", "PUT", "DELETE"]),
        ("/v2.1/sms/preview", "POST", &["GET", "OPTIONS"]),
    ] {
        for method in others {
            let reply = client.exchange(&bare_request(method, path, &[], b"")).await;
            assert_eq!((reply.status, reply.codes()), (405, vec!["E-1-005".into()]), "{method} {path}");
            assert_eq!(reply.header("allow"), Some(allowed));
        }
        client.send(&bare_request("HEAD", path, &[], b"")).await;
        let reply = client.reply_to("HEAD").await.unwrap();
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)));
    }
    for path in [
        "/",
        "/v2.1",
        "/v2.1/",
        "/v2.1/sms//",
        "//v2.1/sms",
        "/V2.1/SMS",
        "/v2.1/../v2.1/sms",
        "/v2.1/%2e%2e/sms",
        "/v2.1/sms%00",
        "/v2.1/sms/..",
        "/v2.1/sms;a=1",
        "/v3/sms",
        "/metrics",
        "/health/live",
        "/%ff",
        "*",
        "http://a.example/x",
        "/v2.1/sms/hlr/x",
    ] {
        let reply = client.exchange(&request("GET", path, &[], b"")).await;
        assert_eq!((reply.status, reply.codes()), (404, vec!["E-1-004".into()]), "{path}");
    }
    let reply = client.exchange(&request("GET", "http://a.example/v2.1/sms/senders", &[], b"")).await;
    assert_eq!(reply.status, 200);
}

/// What may come in, with the status it is answered with.
fn inputs() -> Vec<(u16, Vec<u8>)> {
    let too_long = format!(r#"{{"sender":"ACME","message":"{}","phoneNumbers":["48111222333"]}}"#, "x".repeat(1_378));
    let wrong = [("authorization", "CanarySecretKey"), ("application-key", APPLICATION_KEY)];
    vec![
        (400, request("POST", "/v2.1/sms", &[], b"")),
        (400, request("POST", "/v2.1/sms", &[], &ONE[..20])),
        (400, request("POST", "/v2.1/sms", &[], b"{'a'}")),
        (400, request("POST", "/v2.1/sms", &[], format!(r#"{{"x":{}"#, "[".repeat(5_000)).as_bytes())),
        (422, request("POST", "/v2.1/sms", &[], br#"{"validity":"60"}"#)),
        (
            422,
            request(
                "POST",
                "/v2.1/sms",
                &[],
                br#"{"sender":"ACME","message":"CanaryText","phoneNumbers":["48999888777x"]}"#,
            ),
        ),
        (
            422,
            request(
                "POST",
                "/v2.1/sms",
                &[],
                br#"{"sender":"NOBODY","message":"CanaryText","phoneNumbers":["48111222333"]}"#,
            ),
        ),
        (422, request("POST", "/v2.1/sms", &[], too_long.as_bytes())),
        (
            200,
            request(
                "POST",
                "/v2.1/sms",
                &[],
                br#"{"sender":"ACME","message":"CanaryText","phoneNumbers":["48999888777"],"scheduleTime":1}"#,
            ),
        ),
        (
            200,
            request(
                "POST",
                "/v2.1/sms",
                &[],
                br#"{"sender":"ACME","message":"CanaryText","phoneNumbers":["48999888777"],"unknown":1}"#,
            ),
        ),
        (
            422,
            request(
                "POST",
                "/v2.1/sms",
                &[],
                br#"{"sender":"ACME","message":"a","phoneNumbers":["48111222333"],"webhookUrl":"ftp://CanaryHost/"}"#,
            ),
        ),
        (413, request("POST", "/v2.1/sms", &[], &vec![b' '; 10 * 1024 * 1024 + 1])),
        (415, request("POST", "/v2.1/sms", &[("content-type", "text/plain")], ONE)),
        (415, request("POST", "/v2.1/sms", &[("content-encoding", "rot13")], ONE)),
        (401, bare_request("POST", "/v2.1/sms", &wrong, ONE)),
        (401, bare_request("POST", "/v2.1/sms", &[], ONE)),
        (405, request("PUT", "/v2.1/sms", &[], ONE)),
        (404, request("POST", "/CanaryPath", &[], ONE)),
        (405, request("CanaryMethod", "/v2.1/sms", &[], b"")),
        (415, request("POST", "/v2.1/sms", &[("content-encoding", "rot13")], &vec![b' '; 2 * 1024 * 1024])),
        (422, request("GET", "/v2.1/sms?phoneNumber=48999888777x", &[], b"")),
        (404, request("GET", "/v2.1/sms?phoneNumber=48999888777&externalId=CanaryId", &[], b"")),
    ]
}

#[tokio::test]
async fn every_bad_input_has_one_log_line_without_secrets() {
    let log = log::capture();
    let server = Server::start();
    for (status, octets) in inputs() {
        let shown = String::from_utf8_lossy(&octets[octets.len().min(160)..octets.len().min(300)]).into_owned();
        let reply = server.client().await.exchange(&octets).await;
        assert_eq!(reply.status, status, "{shown}");
        let uniq_id = reply.envelope()["meta"]["uniqId"].as_str().unwrap().to_owned();
        let lines = log.lines_with(&uniq_id);
        assert_eq!(lines.len(), 1, "{shown}");
        for field in ["method=", "path=", "duration_us=", "account="] {
            assert!(lines[0].contains(field), "{}", lines[0]);
        }
        assert!(lines[0].contains(&format!("status={status}")), "{}", lines[0]);
    }
    for secret in ["Canary", "48999888777", AUTHORIZATION, APPLICATION_KEY, "rot13"] {
        assert!(!log.text().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_address_with_too_many_connections_is_told_and_let_in_again() {
    let server = Server::with(Options { connections_per_address_max: 3, ..options() });
    let mut open = Vec::new();
    for _ in 0..3 {
        let mut client = server.client().await;
        assert_eq!(client.call("POST", "/v2.1/sms", ONE).await.status, 200);
        open.push(client);
    }
    let mut fourth = server.client().await;
    let reply = fourth.reply().await.unwrap();
    assert_eq!((reply.status, reply.codes()), (503, vec!["E-9-002".into()]));
    assert_eq!(reply.header("retry-after"), Some("1"));
    open.pop();
    let again = async {
        loop {
            let mut client = server.client().await;
            client.send(&request("POST", "/v2.1/sms", &[], ONE)).await;
            if client.reply().await.is_some_and(|reply| reply.status == 200) {
                break;
            }
        }
    };
    timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn beyond_the_total_new_connections_wait_for_room() {
    let server = Server::with(Options { connections_max: 1, ..options() });
    let mut first = server.client().await;
    assert_eq!(first.call("POST", "/v2.1/sms", ONE).await.status, 200);
    let mut second = server.client().await;
    second.send(&request("POST", "/v2.1/sms", &[], ONE)).await;
    assert!(timeout(Duration::from_millis(200), second.reply()).await.is_err());
    drop(first);
    assert_eq!(second.reply().await.unwrap().status, 200);
    assert_eq!(server.handle.connections(), 1);
}

#[tokio::test]
async fn a_connection_has_an_end_but_a_request_in_progress_is_answered() {
    let server = Server::with(Options { connection_life_ms: 900, header_read_ms: 500, ..options() });
    let mut client = server.client().await;
    let started = Instant::now();
    let mut answered = 0;
    loop {
        client.send(&request("POST", "/v2.1/sms", &[], ONE)).await;
        match client.reply().await {
            Some(reply) => assert_eq!(reply.status, 200),
            None => break,
        }
        answered += 1;
        sleep(Duration::from_millis(20)).await;
    }
    assert!(answered > 10 && started.elapsed() >= Duration::from_millis(900) && started.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_refused_caller_is_answered_before_the_body_is_asked_for() {
    let server = Server::start();
    let mut client = server.client().await;
    let octets = bare_request("POST", "/v2.1/sms", &[("expect", "100-continue"), ("content-length", "1000000")], b"");
    client.send(&octets[..octets.len() - "content-length: 0\r\n\r\n".len()]).await;
    client.send(b"\r\n").await;
    let reply = client.reply().await.unwrap();
    assert_eq!((reply.status, reply.codes()), (401, vec!["E-2-001".into()]));
}
