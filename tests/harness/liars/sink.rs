//! Between server and webhook receiver: some calls arrive a second time, as if they told something new.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::line::Line;
use crate::http::Connection;
use crate::sink::{header, request};

/// The proxy.
pub struct SinkLiar {
    line: Line,
}

impl SinkLiar {
    /// Stands before the sink; every n-th call is repeated with new ids.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(every: u64, sink: SocketAddr) -> Result<Self> {
        let calls = Arc::new(AtomicU64::new(0));
        let line = Line::open(move |stream| serve(every, sink, stream, Arc::clone(&calls))).await?;
        Ok(Self { line })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.line.address
    }
}

async fn serve(every: u64, sink: SocketAddr, mut stream: TcpStream, calls: Arc<AtomicU64>) -> Result<()> {
    let mut upstream = Connection::open(sink).await?;
    let mut buffer = Vec::new();
    loop {
        let (head, body) = request(&mut stream, &mut buffer).await?;
        let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
        let id = header(&head, "request-id").unwrap_or_default().to_owned();
        let answer = upstream.call("POST", &path, &[("request-id", &id)], &body).await?;
        if calls.fetch_add(1, Ordering::Relaxed) % every == every - 1 {
            let again = format!("{id}-again");
            upstream.call("POST", &path, &[("request-id", &again)], &with_new_ids(&body)).await?;
        }
        stream.write_all(format!("HTTP/1.1 {} Said\r\ncontent-length: 0\r\n\r\n", answer.status).as_bytes()).await?;
    }
}

fn with_new_ids(body: &[u8]) -> Vec<u8> {
    let mut events: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    for event in &mut events {
        let id = event["eventId"].as_str().unwrap_or_default();
        event["eventId"] = format!("{id}-again").into();
    }
    Value::Array(events).to_string().into_bytes()
}
