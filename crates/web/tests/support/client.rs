//! An HTTP/1.1 client that sends exactly what it is told and believes nothing.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fake::{APPLICATION_KEY, AUTHORIZATION};

/// No answer takes as long as this.
const ANSWER_TIME: Duration = Duration::from_secs(30);

pub struct Client {
    pub stream: TcpStream,
    buffered: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body, after checking everything the contract says of every answer.
    pub fn envelope(&self) -> Value {
        envelope(self.status, &self.body)
    }

    pub fn codes(&self) -> Vec<String> {
        codes(&self.envelope())
    }
}

pub fn codes(envelope: &Value) -> Vec<String> {
    let errors = envelope["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
}

/// Checks the contract's rules for every answer.
pub fn envelope(status: u16, body: &[u8]) -> Value {
    let text = std::str::from_utf8(body).expect("UTF-8");
    let envelope: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let top: Vec<&String> = envelope.as_object().unwrap().keys().collect();
    assert!(top.iter().all(|key| ["meta", "data", "errors"].contains(&key.as_str())), "{text}");
    let meta = &envelope["meta"];
    assert_eq!(meta["status"].as_u64(), Some(u64::from(status)), "{text}");
    let uniq_id = meta["uniqId"].as_str().unwrap();
    let hexadecimal = |character: char| character.is_ascii_digit() || ('a'..='f').contains(&character);
    assert!(uniq_id.len() == 10 && uniq_id.chars().all(hexadecimal), "{text}");
    let length = |key: &str| envelope.get(key).map(|items| items.as_array().expect("an array").len());
    assert_eq!(meta["numberOfData"].as_u64(), Some(length("data").unwrap_or(0) as u64), "{text}");
    assert_eq!(meta["numberOfErrors"].as_u64(), Some(length("errors").unwrap_or(0) as u64), "{text}");
    match (length("data"), length("errors")) {
        (Some(_), Some(_)) => assert_eq!(status, 207, "{text}"),
        (Some(data), None) => assert!(matches!(status, 200 | 302) && data > 0, "{text}"),
        (None, Some(errors)) => assert!(status >= 400 && errors > 0, "{text}"),
        (None, None) => panic!("neither data nor errors: {text}"),
    }
    for error in envelope["errors"].as_array().into_iter().flatten() {
        for key in ["title", "message", "code"] {
            assert!(error[key].as_str().is_some_and(|text| !text.is_empty()), "{text}");
        }
        let problem = domain::problem::Problem::by_code(error["code"].as_str().unwrap()).expect("a known code");
        assert_eq!(error["title"], problem.title());
        assert_eq!(error["message"], problem.message());
        if let Some(meta) = error.get("meta") {
            for key in ["parameter", "value", "source"] {
                assert!(meta[key].is_string(), "{text}");
            }
        }
    }
    assert!(!text.contains("null") || !contains_null(&envelope), "{text}");
    envelope
}

fn contains_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(contains_null),
        Value::Object(members) => members.values().any(contains_null),
        Value::Number(number) => number.is_f64(),
        _ => false,
    }
}

/// A request with the right keys.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let keys = [("authorization", AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    bare_request(method, target, &[&keys, headers].concat(), body)
}

/// A request without keys.
pub fn bare_request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut octets = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n").into_bytes();
    for (name, value) in headers {
        octets.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !body.is_empty() || matches!(method, "POST" | "PUT") {
        octets.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    octets.extend_from_slice(b"\r\n");
    octets.extend_from_slice(body);
    octets
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffered: Vec::new() }
    }

    /// Sends octets and reads one answer.
    pub async fn exchange(&mut self, octets: &[u8]) -> Reply {
        self.send(octets).await;
        self.reply().await.expect("an answer")
    }

    /// Sends a request with the right keys.
    pub async fn call(&mut self, method: &str, target: &str, body: &[u8]) -> Reply {
        self.exchange(&request(method, target, &[("content-type", "application/json")], body)).await
    }

    /// Sends what the server takes; it may close before it has taken everything.
    pub async fn send(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets).await;
    }

    /// The next answer, or `None` when the connection is closed without one.
    pub async fn reply(&mut self) -> Option<Reply> {
        self.reply_to("GET").await
    }

    /// The next answer; one to `HEAD` has no body.
    pub async fn reply_to(&mut self, method: &str) -> Option<Reply> {
        let end = loop {
            if let Some(position) = self.buffered.windows(4).position(|window| window == b"\r\n\r\n") {
                break position + 4;
            }
            self.read().await?;
        };
        let head = String::from_utf8(self.buffered.drain(..end).collect()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<_> = lines.filter_map(header).collect();
        if status == 100 {
            return Box::pin(self.reply_to(method)).await;
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.expect("content-length").1.parse().unwrap();
        let length = if method == "HEAD" { 0 } else { length };
        while self.buffered.len() < length {
            self.read().await?;
        }
        Some(Reply { status, headers, body: self.buffered.drain(..length).collect() })
    }

    /// Whether the server has closed the connection, waiting for it.
    pub async fn is_closed(&mut self) -> bool {
        self.read().await.is_none()
    }

    async fn read(&mut self) -> Option<()> {
        let mut piece = vec![0; 16 * 1024];
        match timeout(ANSWER_TIME, self.stream.read(&mut piece)).await.expect("an answer in time") {
            Ok(0) | Err(_) => None,
            Ok(length) => {
                self.buffered.extend_from_slice(&piece[..length]);
                Some(())
            }
        }
    }
}
