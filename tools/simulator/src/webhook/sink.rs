//! The receiver's socket and its ledger.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use super::http::{Call, Parsed, parse};
use super::verify::{Secrets, Verdict, verify};

/// Events not looked at yet.
const EVENTS_MAX: usize = 10_000;

/// How the receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// With this HTTP status after so many milliseconds.
    Answer {
        /// HTTP status.
        status: u16,
        /// Milliseconds before the answer.
        after_ms: u64,
    },
    /// Not at all: reads and stays silent.
    Silent,
    /// Closes the connection without an answer.
    Hangup,
}

/// One event as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// The path that was called.
    pub path: String,
    /// `Request-Id` of the call.
    pub request_id: String,
    /// The event object.
    pub event: Value,
    /// Whether the call's signatures are right.
    pub verdict: Verdict,
    /// The HTTP status it was answered with, 0 for none.
    pub answered: u16,
}

/// How to run a receiver.
#[derive(Args, Clone, Debug)]
pub struct SinkOptions {
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:9000", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// SecretKey to check the checksum headers with.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub secret_key: String,
    /// whsec_… to check the Standard Webhooks signature with.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub signing_secret: String,
    /// HTTP status to answer with.
    #[arg(long, default_value_t = 200)]
    pub status: u16,
    /// Milliseconds before each answer.
    #[arg(long, default_value_t = 0)]
    pub delay_ms: u64,
}

impl SinkOptions {
    /// A receiver on a free port of this machine that answers 200 at once.
    #[must_use]
    pub fn local() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { listen, secret_key: String::new(), signing_secret: String::new(), status: 200, delay_ms: 0 }
    }
}

/// A running receiver. Stops when dropped.
pub struct Sink {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

struct Shared {
    secrets: RwLock<Secrets>,
    mood: RwLock<Mood>,
    recording: bool,
    calls: AtomicU64,
    events: AtomicU64,
    ledger: Mutex<Vec<Received>>,
    watchers: broadcast::Sender<Received>,
}

impl Sink {
    /// Starts to listen. With `recording` every event is kept, otherwise only counted.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(options: &SinkOptions, recording: bool) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let secrets =
            Secrets { secret_key: options.secret_key.clone(), signing_secret: options.signing_secret.clone() };
        let mood = Mood::Answer { status: options.status, after_ms: options.delay_ms };
        let shared = Arc::new(Shared {
            secrets: RwLock::new(secrets),
            mood: RwLock::new(mood),
            recording,
            calls: AtomicU64::new(0),
            events: AtomicU64::new(0),
            ledger: Mutex::default(),
            watchers: broadcast::channel(EVENTS_MAX).0,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, tasks })
    }

    /// A URL that reaches it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// Checks signatures with these from now on.
    pub fn set_secrets(&self, secrets: Secrets) {
        *self.shared.secrets.write() = secrets;
    }

    /// Answers like this from now on.
    pub fn set_mood(&self, mood: Mood) {
        *self.shared.mood.write() = mood;
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// Events so far, repeated ones included.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.shared.events.load(Ordering::Relaxed)
    }

    /// All events so far, in the order of arrival.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.ledger.lock().clone()
    }

    /// What comes from now on.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Received> {
        self.shared.watchers.subscribe()
    }

    /// Runs until the process ends.
    pub async fn run(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&shared)));
                }
            }
        }
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    _ = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        match parse(&buffer) {
            Parsed::Call(call, octets) => {
                buffer.drain(..octets);
                if answer(&mut stream, &call, &shared).await.is_none() {
                    return;
                }
            }
            Parsed::Incomplete => {
                if !matches!(stream.read_buf(&mut buffer).await, Ok(octets) if octets > 0) {
                    return;
                }
            }
            Parsed::Broken => return,
        }
    }
}

async fn answer(stream: &mut TcpStream, call: &Call, shared: &Shared) -> Option<()> {
    let mood = *shared.mood.read();
    let status = match mood {
        Mood::Answer { status, after_ms } => {
            if after_ms > 0 {
                tokio::time::sleep(Duration::from_millis(after_ms)).await;
            }
            status
        }
        Mood::Silent | Mood::Hangup => 0,
    };
    note(call, shared, status);
    match mood {
        Mood::Hangup => None,
        Mood::Silent => std::future::pending().await,
        Mood::Answer { .. } => {
            let line = format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(line.as_bytes()).await.ok()
        }
    }
}

fn note(call: &Call, shared: &Shared, answered: u16) {
    shared.calls.fetch_add(1, Ordering::Relaxed);
    if !shared.recording && shared.watchers.receiver_count() == 0 {
        // Each event object holds this name once; counting it is all that load tests need.
        let events = call.body.windows(10).filter(|window| window == b"\"eventId\":").count();
        shared.events.fetch_add(events as u64, Ordering::Relaxed);
        return;
    }
    let verdict = verify(&shared.secrets.read(), &call.headers, &call.body);
    let events = serde_json::from_slice::<Vec<Value>>(&call.body).unwrap_or_default();
    shared.events.fetch_add(events.len() as u64, Ordering::Relaxed);
    let request_id = call.headers.get("request-id").cloned().unwrap_or_default();
    for event in events {
        let (path, request_id) = (call.path.clone(), request_id.clone());
        let received = Received { at: Instant::now(), path, request_id, event, verdict, answered };
        _ = shared.watchers.send(received.clone());
        if shared.recording {
            shared.ledger.lock().push(received);
        }
    }
}
