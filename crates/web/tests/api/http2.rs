//! The same over HTTP/2, and what only HTTP/2 can do.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::client::{codes, envelope};
use crate::support::fake::{APPLICATION_KEY, AUTHORIZATION};
use crate::support::server::Server;

const ONE: &str = r#"{"sender":"ACME","message":"Hello","phoneNumbers":["+48111222333"]}"#;

async fn connect(server: &Server) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn request(method: &str, path: &str, authorization: &str, body: &str) -> Request<Full<Bytes>> {
    let builder = Request::builder().method(method).uri(format!("http://localhost{path}"));
    let builder = builder.header("authorization", authorization).header("application-key", APPLICATION_KEY);
    builder.body(Full::new(Bytes::from(body.to_owned()))).unwrap()
}

#[tokio::test]
async fn statuses_are_the_same() {
    let server = Server::start();
    let mut sender = connect(&server).await;
    for (method, path, authorization, body, status, code) in [
        ("POST", "/v2.1/sms", AUTHORIZATION, ONE, 200, None),
        ("POST", "/v2.1/sms", AUTHORIZATION, "{", 400, Some("E-1-001")),
        ("POST", "/v2.1/sms", "wrong", ONE, 401, Some("E-2-002")),
        ("POST", "/nowhere", AUTHORIZATION, ONE, 404, Some("E-1-004")),
        ("PUT", "/v2.1/sms", AUTHORIZATION, ONE, 405, Some("E-1-005")),
        ("POST", "/v2.1/sms", AUTHORIZATION, r#"{"type":"0"}"#, 422, Some("E-4-002")),
        ("OPTIONS", "/v2.1/sms/senders", AUTHORIZATION, "", 200, None),
        ("GET", "/v2.1/sms", AUTHORIZATION, "", 404, Some("E-5-001")),
    ] {
        let response = sender.send_request(request(method, path, authorization, body)).await.unwrap();
        let answered = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let found = codes(&envelope(answered, &body));
        assert_eq!((answered, found.first().map(String::as_str)), (status, code), "{method} {path}");
    }
    let large = " ".repeat(10 * 1024 * 1024 + 1);
    let response = sender.send_request(request("POST", "/v2.1/sms", AUTHORIZATION, &large)).await.unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn many_requests_run_at_a_time_on_one_connection() {
    let server = Server::start();
    let sender = connect(&server).await;
    let calls: Vec<_> = (0..500)
        .map(|_| {
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let response = sender.send_request(request("POST", "/v2.1/sms", AUTHORIZATION, ONE)).await.unwrap();
                response.status().as_u16()
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 200);
    }
    assert_eq!(server.fake.orders().len(), 500);
}

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn resetting_streams_in_a_row_costs_the_connection_only() {
    const HEADERS: u8 = 1;
    const END_HEADERS: u8 = 4;
    const RST_STREAM: u8 = 3;
    const GOAWAY: u8 = 7;
    const SETTINGS: u8 = 4;
    const ENHANCE_YOUR_CALM: [u8; 4] = [0, 0, 0, 0xb];
    // :method POST, :scheme http, :path /, :authority a (RFC 7541, static table).
    let head = [0x83, 0x86, 0x84, 0x41, 1, b'a'];
    let server = Server::start();
    let mut octets = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    octets.extend(frame(SETTINGS, 0, 0, &[]));
    for number in 0..2_000 {
        octets.extend(frame(HEADERS, END_HEADERS, number * 2 + 1, &head));
        octets.extend(frame(RST_STREAM, 0, number * 2 + 1, &[0, 0, 0, 8]));
    }
    let mut attacker = server.client().await;
    attacker.send(&octets).await;
    let mut received = Vec::new();
    let reading = attacker.stream.read_to_end(&mut received);
    let _ = timeout(Duration::from_secs(10), reading).await.expect("the connection is cut");
    let goaway = received.windows(17).any(|window| window[3] == GOAWAY && window[13..] == ENHANCE_YOUR_CALM);
    assert!(goaway, "no GOAWAY in {received:?}");
    assert_eq!(server.client().await.call("POST", "/v2.1/sms", ONE.as_bytes()).await.status, 200);
}
