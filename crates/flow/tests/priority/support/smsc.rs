//! A message centre: every submit is answered as the test's rule says, and every arrival is noted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use smpp::pdu::{Decoded, DeliverSm, Pdu};
use smpp::server::{DeliverBatch, ServerHandler, read_bind};
use smpp::session::{Answer, Answers, Outcome, OutcomeBatch, RequestBatch, SessionHandle, SessionOptions};
use smpp::{CommandStatus, Header};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

/// A submit as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub at: Instant,
    pub session: u64,
    pub destination: String,
    /// Concatenation octets: reference, total, number; `[0, 1, 1]` for a single part.
    pub part: [u8; 3],
    pub text: String,
}

/// What becomes of a submit.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// Taken, said so after this time.
    Taken(Duration),
    /// Refused with this status after this time.
    Refused(CommandStatus, Duration),
    /// Taken, never answered.
    Silent,
}

type Rule = dyn Fn(&Arrived) -> Reply + Send + Sync;

struct Shared {
    rule: Box<Rule>,
    arrived: Mutex<Vec<Arrived>>,
    changed: watch::Sender<usize>,
    sessions: Mutex<Vec<(u64, AbortHandle, SessionHandle)>>,
    next: AtomicU64,
    /// Source, destination and text.
    deliveries: Mutex<Vec<[Vec<u8>; 3]>>,
    /// Deliveries that were answered ESME_ROK.
    acknowledged: AtomicUsize,
}

/// A running message centre.
pub struct Smsc {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Smsc {
    pub async fn start(rule: impl Fn(&Arrived) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rule: Box::new(rule),
            arrived: Mutex::default(),
            changed: watch::Sender::new(0),
            sessions: Mutex::default(),
            next: AtomicU64::new(1),
            deliveries: Mutex::default(),
            acknowledged: AtomicUsize::new(0),
        });
        let mut tasks = JoinSet::new();
        let accepting = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let options = SessionOptions { window_max: 100, inbox_max: 100_000, ..SessionOptions::default() };
                let Ok(bind) = read_bind(stream, options).await else { continue };
                let Ok(session) = bind.accept(b"smsc") else { continue };
                let (name, handle) = (accepting.next.fetch_add(1, Ordering::Relaxed), session.handle());
                let centre = Centre { shared: Arc::clone(&accepting), name, handle: handle.clone() };
                let task = sessions.spawn(async move {
                    session.run(centre).await;
                });
                accepting.sessions.lock().push((name, task, handle));
            }
        });
        Self { address, shared, _tasks: tasks }
    }

    /// Everything that arrived so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.shared.arrived.lock().clone()
    }

    /// What arrived after the first so many.
    pub fn arrived_after(&self, first: usize) -> Vec<Arrived> {
        self.shared.arrived.lock()[first..].to_vec()
    }

    /// How many receipts were answered ESME_ROK.
    pub fn acknowledged(&self) -> usize {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// Waits until `wanted` holds of what arrived.
    pub async fn wait_for(&self, what: &str, within: Duration, wanted: impl Fn(&[Arrived]) -> bool) -> Vec<Arrived> {
        let mut changed = self.shared.changed.subscribe();
        let waiting = async {
            loop {
                changed.mark_unchanged();
                if wanted(&self.shared.arrived.lock()) {
                    return;
                }
                changed.changed().await.unwrap();
            }
        };
        let in_time = tokio::time::timeout(within, waiting).await.is_ok();
        let arrived = self.arrived();
        assert!(in_time, "not within {within:?}: {what}; {} submits arrived", arrived.len());
        arrived
    }

    /// Cuts all connections without a word.
    pub fn cut(&self) {
        self.shared.sessions.lock().drain(..).for_each(|(_, task, _)| task.abort());
    }

    /// Sends a receipt to any session: what a message centre says of a submit that it took.
    pub fn receipt(&self, id: &str, recipient: &str, sender: &str, stat: &str) {
        let text =
            format!("id:{id} sub:001 dlvrd:001 submit date:2701010000 done date:2701010000 stat:{stat} err:000 text:");
        self.shared.deliveries.lock().push([recipient.into(), sender.into(), text.into_bytes()]);
        self.shared.sessions.lock().iter().for_each(|(_, _, handle)| handle.wake());
    }
}

struct Centre {
    shared: Arc<Shared>,
    name: u64,
    handle: SessionHandle,
}

impl Centre {
    fn answer(&self, header: Header, reply: Reply, id: String) {
        let (status, after) = match reply {
            Reply::Taken(after) => (CommandStatus::ROK, after),
            Reply::Refused(status, after) => (status, after),
            Reply::Silent => return,
        };
        let handle = self.handle.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let answer =
                if status.is_ok() { Answer::accepted(header, id.as_bytes()) } else { Answer::new(header, status) };
            handle.respond(&[answer]);
        });
    }
}

impl ServerHandler for Centre {
    fn pull(&mut self, batch: &mut DeliverBatch<'_>) {
        let mut deliveries = self.shared.deliveries.lock();
        while batch.room() > 0
            && let Some([source, destination, text]) = deliveries.pop()
        {
            let sm = DeliverSm {
                source: smpp::pdu::Address { ton: 1, npi: 1, digits: &source },
                destination: smpp::pdu::Address { ton: 5, npi: 0, digits: &destination },
                esm_class: 0x04,
                short_message: &text,
                ..DeliverSm::default()
            };
            batch.push(0, &sm).unwrap();
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        let is_ok = |outcome: &Outcome<'_>| matches!(outcome, Outcome::Answered { status, .. } if status.is_ok());
        let ok = outcomes.iter().filter(|(_, outcome)| is_ok(outcome)).count();
        self.shared.acknowledged.fetch_add(ok, Ordering::Relaxed);
    }

    fn requests(&mut self, requests: RequestBatch, answers: &mut Answers<'_>) {
        let at = Instant::now();
        for (decoded, header) in requests.iter().zip(requests.headers()) {
            let Decoded::Parsed { pdu: Pdu::SubmitSm(sm), .. } = decoded else { continue };
            let words = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            let (part, text) = match sm.short_message {
                [5, 0, 3, reference, total, number, text @ ..] if sm.esm_class & 0x40 != 0 => {
                    ([*reference, *total, *number], text)
                }
                text => ([0, 1, 1], text),
            };
            let destination = words(sm.destination.digits);
            let one = Arrived { at, session: self.name, destination, part, text: words(text) };
            let reply = (self.shared.rule)(&one);
            let mut arrived = self.shared.arrived.lock();
            arrived.push(one);
            let id = arrived.len().to_string();
            drop(arrived);
            match reply {
                Reply::Taken(after) if after.is_zero() => {
                    answers.respond(&Answer::accepted(header, id.as_bytes()));
                }
                reply => self.answer(header, reply, id),
            }
        }
        self.shared.changed.send_modify(|count| *count += 1);
    }
}
