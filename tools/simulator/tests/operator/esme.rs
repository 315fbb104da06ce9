//! A client to test the operator with: sends what it is given, notes what it gets.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use smpp::client::{ClientHandler, ClientSession, SubmitBatch, connect};
use smpp::pdu::{Address, Bind, BindMode, Decoded, Pdu, SubmitSm};
use smpp::session::{Answer, Answers, Outcome, OutcomeBatch, RequestBatch, SessionEnd, SessionHandle, SessionOptions};
use smpp::{CommandStatus, receipt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Something the client saw, in the order it saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// An answer: token, status, id.
    Answer(u64, u32, String),
    /// No answer.
    Lost(u64),
    /// A receipt: id, state word, `message_state`.
    Receipt { id: String, stat: String, state: Option<u8> },
    /// An incoming part: `esm_class`, `data_coding`, octets.
    Incoming { esm_class: u8, data_coding: u8, octets: Vec<u8> },
}

#[derive(Clone, Debug)]
pub struct ToSend {
    pub destination: String,
    pub esm_class: u8,
    pub octets: Vec<u8>,
}

#[derive(Default)]
struct State {
    queue: Mutex<VecDeque<(u64, ToSend)>>,
    seen: Mutex<Vec<Seen>>,
    congestion_states: Mutex<Vec<u8>>,
    changed: watch::Sender<()>,
    /// The status deliveries are answered with.
    delivery_status: Mutex<u32>,
}

pub struct Esme {
    state: Arc<State>,
    handle: SessionHandle,
    pub running: JoinHandle<SessionEnd>,
    next: u64,
}

struct Handler(Arc<State>);

impl ClientHandler for Handler {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        let mut queue = self.0.queue.lock();
        while batch.room() > 0
            && let Some((token, send)) = queue.pop_front()
        {
            let sm = SubmitSm {
                source: Address { ton: 1, npi: 1, digits: b"48799000111" },
                destination: Address { ton: 1, npi: 1, digits: send.destination.as_bytes() },
                esm_class: send.esm_class,
                registered_delivery: 1,
                short_message: &send.octets,
                ..SubmitSm::default()
            };
            batch.push(token, &sm).unwrap();
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.0.seen.lock().extend(outcomes.iter().map(|(token, outcome)| match outcome {
            Outcome::Answered { status, message_id, congestion_state, .. } => {
                self.0.congestion_states.lock().extend(congestion_state);
                Seen::Answer(token, status.0, String::from_utf8_lossy(message_id.unwrap_or_default()).into_owned())
            }
            _ => Seen::Lost(token),
        }));
        self.0.changed.send_replace(());
    }

    fn delivers(&mut self, delivers: RequestBatch, answers: &mut Answers<'_>) {
        for decoded in delivers.iter() {
            let (header, sm) = match decoded {
                Decoded::Parsed { header, pdu: Pdu::DeliverSm(sm), .. } => (header, sm),
                Decoded::Parsed { header, pdu: Pdu::DataSm(data), .. } => (header, data.as_sm()),
                _ => panic!("{decoded:?}"),
            };
            let text = |octets: Option<&[u8]>| String::from_utf8_lossy(octets.unwrap_or_default()).into_owned();
            self.0.seen.lock().push(if receipt::is_receipt(sm.esm_class) {
                let readable = text::ucs2::decode(sm.short_message).unwrap_or_default();
                let octets = if sm.data_coding == 0x08 { readable.as_bytes() } else { sm.short_message };
                let receipt = receipt::parse(octets, sm.tlvs).unwrap();
                Seen::Receipt { id: text(receipt.id()), stat: text(receipt.stat), state: receipt.message_state }
            } else {
                let octets = sm.short_message.to_vec();
                Seen::Incoming { esm_class: sm.esm_class, data_coding: sm.data_coding, octets }
            });
            answers.respond(&Answer::new(header, CommandStatus(*self.0.delivery_status.lock())));
        }
        self.0.changed.send_replace(());
    }
}

/// The bind of a client with this mode and password.
pub fn bind(mode: BindMode, password: &str) -> Bind<'_> {
    Bind {
        mode,
        system_id: b"posthorn",
        password: password.as_bytes(),
        system_type: b"",
        interface_version: 0x34,
        addr_ton: 0,
        addr_npi: 0,
        address_range: b"",
    }
}

impl Esme {
    pub async fn connect(port: u16) -> Self {
        Self::connect_as(port, BindMode::Transceiver).await
    }

    pub async fn connect_as(port: u16, mode: BindMode) -> Self {
        let options = SessionOptions { window_max: 10_000, ..SessionOptions::default() };
        let stream = connect("127.0.0.1", port, &Default::default()).await.unwrap();
        let session = ClientSession::bind(stream, &bind(mode, "secret"), options).await.unwrap();
        let state = Arc::new(State::default());
        let handle = session.handle();
        let running = tokio::spawn(session.run(Handler(Arc::clone(&state))));
        Self { state, handle, running, next: 0 }
    }

    /// Answers deliveries with this status from now on.
    pub fn answer_deliveries_with(&self, status: CommandStatus) {
        *self.state.delivery_status.lock() = status.0;
    }

    /// Sends short texts to these recipients; their tokens count on from 1.
    pub fn send(&mut self, recipients: impl IntoIterator<Item = String>) {
        for destination in recipients {
            self.send_part(ToSend { destination, esm_class: 0, octets: b"Hello".to_vec() });
        }
    }

    pub fn send_part(&mut self, part: ToSend) {
        self.next += 1;
        self.state.queue.lock().push_back((self.next, part));
        self.handle.wake();
    }

    pub fn handle(&self) -> &SessionHandle {
        &self.handle
    }

    /// What the operator said of its congestion so far.
    pub fn congestion_states(&self) -> Vec<u8> {
        self.state.congestion_states.lock().clone()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().clone()
    }

    /// Waits until `wanted` holds of what was seen, and gives it.
    pub async fn until(&self, wanted: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut changed = self.state.changed.subscribe();
        let holds = async {
            loop {
                changed.mark_unchanged();
                let seen = self.seen();
                if wanted(&seen) {
                    return seen;
                }
                changed.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(Duration::from_secs(10), holds).await {
            Ok(seen) => seen,
            Err(_) => panic!("not seen in time: {:?}", self.seen()),
        }
    }

    /// Waits until this many receipts came.
    pub async fn receipts(&self, count: usize) -> Vec<(String, String)> {
        let only = |seen: &[Seen]| -> Vec<(String, String)> {
            let receipt = |seen: &Seen| match seen {
                Seen::Receipt { id, stat, .. } => Some((id.clone(), stat.clone())),
                _ => None,
            };
            seen.iter().filter_map(receipt).collect()
        };
        only(&self.until(|seen| only(seen).len() >= count).await)
    }

    /// Waits until this many submits were answered or lost; statuses by token, `None` for lost ones.
    pub async fn answers(&self, count: usize) -> Vec<(u64, Option<u32>)> {
        let only = |seen: &[Seen]| -> Vec<(u64, Option<u32>)> {
            let answer = |seen: &Seen| match seen {
                Seen::Answer(token, status, _) => Some((*token, Some(*status))),
                Seen::Lost(token) => Some((*token, None)),
                _ => None,
            };
            seen.iter().filter_map(answer).collect()
        };
        let mut answers = only(&self.until(|seen| only(seen).len() >= count).await);
        answers.sort_unstable();
        answers
    }
}
