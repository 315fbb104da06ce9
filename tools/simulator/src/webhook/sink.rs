//! The receiver and its ledger.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use domain::clock::Clock;
use memchr::memmem;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use super::http::Call;
use super::mood::Mood;
use super::received::Received;
use super::serve::accept;
use super::verify::{Secrets, Verdict, verify};

/// Events not looked at yet.
const EVENTS_MAX: usize = 10_000;
/// Events kept; what comes after is only counted.
const ENTRIES_MAX: usize = 5_000_000;

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

pub(super) struct Shared {
    secrets: RwLock<Secrets>,
    mood: RwLock<Mood>,
    /// Moods of the next calls, before [`Self::mood`] rules again.
    next_moods: Mutex<VecDeque<Mood>>,
    recording: bool,
    calls: AtomicU64,
    events: AtomicU64,
    bad_calls: AtomicU64,
    ledger: Mutex<Vec<Received>>,
    watchers: broadcast::Sender<Received>,
    changed: watch::Sender<()>,
    clock: Clock,
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
            next_moods: Mutex::default(),
            recording,
            calls: AtomicU64::new(0),
            events: AtomicU64::new(0),
            bad_calls: AtomicU64::new(0),
            ledger: Mutex::default(),
            watchers: broadcast::channel(EVENTS_MAX).0,
            changed: watch::Sender::new(()),
            clock: Clock::system(),
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

    /// Answers the next calls like this, one after the other, before the mood rules again.
    pub fn answer_next(&self, moods: impl IntoIterator<Item = Mood>) {
        self.shared.next_moods.lock().extend(moods);
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

    /// Calls so far whose signatures were checked and wrong, or whose body was no array of events. Counted only while
    /// recording or watched.
    #[must_use]
    pub fn bad_calls(&self) -> u64 {
        self.shared.bad_calls.load(Ordering::Relaxed)
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

    /// Waits until `wanted` holds and says whether it did within `within`.
    pub async fn wait_for(&self, within: Duration, wanted: impl Fn(&Self) -> bool) -> bool {
        let mut changed = self.shared.changed.subscribe();
        let holds = async {
            loop {
                changed.mark_unchanged();
                if wanted(self) || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        // The answer is the condition itself, whoever was faster.
        _ = tokio::time::timeout(within, holds).await;
        wanted(self)
    }

    /// Runs until the process ends.
    pub async fn run(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Shared {
    /// How the next call is answered.
    pub(super) fn next_mood(&self) -> Mood {
        let next = self.next_moods.lock().pop_front();
        next.unwrap_or_else(|| *self.mood.read())
    }

    /// Counts a call and keeps its events.
    pub(super) fn note(&self, call: &Call<'_>, answered: u16) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if !self.recording && self.watchers.receiver_count() == 0 {
            // Each event object holds this name once; counting it is all that load tests need.
            let events = memmem::find_iter(call.body, b"\"eventId\":").count();
            self.events.fetch_add(events as u64, Ordering::Relaxed);
        } else {
            self.keep(call, answered);
        }
        self.changed.send_replace(());
    }

    fn keep(&self, call: &Call<'_>, answered: u16) {
        let at = Instant::now();
        let verdict = verify(&self.secrets.read(), |name| call.header(name), call.body, self.clock.now());
        let events = serde_json::from_slice::<Vec<Value>>(call.body);
        if events.is_err() || !verdict.is_good() {
            self.bad_calls.fetch_add(1, Ordering::Relaxed);
        }
        let events = events.unwrap_or_default();
        self.events.fetch_add(events.len() as u64, Ordering::Relaxed);
        let events_in_call = events.len();
        for event in events {
            let received = Received::new(at, call, event, events_in_call, verdict, answered);
            if self.watchers.receiver_count() > 0 {
                // The last watcher may be leaving.
                _ = self.watchers.send(received.clone());
            }
            let mut ledger = self.ledger.lock();
            if self.recording && ledger.len() < ENTRIES_MAX {
                ledger.push(received);
            }
        }
    }
}

impl Received {
    fn new(at: Instant, call: &Call<'_>, event: Value, events_in_call: usize, verdict: Verdict, answered: u16) -> Self {
        let header = |name| call.header(name).unwrap_or_default();
        Self {
            at,
            path: call.path.to_owned(),
            request_id: header("request-id").to_owned(),
            webhook_id: header("webhook-id").to_owned(),
            attempt: header("webhook-attempt").parse().unwrap_or(0),
            events_in_call,
            event,
            verdict,
            answered,
        }
    }
}
