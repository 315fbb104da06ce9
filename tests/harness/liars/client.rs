//! Between clients and server.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::line::Line;
use crate::http::{Answer, Connection};
use crate::sink::{header, request};

/// Which lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientLie {
    /// None: what comes is passed on.
    None,
    /// Sends are answered 200 at once and passed on later; what was not passed on dies with the server.
    AnswerBeforeStored,
    /// Answers carry the other tenant's ids.
    SwapTenants,
    /// What was delivered is shown as still with the operator.
    StateBackwards,
}

#[derive(Clone)]
struct Asked {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

type Pending = Arc<Mutex<VecDeque<Asked>>>;

/// The proxy.
pub struct ClientLiar {
    line: Line,
    pending: Pending,
    passing_on: JoinHandle<()>,
}

impl ClientLiar {
    /// Stands before the server whose address may change.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(lie: ClientLie, server: watch::Receiver<SocketAddr>) -> Result<Self> {
        let pending = Pending::default();
        let passing_on = tokio::spawn(pass_on(Arc::clone(&pending), server.clone()));
        let queue = Arc::clone(&pending);
        let line = Line::open(move |stream| serve(lie, stream, server.clone(), Arc::clone(&queue))).await?;
        Ok(Self { line, pending, passing_on })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.line.address
    }

    /// The server was killed: what it had answered and not yet stored is gone.
    pub fn killed(&self) {
        self.pending.lock().clear();
    }

    /// Requests answered and not passed on yet.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.pending.lock().len()
    }
}

impl Drop for ClientLiar {
    fn drop(&mut self) {
        self.passing_on.abort();
    }
}

async fn serve(
    lie: ClientLie,
    mut stream: TcpStream,
    server: watch::Receiver<SocketAddr>,
    pending: Pending,
) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut upstream = None;
    loop {
        let (head, body) = request(&mut stream, &mut buffer).await?;
        let asked = read(&head, body);
        let answer = if lie == ClientLie::AnswerBeforeStored && asked.method == "POST" {
            let made_up = made_up_answer(&asked.body);
            pending.lock().push_back(asked);
            Answer { status: 200, headers: Vec::new(), body: made_up }
        } else {
            let address = *server.borrow();
            let mut answer = forward(&mut upstream, address, &asked).await?;
            answer.body = distort(lie, &asked, answer.body);
            answer
        };
        let head = format!("HTTP/1.1 {} Said\r\ncontent-length: {}\r\n\r\n", answer.status, answer.body.len());
        stream.write_all(&[head.as_bytes(), &answer.body].concat()).await?;
    }
}

fn read(head: &str, body: Vec<u8>) -> Asked {
    let mut words = head.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (method, path) = (word(), word());
    let headers = ["authorization", "application-key", "content-type"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), header(head, name)?.to_owned())))
        .collect();
    Asked { method, path, headers, body }
}

async fn forward(upstream: &mut Option<Connection>, server: SocketAddr, asked: &Asked) -> Result<Answer> {
    let mut connection = match upstream.take() {
        Some(connection) => connection,
        None => Connection::open(server).await?,
    };
    let headers: Vec<(&str, &str)> =
        asked.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = connection.call(&asked.method, &asked.path, &headers, &asked.body).await?;
    if answer.header("connection") != Some("close") {
        *upstream = Some(connection);
    }
    Ok(answer)
}

async fn pass_on(pending: Pending, server: watch::Receiver<SocketAddr>) {
    let mut upstream = None;
    loop {
        let next = pending.lock().front().cloned();
        let address = *server.borrow();
        let passed = match &next {
            Some(asked) => forward(&mut upstream, address, asked).await.is_ok(),
            None => false,
        };
        if passed {
            pending.lock().pop_front();
        } else {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn made_up_answer(body: &[u8]) -> Vec<u8> {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let id = asked["externalId"].as_str().unwrap_or_default();
    let phones = asked["phoneNumbers"].as_array().cloned().unwrap_or_default();
    let data: Vec<Value> = (1..=phones.len())
        .map(|number| {
            if phones.len() > 1 {
                json!({"externalId": format!("{id}-{number:04}")})
            } else {
                json!({"externalId": id})
            }
        })
        .collect();
    json!({"meta": {"status": 200}, "data": data}).to_string().into_bytes()
}

fn distort(lie: ClientLie, asked: &Asked, body: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&body);
    match lie {
        ClientLie::SwapTenants if asked.method == "POST" => text
            .replace("\"acme-", "\"\u{1}")
            .replace("\"globex-", "\"acme-")
            .replace("\"\u{1}", "\"globex-")
            .into_bytes(),
        ClientLie::StateBackwards if asked.method == "GET" => {
            text.replace("\"status\":21,", "\"status\":2,").into_bytes()
        }
        _ => body,
    }
}
