//! A side door for handsets and scripts: one JSON object per line, over a socket of this machine.
//!
//! | request | answer |
//! |---|---|
//! | `{"deliver":{"source":"48…","destination":"48…","text":"…"}}` | `{"ok":true,"parts":1}` |
//! | `{"watch":"48…"}` | `{"ok":true}`, then `{"message":{"source":…,"destination":…,"text":…,"parts":…}}` for each |
//! | `{"scenario":"chaos"}` | `{"ok":true}` |
//! | `{"cut":true}` | `{"ok":true}` |
//! | `{"stats":true}` | `{"ok":true,"submitted":…,…}` |
//!
//! What cannot be done is answered `{"error":"…"}`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use super::join::Message;
use super::scenario::scenario;
use super::shared::Shared;

/// Longest line that is read.
const LINE_OCTETS_MAX: u64 = 64 * 1024;
/// Connections at a time; further ones are closed at once.
const CONNECTIONS_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Request {
    Deliver { source: String, destination: String, text: String },
    Watch(String),
    Scenario(String),
    Cut(bool),
    Stats(bool),
}

/// The side door has no lock, so that it opens on this machine only.
pub(super) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(io::Error::other(
            "--control has no password: give an address of this machine, such as 127.0.0.1:2776",
        ));
    }
    TcpListener::bind(address).await
}

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => if let Ok((stream, _)) = accepted
                && connections.len() < CONNECTIONS_MAX
            {
                connections.spawn(connection(stream, Arc::clone(&shared)));
            }
        }
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    let mut watched: Option<(String, broadcast::Receiver<Message>)> = None;
    loop {
        let mut limited = (&mut read).take(LINE_OCTETS_MAX);
        let answer = tokio::select! {
            octets = limited.read_until(b'\n', &mut line) => {
                if octets? == 0 || line.last() != Some(&b'\n') {
                    return Ok(());
                }
                let answer = act(&line, &shared, &mut watched);
                line.clear();
                answer
            }
            message = next(&mut watched) => json!({ "message": message }),
        };
        write.write_all(format!("{answer}\n").as_bytes()).await?;
    }
}

/// The next message to the number that is watched.
async fn next(watched: &mut Option<(String, broadcast::Receiver<Message>)>) -> Message {
    let Some((number, messages)) = watched else { return std::future::pending().await };
    loop {
        match messages.recv().await {
            Ok(message) if message.destination == *number => return message,
            // One that looks away too long misses some, as a handset does.
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        }
    }
}

fn act(line: &[u8], shared: &Shared, watched: &mut Option<(String, broadcast::Receiver<Message>)>) -> Value {
    let request = match serde_json::from_slice::<Request>(line) {
        Ok(request) => request,
        Err(error) => return json!({ "error": format!("this is no request: {error}") }),
    };
    match request {
        Request::Deliver { source, destination, text } => match shared.deliver(&source, &destination, &text) {
            Ok(parts) => json!({ "ok": true, "parts": parts }),
            Err(error) => json!({ "error": error.to_string() }),
        },
        Request::Watch(number) => {
            let digits = number.strip_prefix('+').unwrap_or(&number).to_owned();
            *watched = Some((digits, shared.messages.subscribe()));
            json!({ "ok": true })
        }
        Request::Scenario(name) => match scenario(&name, shared.behaviour().seed) {
            Some(behaviour) => {
                shared.behave(behaviour);
                json!({ "ok": true })
            }
            None => json!({ "error": "there is no scenario of this name" }),
        },
        Request::Cut(true) => {
            shared.cut();
            json!({ "ok": true })
        }
        Request::Stats(true) => stats(shared),
        Request::Cut(false) | Request::Stats(false) => json!({ "error": "write true" }),
    }
}

fn stats(shared: &Shared) -> Value {
    let ledger = &shared.ledger;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    json!({
        "ok": true,
        "submitted": read(&ledger.submitted),
        "accepted": read(&ledger.accepted),
        "refused": read(&ledger.refused),
        "receipts": read(&ledger.receipts),
        "receiptsAcknowledged": read(&ledger.receipts_acknowledged),
        "receiptsRefused": read(&ledger.receipts_refused),
        "incoming": read(&ledger.incoming),
        "incomingAcknowledged": read(&ledger.incoming_acknowledged),
        "dropped": read(&ledger.dropped),
        "binds": read(&ledger.binds),
        "cuts": read(&ledger.cuts),
        "waiting": shared.waiting(),
        "sessions": shared.sessions.lock().len(),
    })
}
