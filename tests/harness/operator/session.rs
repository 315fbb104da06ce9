//! One bound connection.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{mpsc, watch};

use super::alphabet;
use super::behaviour::receipt_word;
use super::books::{ReceiptGiven, Submitted};
use super::pdu::{self, Frame};
use super::receipts::Due;
use super::service::Shared;

/// Receipts and messages of people unanswered on one session at a time.
pub const DELIVER_WINDOW: usize = 50;
/// How often due receipts are looked for.
const TURN: Duration = Duration::from_millis(2);
/// PDUs read and not yet handled.
const READ_AHEAD: usize = 256;

struct Session {
    shared: Arc<Shared>,
    writer: OwnedWriteHalf,
    receives: bool,
    sequence: u32,
    answers: VecDeque<(Instant, Frame)>,
    unanswered: HashMap<u32, Asked>,
}

/// A deliver_sm without an answer, by its place in the books.
enum Asked {
    Receipt(usize, Due),
    Written(usize),
}

/// Serves a connection until it ends; receipts without an answer go back to the others.
pub async fn serve(shared: Arc<Shared>, stream: TcpStream, mut cut: watch::Receiver<u64>) {
    // Only what comes from now on is meant for this connection.
    cut.mark_unchanged();
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (mut reader, writer) = stream.into_split();
    let (frames_in, mut frames) = mpsc::channel(READ_AHEAD);
    let reading = tokio::spawn(async move {
        while let Ok(frame) = Frame::read(&mut reader).await {
            if frames_in.send(frame).await.is_err() {
                break;
            }
        }
    });
    let mut session = Session {
        shared: Arc::clone(&shared),
        writer,
        receives: false,
        sequence: 1,
        answers: VecDeque::new(),
        unanswered: HashMap::new(),
    };
    let mut turn = tokio::time::interval(TURN);
    loop {
        let done = tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => session.handle(frame).await,
                None => true,
            },
            _ = turn.tick() => session.turn().await.is_err(),
            _ = cut.changed() => true,
        };
        if done {
            break;
        }
    }
    reading.abort();
    for (_, asked) in session.unanswered.drain() {
        match asked {
            Asked::Receipt(_, due) => shared.receipts.put_back(due),
            Asked::Written(place) => shared.written.lock().push_front(place),
        }
    }
}

impl Session {
    /// Answers whether the session is over.
    async fn handle(&mut self, frame: Frame) -> bool {
        let at_once = match frame.command {
            pdu::BIND_RECEIVER | pdu::BIND_TRANSMITTER | pdu::BIND_TRANSCEIVER => {
                self.receives = frame.command != pdu::BIND_TRANSMITTER;
                Frame::new(frame.command | pdu::RESPONSE, 0, frame.sequence, b"operator\0")
            }
            pdu::SUBMIT_SM => {
                self.submit(&frame);
                return false;
            }
            pdu::ENQUIRE_LINK | pdu::UNBIND => Frame::new(frame.command | pdu::RESPONSE, 0, frame.sequence, &[]),
            command if command == pdu::DELIVER_SM | pdu::RESPONSE => {
                self.answered(&frame);
                return false;
            }
            _ => return false,
        };
        let over = frame.command == pdu::UNBIND;
        self.writer.write_all(&at_once.bytes()).await.is_err() || over
    }

    fn submit(&mut self, frame: &Frame) {
        let Some(submit) = pdu::read_submit(&frame.body) else {
            // ESME_RSYSERR: a body that can't be read is a fault of the platform; the checker misses its text.
            self.answers.push_back((Instant::now(), Frame::new(frame.command | pdu::RESPONSE, 8, frame.sequence, &[])));
            return;
        };
        let behaviour = self.shared.behaviour.lock().clone();
        let operator_id = self.shared.next_id();
        let answer_at = Instant::now() + behaviour.round_trip;
        let mut id = operator_id.clone().into_bytes();
        id.push(0);
        self.answers.push_back((answer_at, Frame::new(frame.command | pdu::RESPONSE, 0, frame.sequence, &id)));
        if submit.receipt_wanted {
            let is_early = behaviour.early && operator_id.ends_with(['0', '2', '4', '6', '8']);
            self.shared.receipts.add(Due {
                at: if is_early { Instant::now() } else { answer_at + behaviour.receipt_after },
                source: submit.source.clone(),
                destination: submit.destination.clone(),
                operator_id: operator_id.clone(),
            });
        }
        self.shared.books.submitted(Submitted {
            text: alphabet::decode(submit.data_coding, &submit.octets),
            source: submit.source,
            destination: submit.destination,
            part: submit.part,
            operator_id,
            crashes_before: self.shared.books.crashes(),
        });
    }

    fn answered(&mut self, frame: &Frame) {
        match self.unanswered.remove(&frame.sequence) {
            Some(Asked::Receipt(place, _)) if frame.status == 0 => self.shared.books.acknowledged(place),
            Some(Asked::Receipt(_, due)) => {
                self.shared.books.refused();
                self.shared.receipts.add(due);
            }
            Some(Asked::Written(place)) if frame.status == 0 => self.shared.books.taken(place),
            Some(Asked::Written(place)) => self.shared.written.lock().push_back(place),
            None => {}
        }
    }

    /// Writes what has become due.
    async fn turn(&mut self) -> std::io::Result<()> {
        let now = Instant::now();
        let mut out = Vec::new();
        while self.answers.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, frame)) = self.answers.pop_front() {
                out.extend(frame.bytes());
            }
        }
        let receipts_wanted = self.receives && self.shared.behaviour.lock().receipts;
        if receipts_wanted {
            for due in self.shared.receipts.take(DELIVER_WINDOW.saturating_sub(self.unanswered.len())) {
                out.extend(self.receipt(due).bytes());
            }
        }
        while self.receives && self.unanswered.len() < DELIVER_WINDOW {
            let Some(place) = self.shared.written.lock().pop_front() else { break };
            out.extend(self.written(place).bytes());
        }
        if out.is_empty() { Ok(()) } else { self.writer.write_all(&out).await }
    }

    fn receipt(&mut self, due: Due) -> Frame {
        let word = receipt_word(&due.destination);
        // In a deliver_sm the number written to is the source: the handset answers, so to speak.
        let body = pdu::receipt_body(&due.destination, &due.source, &due.operator_id, word);
        let place = self.shared.books.receipt(ReceiptGiven {
            destination: due.destination.clone(),
            operator_id: due.operator_id.clone(),
            word,
            acknowledged: false,
        });
        self.deliver(&body, Asked::Receipt(place, due))
    }

    fn written(&mut self, place: usize) -> Frame {
        let written = self.shared.books.sending(place);
        let body = pdu::written_body(&written.source, &written.destination, &written.text, &written.header);
        self.deliver(&body, Asked::Written(place))
    }

    fn deliver(&mut self, body: &[u8], asked: Asked) -> Frame {
        let sequence = self.sequence;
        self.sequence += 1;
        self.unanswered.insert(sequence, asked);
        Frame::new(pdu::DELIVER_SM, 0, sequence, body)
    }
}
