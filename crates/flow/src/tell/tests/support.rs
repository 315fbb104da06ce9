//! A store in memory, control data, and a running stage.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use domain::clock::{Clock, UnixMillis};
use domain::control::{Account, AccountSettings, Control, Endpoint, EventKind, Secret};
use domain::event::{Event, Payload, StatusReport};
use domain::fact::{CallOutcome, EventId, WebhookCall};
use domain::id::{AccountId, EndpointId, IdGenerator, MessageId};
use domain::lane::Lane;
use domain::phone::Phone;
use domain::random::Random;
use domain::sender::Sender;
use domain::state::Status;
use domain::webhook::{Attempt, EndpointName, EndpointTrouble, Missed};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::tell::transport::Transport;
use crate::tell::{BoxFuture, Handle, Options, Outbox, OutboxError, Service};

pub(super) const SECRET_KEY: &str = "s3cret";
pub(super) const SIGNING_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/// A store in memory; copies share it.
#[derive(Clone)]
pub(super) struct MemoryOutbox(pub(super) Arc<Inner>);

pub(super) struct Inner {
    control: Mutex<Arc<Control>>,
    ids: IdGenerator,
    untold: Mutex<BTreeMap<EventId, Event>>,
    /// Told or given up.
    ended: Mutex<BTreeMap<EventId, Event>>,
    pub(super) calls: Mutex<Vec<WebhookCall>>,
    pub(super) troubles: Mutex<Vec<EndpointTrouble>>,
    pub(super) attempts: Mutex<Vec<Attempt>>,
    pub(super) missed: Mutex<Vec<Missed>>,
    pub(super) keeping_takes_ms: AtomicU64,
    pub(super) records: AtomicUsize,
    /// Most events that were recorded together.
    pub(super) most_events: AtomicUsize,
    pub(super) reads: AtomicUsize,
    /// The next question for control data breaks whoever asks.
    pub(super) panic_once: AtomicBool,
    pub(super) refuse: AtomicBool,
}

impl MemoryOutbox {
    pub(super) fn new(accounts: Vec<Account>) -> Self {
        Self(Arc::new(Inner {
            control: Mutex::new(Arc::new(Control::new(1, accounts, vec![], vec![], vec![]))),
            ids: IdGenerator::new(Clock::system(), 0, MessageId(0)),
            untold: Mutex::default(),
            ended: Mutex::default(),
            calls: Mutex::default(),
            troubles: Mutex::default(),
            attempts: Mutex::default(),
            missed: Mutex::default(),
            keeping_takes_ms: AtomicU64::new(0),
            records: AtomicUsize::new(0),
            most_events: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            panic_once: AtomicBool::new(false),
            refuse: AtomicBool::new(false),
        }))
    }

    pub(super) fn set_control(&self, version: u64, accounts: Vec<Account>) {
        *self.0.control.lock() = Arc::new(Control::new(version, accounts, vec![], vec![], vec![]));
    }

    /// Keeps an event as the store does in the commit that makes it.
    pub(super) fn keep(&self, event: &Event) {
        self.0.untold.lock().insert(event.id, event.clone());
    }

    pub(super) fn event(&self, account: u32, lane: Lane) -> Event {
        let event = event(account, self.0.ids.next(lane));
        self.keep(&event);
        event
    }

    /// An event of a request that named a URL of its own.
    pub(super) fn event_to(&self, account: u32, url: &str) -> Event {
        let mut event = event(account, self.0.ids.next(Lane::Standard));
        event.webhook_url = Some(url.into());
        self.keep(&event);
        event
    }

    pub(super) fn untold_count(&self) -> usize {
        self.0.untold.lock().len()
    }

    pub(super) fn calls(&self) -> Vec<WebhookCall> {
        self.0.calls.lock().clone()
    }

    fn apply(&self, call: &WebhookCall) {
        let mut untold = self.0.untold.lock();
        for id in &call.events {
            match call.outcome {
                CallOutcome::RetryAt(at) => {
                    let event = untold.get_mut(id).expect("an event that ended is tried again");
                    event.attempts = call.attempt;
                    event.next_at = at;
                    event.call = Some(call.id);
                }
                CallOutcome::Told | CallOutcome::Dead => {
                    let event = untold.remove(id).unwrap_or_else(|| panic!("{id} ended twice"));
                    self.0.ended.lock().insert(*id, Event { attempts: call.attempt, ..event });
                }
            }
        }
    }
}

impl Outbox for MemoryOutbox {
    fn control(&self) -> Arc<Control> {
        assert!(!self.0.panic_once.swap(false, Relaxed), "broken on purpose");
        Arc::clone(&self.0.control.lock())
    }

    fn record(&self, lane: Lane, calls: Vec<WebhookCall>) -> BoxFuture<'_, Result<(), OutboxError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if self.0.refuse.load(Relaxed) {
                return Err(OutboxError("the disk is full".into()));
            }
            for call in &calls {
                assert!(call.events.iter().all(|id| id.message.lane() == lane), "a call mixes lanes");
                self.apply(call);
            }
            self.0.records.fetch_add(1, Relaxed);
            self.0.most_events.fetch_max(calls.iter().map(|call| call.events.len()).sum(), Relaxed);
            self.0.calls.lock().extend(calls);
            Ok(())
        })
    }

    fn troubles(&self) -> BoxFuture<'_, Result<Vec<EndpointTrouble>, OutboxError>> {
        Box::pin(async move { Ok(self.0.troubles.lock().clone()) })
    }

    fn keep_trouble(&self, trouble: EndpointTrouble) -> BoxFuture<'_, Result<(), OutboxError>> {
        let mut troubles = self.0.troubles.lock();
        troubles.retain(|known| known.name != trouble.name);
        troubles.push(trouble);
        Box::pin(async { Ok(()) })
    }

    fn end_trouble(&self, name: EndpointName) -> BoxFuture<'_, Result<(), OutboxError>> {
        self.0.troubles.lock().retain(|known| known.name != name);
        Box::pin(async { Ok(()) })
    }

    fn keep_attempts(&self, attempts: Vec<Attempt>, missed: Vec<Missed>) -> BoxFuture<'_, Result<(), OutboxError>> {
        Box::pin(async move {
            // As a disk that is busy: what comes in meanwhile has to wait, or is only counted.
            sleep(Duration::from_millis(self.0.keeping_takes_ms.load(Relaxed))).await;
            if self.0.refuse.load(Relaxed) {
                return Err(OutboxError("the disk is full".into()));
            }
            self.0.attempts.lock().extend(attempts);
            self.0.missed.lock().extend(missed);
            Ok(())
        })
    }

    fn replay(&self, _lane: Lane, events: Vec<EventId>) -> BoxFuture<'_, Result<(), OutboxError>> {
        Box::pin(async move {
            let ended = self.0.ended.lock();
            for id in events {
                let event = ended.get(&id).expect("an event that was told or given up");
                self.0.untold.lock().insert(id, Event { call: None, next_at: UnixMillis(0), ..event.clone() });
            }
            Ok(())
        })
    }

    fn untold(&self, lane: Lane, after: EventId, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, OutboxError>> {
        Box::pin(async move {
            self.0.reads.fetch_add(1, Relaxed);
            let page: Vec<_> = {
                let untold = self.0.untold.lock();
                let later = untold.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
                later
                    .map(|(_, event)| event)
                    .filter(|event| event.id.message.lane() == lane)
                    .take(limit)
                    .cloned()
                    .collect()
            };
            // What is read may be old by the time it arrives.
            tokio::task::yield_now().await;
            Ok(page)
        })
    }
}

pub(super) fn event(account: u32, message: MessageId) -> Event {
    let report = StatusReport {
        external_id: "order-1".into(),
        phone: Phone::parse("+48111222333").unwrap(),
        sender: Sender::parse("ACME").unwrap(),
        status: Status::Delivered,
        status_at: UnixMillis::from_seconds(1_795_342_500),
        parts: 2,
        error: "0\"5".into(),
    };
    Event::new(EventId { message, step: 2 }, AccountId(account), None, Payload::Status(report))
}

pub(super) fn endpoint(account: u32, url: &str) -> Endpoint {
    Endpoint {
        id: EndpointId(account),
        account: AccountId(account),
        event: EventKind::Status,
        url: url.into(),
        secret_key: Secret::new(SECRET_KEY),
        signing_secret: Secret::new(SIGNING_SECRET),
        ..Endpoint::default()
    }
}

pub(super) fn account(endpoint: Endpoint) -> Account {
    Account {
        id: endpoint.account,
        name: format!("account-{}", endpoint.account.0),
        settings: AccountSettings::default(),
        senders: vec![],
        endpoints: vec![endpoint],
        numbers: vec![],
    }
}

/// Options that let loopback receivers be called.
pub(super) fn loopback() -> Options {
    Options { allow_private_addresses: vec!["127.0.0.0/8".parse().unwrap()], ..Options::default() }
}

/// A running stage over a store in memory.
pub(super) struct Running {
    pub(super) handle: Handle,
    pub(super) outbox: MemoryOutbox,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    pub(super) fn start(outbox: MemoryOutbox, options: Options) -> Self {
        let (service, handle) = Service::new(outbox.clone(), Clock::system(), Random::seeded(1), options).unwrap();
        Self::run(service, handle, outbox)
    }

    pub(super) fn with_transport(outbox: MemoryOutbox, options: Options, transport: Arc<dyn Transport>) -> Self {
        Self::with_clock(outbox, options, transport, Clock::system())
    }

    /// With a wall clock of the test's own.
    pub(super) fn with_clock(
        outbox: MemoryOutbox,
        options: Options,
        transport: Arc<dyn Transport>,
        clock: Clock,
    ) -> Self {
        let made = Service::with_transport(outbox.clone(), clock, Random::seeded(1), options, transport);
        Self::run(made.0, made.1, outbox)
    }

    pub(super) fn run(service: Service, handle: Handle, outbox: MemoryOutbox) -> Self {
        let (stop, drain) = watch::channel(false);
        Self { handle, outbox, stop, task: tokio::spawn(service.run(drain)) }
    }

    /// Makes events and tells them, as the store and the flow do.
    pub(super) fn tell(&self, account: u32, count: usize) -> Vec<EventId> {
        let events = (0..count).map(|_| self.outbox.event(account, Lane::Standard)).collect::<Vec<_>>();
        let ids = events.iter().map(|event| event.id).collect();
        events.into_iter().for_each(|event| self.handle.tell(Arc::new(event)));
        ids
    }

    /// Waits until every event came to its end.
    pub(super) async fn all_ended(&self) {
        until(|| self.outbox.untold_count() == 0).await;
        // What is in memory is forgotten right after its end was recorded.
        until(|| self.handle.figures().queued == 0).await;
    }

    /// Breaks off where it stands, as `kill -9` does.
    pub(super) fn kill(self) -> MemoryOutbox {
        self.task.abort();
        self.outbox
    }

    pub(super) async fn stop(self) -> MemoryOutbox {
        self.stop.send_replace(true);
        self.task.await.unwrap();
        self.outbox
    }
}

/// Polls until something is so; the test's own time limit ends a wait in vain.
pub(super) async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
