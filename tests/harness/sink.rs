//! A webhook receiver in the test, with a book of every event.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One event of one call, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Path that was called: the account's name.
    pub account: String,
    /// `eventId`.
    pub event_id: String,
    /// `externalId`.
    pub external_id: String,
    /// `phoneNumber`, digits only.
    pub phone: String,
    /// `status`.
    pub status: u64,
    /// `url`, of clicks.
    pub url: String,
    /// `message`, of incoming messages.
    pub message: String,
    /// `complete`, of incoming messages.
    pub complete: bool,
    /// `seq`, where given.
    pub seq: Option<u64>,
    /// Header `Request-Id`.
    pub request_id: String,
    /// What was answered.
    pub answered: u16,
}

#[derive(Default)]
struct Shared {
    told: Mutex<Vec<Told>>,
    answer: Mutex<Option<u16>>,
    body: Mutex<String>,
}

/// A running sink; stops when dropped.
pub struct Sink {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Sink {
    /// Listens on a port of loopback and answers 200.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = Arc::clone(&serving);
                tokio::spawn(async move {
                    // A caller that hangs up is his own affair: what he told is in the book.
                    let _ended = serve(&serving, stream).await;
                });
            }
        });
        Ok(Self { shared, address, listening })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers this status from now on; None = 200.
    pub fn answer_with(&self, status: Option<u16>) {
        *self.shared.answer.lock() = status;
    }

    /// Says this in the body of its answers from now on.
    pub fn say(&self, body: &str) {
        body.clone_into(&mut self.shared.body.lock());
    }

    /// The book so far.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.shared.told.lock().clone()
    }

    /// Events answered with 2xx so far.
    #[must_use]
    pub fn taken_count(&self) -> usize {
        self.shared.told.lock().iter().filter(|told| told.answered < 300).count()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(shared: &Shared, mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    loop {
        let (head, body) = request(&mut stream, &mut buffer).await?;
        let answered = shared.answer.lock().unwrap_or(200);
        enter(shared, &head, &body, answered);
        let body = shared.body.lock().clone();
        let answer = format!("HTTP/1.1 {answered} Said\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// Reads one request with a Content-Length.
///
/// # Errors
/// The caller hung up or has no length.
pub async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(String, Vec<u8>)> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let length: usize = header(&head, "content-length").unwrap_or("0").parse().context("content-length")?;
    while buffer.len() < head_end + length {
        more(stream, buffer).await?;
    }
    let body = buffer[head_end..head_end + length].to_vec();
    buffer.drain(..head_end + length);
    Ok((head, body))
}

async fn more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    let count = stream.read_buf(buffer).await?;
    anyhow::ensure!(count > 0, "hung up");
    Ok(())
}

/// A header of a request or answer, by its name in lowercase.
#[must_use]
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn enter(shared: &Shared, head: &str, body: &[u8], answered: u16) {
    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let request_id = header(head, "request-id").unwrap_or_default().to_owned();
    let events: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    let mut told = shared.told.lock();
    for event in events {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        told.push(Told {
            account: path.clone(),
            event_id: text("eventId"),
            external_id: text("externalId"),
            phone: text("phoneNumber").trim_start_matches('+').to_owned(),
            status: event["status"].as_u64().unwrap_or_default(),
            url: text("url"),
            message: text("message"),
            complete: event["complete"] == true,
            seq: event["seq"].as_u64(),
            request_id: request_id.clone(),
            answered,
        });
    }
}
