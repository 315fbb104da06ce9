//! A peer that says exactly what a test tells it to, and handlers that remember.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use smpp::client::{ClientHandler, ClientSession, SubmitBatch};
use smpp::encode::{header_only, message_response, raw};
use smpp::frame::FRAME_OCTETS_MAX;
use smpp::pdu::{Address, Bind, BindMode, BindResp, SubmitSm};
use smpp::server::{DeliverBatch, ServerHandler};
use smpp::session::{Answer, Answers, Outcome, OutcomeBatch, RequestBatch, SessionEnd, SessionHandle, SessionOptions};
use smpp::tlv::Tlvs;
use smpp::{CommandId, CommandStatus, FrameCutter, Header};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

pub const MESSAGE: SubmitSm<'static> = SubmitSm {
    service_type: b"",
    source: Address { ton: 5, npi: 0, digits: b"Posthorn" },
    destination: Address { ton: 1, npi: 1, digits: b"48601000001" },
    esm_class: 0,
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: b"",
    validity_period: b"",
    registered_delivery: 1,
    replace_if_present_flag: 0,
    data_coding: 0,
    sm_default_msg_id: 0,
    short_message: b"hello",
    tlvs: Tlvs::EMPTY,
};

pub fn bind_request(mode: BindMode) -> Bind<'static> {
    Bind {
        mode,
        system_id: b"us",
        password: b"secret",
        system_type: b"",
        interface_version: 0x34,
        addr_ton: 0,
        addr_npi: 0,
        address_range: b"",
    }
}

/// What a test keeps of an [`Outcome`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Answered(CommandStatus, Option<Vec<u8>>),
    Nacked(CommandStatus),
    TimedOut,
    Lost { written: bool },
}

impl From<Outcome<'_>> for Ended {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Answered { status, message_id, .. } => Self::Answered(status, message_id.map(<[u8]>::to_vec)),
            Outcome::Nacked { status } => Self::Nacked(status),
            Outcome::TimedOut => Self::TimedOut,
            Outcome::ConnectionLost { written } => Self::Lost { written },
        }
    }
}

#[derive(Debug, Default)]
pub struct Memory {
    pub to_send: VecDeque<u64>,
    pub outcomes: Vec<(u64, Ended)>,
    pub late: Vec<(u64, Ended)>,
    pub requests: Vec<Vec<u8>>,
    /// Whether requests are answered at once.
    pub answer_at_once: bool,
    /// The most slots that were ever asked for at a time.
    pub room_max: usize,
}

/// A handler of either end that sends what it is told and remembers what it hears.
#[derive(Debug, Clone, Default)]
pub struct Recorder(pub Arc<Mutex<Memory>>);

impl Recorder {
    pub fn answering() -> Self {
        let recorder = Self::default();
        recorder.memory().answer_at_once = true;
        recorder
    }

    pub fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.0.lock().unwrap()
    }

    pub fn send(&self, tokens: impl IntoIterator<Item = u64>) {
        self.memory().to_send.extend(tokens);
    }

    pub fn outcomes_now(&self) -> Vec<(u64, Ended)> {
        self.memory().outcomes.clone()
    }

    fn keep(&self, outcomes: &OutcomeBatch) {
        self.memory().outcomes.extend(outcomes.iter().map(|(token, outcome)| (token, outcome.into())));
    }

    fn keep_late(&self, outcomes: &OutcomeBatch) {
        self.memory().late.extend(outcomes.iter().map(|(token, outcome)| (token, outcome.into())));
    }

    fn take(&self, requests: &RequestBatch, answers: &mut Answers<'_>) {
        let mut memory = self.memory();
        memory.requests.extend(requests.frames().map(<[u8]>::to_vec));
        if memory.answer_at_once {
            for header in requests.headers() {
                let id = header.sequence_number.to_string();
                answers.respond(&Answer::accepted(header, id.as_bytes()));
            }
        }
    }
}

impl ClientHandler for Recorder {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        let mut memory = self.memory();
        memory.room_max = memory.room_max.max(batch.room());
        while batch.room() > 0
            && let Some(token) = memory.to_send.pop_front()
        {
            batch.push(token, &MESSAGE).unwrap();
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.keep(outcomes);
    }

    fn late_answers(&mut self, outcomes: &OutcomeBatch) {
        self.keep_late(outcomes);
    }

    fn delivers(&mut self, delivers: RequestBatch, answers: &mut Answers<'_>) {
        self.take(&delivers, answers);
    }
}

impl ServerHandler for Recorder {
    fn pull(&mut self, batch: &mut DeliverBatch<'_>) {
        let mut memory = self.memory();
        while batch.room() > 0
            && let Some(token) = memory.to_send.pop_front()
        {
            batch.push(token, &MESSAGE).unwrap();
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.keep(outcomes);
    }

    fn late_answers(&mut self, outcomes: &OutcomeBatch) {
        self.keep_late(outcomes);
    }

    fn requests(&mut self, requests: RequestBatch, answers: &mut Answers<'_>) {
        self.take(&requests, answers);
    }
}

/// The other end of the wire, frame by frame.
pub struct Peer {
    pub stream: DuplexStream,
    cutter: FrameCutter,
}

impl Peer {
    pub fn new(stream: DuplexStream) -> Self {
        Self { stream, cutter: FrameCutter::new(FRAME_OCTETS_MAX) }
    }

    /// The next frame, `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<(Header, Vec<u8>)> {
        loop {
            if let Some(frame) = self.cutter.next_frame().expect("this end writes whole frames") {
                let frame = frame.to_vec();
                return Some((Header::read(&frame).unwrap(), frame));
            }
            let octets = self.stream.read(self.cutter.spare()).await.ok().filter(|&octets| octets > 0)?;
            self.cutter.received(octets);
        }
    }

    /// The next frame, which must be `id`.
    pub async fn expect(&mut self, id: CommandId) -> (Header, Vec<u8>) {
        let (header, frame) = self.next().await.unwrap_or_else(|| panic!("the stream ended before {id}"));
        assert_eq!(header.command_id, id);
        (header, frame)
    }

    pub async fn write(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
    }

    pub async fn send(&mut self, id: CommandId, status: CommandStatus, sequence_number: u32, body: &[u8]) {
        let mut out = BytesMut::new();
        raw(id, status, sequence_number, body, &mut out);
        self.write(&out).await;
    }

    pub async fn header_only(&mut self, id: CommandId, sequence_number: u32) {
        let mut out = BytesMut::new();
        header_only(id, CommandStatus::ROK, sequence_number, &mut out);
        self.write(&out).await;
    }

    pub async fn answer_submit(&mut self, sequence_number: u32, status: CommandStatus, id: &[u8]) {
        let mut out = BytesMut::new();
        message_response(CommandId::SUBMIT_SM_RESP, status, sequence_number, id, Tlvs::EMPTY, &mut out);
        self.write(&out).await;
    }

    pub async fn deliver(&mut self, sequence_number: u32) {
        let mut out = BytesMut::new();
        MESSAGE.encode_deliver(sequence_number, &mut out).unwrap();
        self.write(&out).await;
    }

    pub async fn accept_bind(&mut self) {
        let (header, _) = self.next().await.unwrap();
        let mode = BindMode::of(header.command_id).unwrap();
        let mut out = BytesMut::new();
        let number = header.sequence_number;
        BindResp::encode_answer(mode, CommandStatus::ROK, b"smsc", Some(0x34), number, &mut out).unwrap();
        self.write(&out).await;
    }
}

pub struct Running {
    pub peer: Peer,
    pub handle: SessionHandle,
    pub recorder: Recorder,
    pub task: JoinHandle<SessionEnd>,
}

impl Running {
    pub fn send(&self, tokens: impl IntoIterator<Item = u64>) {
        self.recorder.send(tokens);
        self.handle.wake();
    }

    pub async fn ended(self) -> (SessionEnd, Vec<(u64, Ended)>) {
        let end = self.task.await.unwrap();
        assert!(self.handle.has_ended());
        (end, self.recorder.outcomes_now())
    }
}

/// A running client session whose SMSC is the test.
pub async fn client(mode: BindMode, options: SessionOptions, recorder: Recorder) -> Running {
    client_over(64 * 1024, mode, options, recorder).await
}

pub async fn client_over(pipe_octets: usize, mode: BindMode, options: SessionOptions, recorder: Recorder) -> Running {
    let (ours, theirs) = tokio::io::duplex(pipe_octets);
    let mut peer = Peer::new(theirs);
    let bind = bind_request(mode);
    let (session, ()) = tokio::join!(ClientSession::bind(ours, &bind, options), peer.accept_bind());
    let session = session.unwrap();
    let handle = session.handle();
    let task = tokio::spawn(session.run(recorder.clone()));
    Running { peer, handle, recorder, task }
}
