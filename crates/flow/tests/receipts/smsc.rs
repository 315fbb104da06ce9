//! An operator that does exactly what a test tells it to, and keeps a book of it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use parking_lot::Mutex;
use smpp::encode::{header_only, message_response};
use smpp::frame::FRAME_OCTETS_MAX;
use smpp::pdu::{Address, BindMode, BindResp, DataSm, Decoded, Pdu, Sm, decode};
use smpp::tlv::{Tlvs, tag};
use smpp::{CommandId, CommandStatus, FrameCutter, Header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Frames that may wait to be written on a session.
const WRITES_MAX: usize = 100_000;

/// A part as it came.
#[derive(Clone, Debug)]
pub struct Submit {
    /// Counted over all parts, from 1.
    pub count: u64,
    /// Times this part of this recipient came before.
    pub repeats: usize,
    pub destination: String,
    /// Number of the part and how many there are.
    pub part: (u8, u8),
    /// The concatenation reference; 0 for a single part.
    pub reference: u16,
    pub registered_delivery: u8,
    /// Octets behind the header.
    pub octets: Vec<u8>,
    pub is_payload: bool,
    pub has_sar: bool,
}

/// What is done with a part.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Taken under this id.
    Take(String),
    /// Taken under this id after a while.
    TakeAfter(Duration, String),
    /// Refused with this status.
    Refuse(u32),
    /// The connection is cut instead.
    Cut,
}

/// A deliver_sm or data_sm.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub esm_class: u8,
    pub data_coding: u8,
    pub text: Vec<u8>,
    /// Optional parameters, as octets.
    pub tlvs: Vec<u8>,
    pub as_data_sm: bool,
}

impl Delivery {
    /// A receipt in the usual text.
    pub fn receipt(id: &str, stat: &str) -> Self {
        let text =
            format!("id:{id} sub:001 dlvrd:001 submit date:2611220339 done date:2611220340 stat:{stat} err:000 text:x");
        Self { esm_class: 4, data_coding: 0, text: text.into_bytes(), tlvs: Vec::new(), as_data_sm: false }
    }

    fn frame(&self, sequence_number: u32) -> BytesMut {
        let mut out = BytesMut::new();
        let (source, destination) =
            (Address { ton: 1, npi: 1, digits: b"48500100200" }, Address { ton: 5, npi: 0, digits: b"ACME" });
        if self.as_data_sm {
            let mut tlvs = self.tlvs.clone();
            let length = u16::try_from(self.text.len()).unwrap().to_be_bytes();
            tlvs.extend([&tag::MESSAGE_PAYLOAD.to_be_bytes()[..], &length, &self.text].concat());
            let data = DataSm {
                source,
                destination,
                esm_class: self.esm_class,
                data_coding: self.data_coding,
                tlvs: Tlvs::new(&tlvs),
                ..DataSm::default()
            };
            data.encode(sequence_number, &mut out).unwrap();
            return out;
        }
        let sm = Sm {
            source,
            destination,
            esm_class: self.esm_class,
            data_coding: self.data_coding,
            short_message: &self.text,
            tlvs: Tlvs::new(&self.tlvs),
            ..Sm::default()
        };
        sm.encode_deliver(sequence_number, &mut out).unwrap();
        out
    }
}

type Script = Box<dyn Fn(&Submit) -> Reply + Send + Sync>;

struct Shared {
    script: Mutex<Script>,
    submits: Mutex<Vec<Submit>>,
    /// Times each part of each recipient came.
    seen: Mutex<HashMap<(String, u8), usize>>,
    /// Writers of the sessions that receive.
    sessions: Mutex<Vec<mpsc::Sender<BytesMut>>>,
    next_session: AtomicUsize,
    sequence: AtomicU32,
    unanswered: Mutex<HashMap<u32, Delivery>>,
    /// Statuses of the answers to deliveries.
    answers: Mutex<Vec<u32>>,
}

/// A running operator; stops when dropped.
pub struct Smsc {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    listening: JoinHandle<()>,
}

impl Smsc {
    /// Listens on loopback and does with each part what `script` says.
    pub async fn start(script: impl Fn(&Submit) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            submits: Mutex::default(),
            seen: Mutex::default(),
            sessions: Mutex::default(),
            next_session: AtomicUsize::new(0),
            sequence: AtomicU32::new(1),
            unanswered: Mutex::default(),
            answers: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&serving), stream));
            }
        });
        Self { address, shared, listening }
    }

    /// All parts so far.
    pub fn submits(&self) -> Vec<Submit> {
        self.shared.submits.lock().clone()
    }

    /// How many they are.
    pub fn submit_count(&self) -> usize {
        self.shared.submits.lock().len()
    }

    /// Whether a part for this number came; looks at the newest first.
    pub fn has_come(&self, destination: &str) -> bool {
        self.shared.submits.lock().iter().rev().any(|submit| submit.destination == destination)
    }

    /// Sends something over the next session in turn; again where it is answered with RX_T_APPN.
    pub fn deliver(&self, delivery: Delivery) {
        deliver(&self.shared, delivery);
    }

    /// Deliveries that were answered ROK, and those that were answered otherwise.
    pub fn answered(&self) -> (usize, usize) {
        let answers = self.shared.answers.lock();
        let good = answers.iter().filter(|status| **status == 0).count();
        (good, answers.len() - good)
    }

    /// Sessions that receive.
    pub fn sessions(&self) -> usize {
        self.shared.sessions.lock().iter().filter(|session| !session.is_closed()).count()
    }
}

impl Drop for Smsc {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn deliver(shared: &Arc<Shared>, delivery: Delivery) {
    let number = shared.sequence.fetch_add(1, Ordering::Relaxed);
    let mut sessions = shared.sessions.lock();
    sessions.retain(|session| !session.is_closed());
    let turn = shared.next_session.fetch_add(1, Ordering::Relaxed);
    let frame = delivery.frame(number);
    shared.unanswered.lock().insert(number, delivery.clone());
    let sent = sessions.get(turn % sessions.len().max(1)).is_some_and(|session| session.try_send(frame).is_ok());
    if !sent {
        shared.unanswered.lock().remove(&number);
        later(Arc::clone(shared), delivery);
    }
}

/// Once more in a moment: nobody was there, or it was not taken.
fn later(shared: Arc<Shared>, delivery: Delivery) {
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        deliver(&shared, delivery);
    });
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let (writes, mut to_write) = mpsc::channel::<BytesMut>(WRITES_MAX);
    let writing = tokio::spawn(async move {
        while let Some(octets) = to_write.recv().await {
            if writer.write_all(&octets).await.is_err() {
                return;
            }
        }
    });
    let mut cutter = FrameCutter::new(FRAME_OCTETS_MAX);
    'session: loop {
        while let Some(frame) = cutter.next_frame().expect("the platform writes whole frames") {
            let frame = frame.to_vec();
            if !handle(&shared, &writes, &frame) {
                break 'session;
            }
        }
        match reader.read(cutter.spare()).await {
            Ok(octets) if octets > 0 => cutter.received(octets),
            _ => break,
        }
    }
    shared.sessions.lock().retain(|session| !session.same_channel(&writes));
    writing.abort();
}

/// False when the connection is to be cut.
fn handle(shared: &Arc<Shared>, writes: &mpsc::Sender<BytesMut>, frame: &[u8]) -> bool {
    let header = Header::read(frame).unwrap();
    let number = header.sequence_number;
    let mut out = BytesMut::new();
    if let Some(mode) = BindMode::of(header.command_id) {
        BindResp::encode_answer(mode, CommandStatus::ROK, b"smsc", Some(0x34), number, &mut out).unwrap();
        if mode.receives() {
            shared.sessions.lock().push(writes.clone());
        }
    } else if header.command_id == CommandId::SUBMIT_SM {
        return submitted(shared, writes, frame);
    } else if header.command_id == CommandId::DELIVER_SM_RESP || header.command_id == CommandId::DATA_SM_RESP {
        if let Some(delivery) = shared.unanswered.lock().remove(&number) {
            shared.answers.lock().push(header.command_status.0);
            if header.command_status == CommandStatus::RX_T_APPN {
                later(Arc::clone(shared), delivery);
            }
        }
        return true;
    } else if let Some(response) = header.command_id.response() {
        header_only(response, CommandStatus::ROK, number, &mut out);
    } else {
        return true;
    }
    writes.try_send(out).is_ok()
}

fn submitted(shared: &Arc<Shared>, writes: &mpsc::Sender<BytesMut>, frame: &[u8]) -> bool {
    let header = Header::read(frame).unwrap();
    let Decoded::Parsed { pdu: Pdu::SubmitSm(sm), .. } = decode(frame) else {
        panic!("a submit_sm that can't be read")
    };
    let submit = {
        let mut submits = shared.submits.lock();
        let mut submit = read(&sm);
        submit.count = submits.len() as u64 + 1;
        let mut seen = shared.seen.lock();
        let times = seen.entry((submit.destination.clone(), submit.part.0)).or_default();
        submit.repeats = *times;
        *times += 1;
        submits.push(submit.clone());
        submit
    };
    let (status, id, wait) = match (shared.script.lock())(&submit) {
        Reply::Take(id) => (CommandStatus::ROK, id, Duration::ZERO),
        Reply::TakeAfter(wait, id) => (CommandStatus::ROK, id, wait),
        Reply::Refuse(status) => (CommandStatus(status), String::new(), Duration::ZERO),
        Reply::Cut => return false,
    };
    let mut out = BytesMut::new();
    message_response(CommandId::SUBMIT_SM_RESP, status, header.sequence_number, id.as_bytes(), Tlvs::EMPTY, &mut out);
    if wait.is_zero() {
        return writes.try_send(out).is_ok();
    }
    let writes = writes.clone();
    tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        // Nobody is there any more when the session ended meanwhile.
        let _ = writes.try_send(out);
    });
    true
}

fn read(sm: &Sm<'_>) -> Submit {
    let sar =
        |tag: u16| sm.tlvs.get(tag).map(|value| value.iter().fold(0_u16, |sum, octet| sum << 8 | u16::from(*octet)));
    let mut submit = Submit {
        count: 0,
        repeats: 0,
        destination: String::from_utf8_lossy(sm.destination.digits).into_owned(),
        part: (1, 1),
        reference: 0,
        registered_delivery: sm.registered_delivery,
        octets: sm.message().to_vec(),
        is_payload: sm.tlvs.message_payload().is_some(),
        has_sar: false,
    };
    if sm.esm_class & 0x40 != 0 {
        let (header, payload) = text::udh::split(sm.message()).expect("a header where one is announced");
        if let Some(concat) = header.concat() {
            submit.part = (concat.number, concat.total);
            submit.reference = concat.reference.value();
        }
        submit.octets = payload.to_vec();
    } else if let (Some(reference), Some(total), Some(number)) = (sar(0x020C), sar(0x020E), sar(0x020F)) {
        submit.has_sar = true;
        submit.reference = reference;
        submit.part = (u8::try_from(number).unwrap(), u8::try_from(total).unwrap());
    }
    submit
}
