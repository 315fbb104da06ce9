//! A plain HTTP/1.1 client on one kept connection that sends exactly what it is told.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer is waited for no longer than this.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// An answer as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names in lowercase.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked from chunks.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name (lowercase).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// What is wrong with the envelope of the API contract; empty = nothing.
    #[must_use]
    pub fn envelope_faults(&self) -> Vec<String> {
        let Ok(Value::Object(body)) = self.json() else {
            return vec![format!("{}: not a JSON object: {}", self.status, String::from_utf8_lossy(&self.body))];
        };
        let mut faults = Vec::new();
        let meta = body.get("meta").cloned().unwrap_or_default();
        if meta["status"].as_u64() != Some(u64::from(self.status)) {
            faults.push(format!("meta.status {} in an answer {}", meta["status"], self.status));
        }
        let uniq_id = meta["uniqId"].as_str().unwrap_or_default();
        if uniq_id.len() != 10 || !uniq_id.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)) {
            faults.push(format!("meta.uniqId `{uniq_id}`"));
        }
        let length = |name: &str| body.get(name).and_then(Value::as_array).map_or(0, Vec::len) as u64;
        for (count, list) in [("numberOfErrors", "errors"), ("numberOfData", "data")] {
            if meta[count].as_u64() != Some(length(list)) {
                faults.push(format!("meta.{count} is {}, there are {}", meta[count], length(list)));
            }
        }
        if body.contains_key("data") && body.contains_key("errors") && self.status != 207 {
            faults.push("data and errors together".into());
        }
        if self.status >= 400 && length("errors") == 0 {
            faults.push(format!("{} without errors", self.status));
        }
        faults.extend(
            body.keys()
                .filter(|key| !["meta", "data", "errors"].contains(&key.as_str()))
                .map(|key| format!("key `{key}`")),
        );
        for error in body.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let code = error["code"].as_str().unwrap_or_default();
            let parts: Vec<&str> = code.split('-').collect();
            if parts.len() != 3 || parts[0] != "E" || parts[2].len() != 3 {
                faults.push(format!("error code {}", error["code"]));
            }
        }
        faults
    }
}

/// A kept connection.
pub struct Connection {
    stream: TcpStream,
    left_over: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("can't connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, left_over: Vec::new() })
    }

    /// Sends a request with these headers and a body, and reads the answer.
    ///
    /// # Errors
    /// The connection broke before the whole answer was there, or it took too long.
    pub async fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let mut bytes = request.into_bytes();
        bytes.extend_from_slice(body);
        self.raw(&bytes).await
    }

    /// Sends bytes as they are and reads one answer.
    ///
    /// # Errors
    /// The connection broke before the whole answer was there, or it took too long.
    pub async fn raw(&mut self, bytes: &[u8]) -> Result<Answer> {
        let exchange = async {
            self.stream.write_all(bytes).await?;
            self.answer().await
        };
        tokio::time::timeout(ANSWER_WITHIN, exchange).await.context("no answer in time")?
    }

    async fn answer(&mut self) -> Result<Answer> {
        let head_end = loop {
            if let Some(at) = self.left_over.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.left_over[..head_end]).into_owned();
        self.left_over.drain(..head_end);
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status line")?.parse()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = self.chunks().await?;
        } else {
            let length: usize = answer.header("content-length").unwrap_or("0").parse()?;
            answer.body = self.take(length).await?;
        }
        Ok(answer)
    }

    async fn chunks(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                if let Some(at) = self.left_over.windows(2).position(|window| window == b"\r\n") {
                    break at;
                }
                self.more().await?;
            };
            let length = usize::from_str_radix(String::from_utf8_lossy(&self.left_over[..end]).trim(), 16)?;
            self.left_over.drain(..end + 2);
            body.extend(self.take(length).await?);
            self.take(2).await?;
            if length == 0 {
                return Ok(body);
            }
        }
    }

    async fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        while self.left_over.len() < length {
            self.more().await?;
        }
        Ok(self.left_over.drain(..length).collect())
    }

    async fn more(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.left_over).await? {
            0 => bail!("connection closed before the answer"),
            _ => Ok(()),
        }
    }
}
