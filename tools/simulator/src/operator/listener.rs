//! The operator's socket.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use smpp::CommandStatus;
use smpp::server::{BindRequest, read_bind};
use smpp::session::SessionOptions;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinSet;

use super::answers::HeldAnswers;
use super::behaviour::{Behaviour, Outcome};
use super::control;
use super::delivery::incoming;
use super::join::Message;
use super::ledger::{BindAttempt, Ledger, Submitted};
use super::options::OperatorOptions;
use super::session::Session;
use super::shared::{Bound, Shared};
use super::slow::Wire;

/// Deliveries that may be unacknowledged on a session.
const WINDOW_MAX: usize = 5_000;
/// Submits that may wait for an answer on a session: more than any window under test.
const INBOX_MAX: usize = 100_000;
/// Connections at a time; further ones are closed at once.
const CONNECTIONS_MAX: usize = 1_000;

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
    /// Where handsets and scripts reach it.
    pub control_address: Option<SocketAddr>,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
}

impl Operator {
    /// Starts to listen. With `recording` every part is kept in the ledger, otherwise only counted.
    ///
    /// # Errors
    /// When the address is taken or the scenario is unknown.
    pub async fn start(options: &OperatorOptions, recording: bool) -> io::Result<Self> {
        let behaviour = options.behaviour().ok_or_else(|| io::Error::other(options.unknown_scenario()))?;
        Self::start_with(options, behaviour, recording).await
    }

    /// [`Self::start`] with a behaviour of one's own instead of the scenario.
    ///
    /// # Errors
    /// When an address is taken, or the control address is not of this machine.
    pub async fn start_with(options: &OperatorOptions, behaviour: Behaviour, recording: bool) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let control = match options.control {
            Some(address) => Some(control::listen(address).await?),
            None => None,
        };
        let control_address = control.as_ref().map(TcpListener::local_addr).transpose()?;
        let shared = Arc::new(Shared::new(&options.system_id, &options.password, behaviour, recording));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        let waking = Arc::clone(&shared);
        tasks.spawn(async move { waking.keep_waking().await });
        let writing = Arc::clone(&shared);
        tasks.spawn(async move { writing.keep_writing().await });
        if let Some(listener) = control {
            tasks.spawn(control::serve(listener, Arc::clone(&shared)));
        }
        Ok(Self { address, control_address, shared, tasks })
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

    /// The messages that become whole from now on.
    #[must_use]
    pub fn messages(&self) -> broadcast::Receiver<Message> {
        self.shared.messages.subscribe()
    }

    /// How it behaves now.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        Behaviour::clone(&self.shared.behaviour())
    }

    /// Changes how it behaves from now on. Receipts that are planned already stay as they are.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.behave(behaviour);
    }

    /// Cuts all connections without a word.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// Unbinds all sessions; what they owe is still answered.
    pub fn unbind(&self) {
        self.shared.sessions.lock().iter().for_each(|bound| bound.handle.close());
    }

    /// Receipts and incoming messages that wait to be sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.waiting()
    }

    /// Bound sessions.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.shared.sessions.lock().len()
    }

    /// Sends an incoming message: `source` writes `text` to `destination`. It waits for a receiving session. A text of
    /// more than 255 parts is dropped and counted; [`Self::try_deliver`] tells.
    pub fn deliver(&self, source: &str, destination: &str, text: &str) {
        if self.try_deliver(source, destination, text).is_err() {
            self.shared.ledger.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// [`Self::deliver`] that says in how many parts the message leaves.
    ///
    /// # Errors
    /// When the text needs more than 255 parts.
    pub fn try_deliver(&self, source: &str, destination: &str, text: &str) -> Result<usize, text::TextError> {
        self.shared.deliver(source, destination, text)
    }

    /// Runs until the process ends.
    pub async fn run(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Shared {
    pub(super) fn deliver(&self, source: &str, destination: &str, text: &str) -> Result<usize, text::TextError> {
        let parts = incoming(source, destination, text, text::Reference::Bits8(self.next_reference()))?;
        let (count, now_ms) = (parts.len(), self.now_ms());
        self.schedule(parts.into_iter().map(|part| (now_ms, part)));
        Ok(count)
    }

    pub(super) fn cut(&self) {
        let sessions = self.sessions.lock();
        self.ledger.cuts.fetch_add(sessions.len() as u64, Ordering::Relaxed);
        let with_reset = self.behaviour().cut_with_reset;
        sessions.iter().for_each(|bound| bound.cut(with_reset));
    }

    /// The `command_status` a bind is answered with.
    fn bind_status(&self, request: &BindRequest) -> CommandStatus {
        let behaviour = self.behaviour();
        if behaviour.bind_refusal != 0 {
            return CommandStatus(behaviour.bind_refusal);
        }
        if request.system_id != self.system_id.as_bytes() {
            return CommandStatus::RINVSYSID;
        }
        if request.password != self.password.as_bytes() {
            return CommandStatus::RINVPASWD;
        }
        let too_many = behaviour.binds_max > 0 && self.sessions.lock().len() >= behaviour.binds_max;
        if too_many { CommandStatus::RALYBND } else { CommandStatus::ROK }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < CONNECTIONS_MAX => {
                    connections.spawn(serve(stream, Arc::clone(&shared)));
                }
                Ok(_) => {}
                // Out of descriptors, for instance: asking again at once would only burn the processor.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Without it answers wait for acknowledgements; the session works all the same.
    _ = stream.set_nodelay(true);
    let options = SessionOptions { window_max: WINDOW_MAX, inbox_max: INBOX_MAX, ..SessionOptions::default() };
    let reset = Arc::<AtomicBool>::default();
    let stream = Wire::new(stream, Arc::clone(&shared), Arc::clone(&reset));
    let Ok(pending) = read_bind(stream, options).await else { return };
    let request = pending.request().clone();
    let status = shared.bind_status(&request);
    shared.ledger.add_bind(BindAttempt {
        at_ms: shared.now_ms(),
        system_id: String::from_utf8_lossy(&request.system_id).into_owned(),
        transmits: request.mode.transmits(),
        receives: request.mode.receives(),
        command_status: status.0,
    });
    if !status.is_ok() {
        // The peer may be gone by now.
        _ = pending.refuse(status).await;
        return;
    }
    let Ok(session) = pending.accept(b"simulator") else { return };
    let handle = session.handle();
    let held = Arc::new(HeldAnswers::new(handle.clone()));
    let receives = request.mode.receives();
    let bound = Bound { number: shared.next_session(), handle, cut: Arc::new(Notify::new()), reset, held, receives };
    let _listed = Listed::new(&shared, bound.clone());
    let disconnect_every_ms = shared.behaviour().disconnect_every_ms;
    let time_is_over = async {
        if disconnect_every_ms == 0 {
            return std::future::pending().await;
        }
        tokio::time::sleep(Duration::from_millis(disconnect_every_ms)).await;
    };
    let handler = Session::new(Arc::clone(&shared), &bound);
    tokio::select! {
        _ = session.run(handler) => {}
        () = bound.cut.notified() => {}
        () = time_is_over => {
            shared.ledger.cuts.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Keeps a session in the list of the bound ones as long as it lives.
struct Listed<'a> {
    shared: &'a Shared,
    number: u64,
}

impl<'a> Listed<'a> {
    fn new(shared: &'a Shared, bound: Bound) -> Self {
        let number = bound.number;
        shared.sessions.lock().push(bound);
        Self { shared, number }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.shared.sessions.lock().retain(|bound| bound.number != self.number);
        // Those that wait for it to be gone look again.
        self.shared.ledger.tell();
    }
}
