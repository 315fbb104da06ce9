//! The operator's socket and what its sessions share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::clock::Clock;
use parking_lot::{Mutex, RwLock};
use smpp::CommandStatus;
use smpp::server::read_bind;
use smpp::session::{SessionHandle, SessionOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinSet;

use super::behaviour::{Behaviour, OperatorOptions, Outcome};
use super::ledger::{Ledger, Submitted};
use super::outbox::Outbox;
use super::session::{Delivery, Session};

/// Requests waiting for an answer per session: as many as any window under test.
const WINDOW_MAX: usize = 5_000;
/// Things that happened and are not looked at yet.
const EVENTS_MAX: usize = 10_000;
/// How exact times are: sessions are woken this often at most.
const TICK: Duration = Duration::from_millis(1);

/// Something that happened, for those who watch.
#[derive(Clone, Debug)]
pub enum Event {
    /// A part came.
    Submitted(Submitted),
    /// A receipt was sent.
    Receipt {
        /// The id in it.
        id: String,
        /// The recipient of the message.
        recipient: String,
        /// What it says.
        outcome: Outcome,
    },
}

/// A running operator. Stops when dropped.
pub struct Operator {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

pub(super) struct Shared {
    pub ledger: Ledger,
    pub events: broadcast::Sender<Event>,
    pub clock: Clock,
    /// Ids go on from here, so that no two runs give the same.
    pub id_base: u64,
    system_id: String,
    password: String,
    behaviour: RwLock<Arc<Behaviour>>,
    deliveries: Mutex<Outbox<Delivery>>,
    sessions: Mutex<Vec<(u64, SessionHandle, Arc<Notify>)>>,
    /// When someone is to be woken next.
    wake: Mutex<Option<Instant>>,
    wake_changed: Notify,
    second: Mutex<(Option<Instant>, u32)>,
    sessions_so_far: AtomicU64,
}

impl Operator {
    /// Starts to listen. With `recording` every part is kept in the ledger, otherwise only counted.
    ///
    /// # Errors
    /// When the address is taken or the scenario is unknown.
    pub async fn start(options: &OperatorOptions, recording: bool) -> std::io::Result<Self> {
        let unknown = || std::io::Error::other(format!("there is no scenario {:?}", options.scenario));
        let behaviour = options.behaviour().ok_or_else(unknown)?;
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let clock = Clock::system();
        let shared = Arc::new(Shared {
            ledger: Ledger::new(recording),
            events: broadcast::channel(EVENTS_MAX).0,
            id_base: clock.now().0.unsigned_abs() * 1_000,
            clock,
            system_id: options.system_id.clone(),
            password: options.password.clone(),
            behaviour: RwLock::new(Arc::new(behaviour)),
            deliveries: Mutex::default(),
            sessions: Mutex::default(),
            wake: Mutex::default(),
            wake_changed: Notify::new(),
            second: Mutex::default(),
            sessions_so_far: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        tasks.spawn(wake_sessions(Arc::clone(&shared)));
        Ok(Self { address, shared, tasks })
    }

    /// What it saw.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events.subscribe()
    }

    /// How it behaves now.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        Behaviour::clone(&self.shared.behaviour())
    }

    /// Changes how it behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.write() = Arc::new(behaviour);
        self.shared.wake_at(Instant::now());
    }

    /// Cuts all connections without a word.
    pub fn cut(&self) {
        self.shared.sessions.lock().iter().for_each(|(_, _, cut)| cut.notify_one());
    }

    /// Receipts and incoming messages that wait to be sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.deliveries.lock().len()
    }

    /// Bound sessions.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.sessions.lock().len()
    }

    /// Sends an incoming message: `source` writes `text` to `destination`.
    pub fn deliver(&self, source: &str, destination: &str, text: &str) {
        let (data_coding, octets) = match text::gsm7::encode(text) {
            Ok(septets) => (0x00, septets),
            Err(_) => (0x08, text::ucs2::encode(text)),
        };
        let (source, destination) = (source.to_owned(), destination.to_owned());
        let incoming = Delivery::Incoming { source, destination, esm_class: 0, data_coding, octets };
        self.shared.schedule(Instant::now(), incoming, 1);
    }

    /// Runs until the process ends.
    pub async fn run(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = sessions.join_next() => {}
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    sessions.spawn(serve(stream, Arc::clone(&shared)));
                }
            }
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    _ = stream.set_nodelay(true);
    let options = SessionOptions { window_max: WINDOW_MAX, inbox_max: WINDOW_MAX, ..SessionOptions::default() };
    let Ok(pending) = read_bind(stream, options).await else { return };
    let request = pending.request().clone();
    if request.system_id != shared.system_id.as_bytes() {
        _ = pending.refuse(CommandStatus::RINVSYSID).await;
        return;
    }
    if request.password != shared.password.as_bytes() {
        _ = pending.refuse(CommandStatus::RINVPASWD).await;
        return;
    }
    let Ok(session) = pending.accept(b"simulator") else { return };
    shared.ledger.binds.fetch_add(1, Ordering::Relaxed);
    let number = shared.sessions_so_far.fetch_add(1, Ordering::Relaxed) + 1;
    let (handle, cut) = (session.handle(), Arc::new(Notify::new()));
    shared.sessions.lock().push((number, handle.clone(), Arc::clone(&cut)));
    let handler = Session::new(Arc::clone(&shared), number, handle, request.mode.receives(), Arc::clone(&cut));
    tokio::select! {
        _ = session.run(handler) => {}
        () = cut.notified() => {}
    }
    shared.sessions.lock().retain(|(known, _, _)| *known != number);
}

/// Wakes the sessions when something is due.
async fn wake_sessions(shared: Arc<Shared>) {
    loop {
        let next = *shared.wake.lock();
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shared.wake_changed.notified() => continue,
            () = due => {}
        }
        let still_waiting = shared.deliveries.lock().next_at();
        *shared.wake.lock() = still_waiting.map(|at| at.max(Instant::now() + TICK));
        shared.sessions.lock().iter().for_each(|(_, handle, _)| handle.wake());
    }
}

impl Shared {
    pub(super) fn behaviour(&self) -> Arc<Behaviour> {
        Arc::clone(&self.behaviour.read())
    }

    /// Puts a delivery up for `at`, so many times.
    pub(super) fn schedule(&self, at: Instant, delivery: Delivery, copies: u8) {
        let mut deliveries = self.deliveries.lock();
        for _ in 1..copies {
            deliveries.push(at, delivery.clone());
        }
        deliveries.push(at, delivery);
        drop(deliveries);
        self.wake_at(at);
    }

    pub(super) fn take_due(&self, now: Instant) -> Option<Delivery> {
        self.deliveries.lock().pop_due(now)
    }

    pub(super) fn wake_at(&self, at: Instant) {
        let mut wake = self.wake.lock();
        if wake.is_none_or(|known| at < known) {
            *wake = Some(at);
            drop(wake);
            self.wake_changed.notify_one();
        }
    }

    /// Counts a submit of this second; true when it is one too many.
    pub(super) fn is_too_fast(&self, rate_per_second: u32, now: Instant) -> bool {
        if rate_per_second == 0 {
            return false;
        }
        let mut second = self.second.lock();
        if second.0.is_none_or(|began| now.duration_since(began) >= Duration::from_secs(1)) {
            *second = (Some(now), 0);
        }
        second.1 += 1;
        second.1 > rate_per_second
    }
}
