//! One bound session: takes submits, answers them in its time, sends receipts and incoming messages.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use smpp::pdu::{Address, Decoded, DeliverSm, Pdu, SubmitSm};
use smpp::server::{DeliverBatch, ServerHandler};
use smpp::session::{Answer, Answers, Outcome as Sent, OutcomeBatch, PushError, RequestBatch, SessionHandle};
use smpp::tlv::{TlvBuffer, Tlvs};
use smpp::{CommandId, CommandStatus, Header};
use tokio::sync::Notify;

use super::behaviour::{Behaviour, IdFormat, Outcome, dice, magic};
use super::ledger::Submitted;
use super::listener::{Event, Shared};
use super::outbox::Outbox;
use super::receipt::Receipt;

/// Something for the ESME.
#[derive(Clone, Debug)]
pub(super) enum Delivery {
    Receipt(Receipt),
    Incoming { source: String, destination: String, esm_class: u8, data_coding: u8, octets: Vec<u8> },
}

struct Held {
    header: Header,
    status: CommandStatus,
    id: String,
}

pub(super) struct Session {
    pub shared: Arc<Shared>,
    pub number: u64,
    pub handle: SessionHandle,
    pub receives: bool,
    pub cut: Arc<Notify>,
    answers: Outbox<Held>,
    in_flight: HashMap<u64, Delivery>,
    next_token: u64,
    submits: u64,
    tlvs: TlvBuffer,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, number: u64, handle: SessionHandle, receives: bool, cut: Arc<Notify>) -> Self {
        Self {
            shared,
            number,
            handle,
            receives,
            cut,
            answers: Outbox::default(),
            in_flight: HashMap::new(),
            next_token: 0,
            submits: 0,
            tlvs: TlvBuffer::new(),
        }
    }

    fn submit(&mut self, header: Header, sm: &SubmitSm<'_>, now: Instant, answers: &mut Answers<'_>) {
        let shared = Arc::clone(&self.shared);
        let behaviour = shared.behaviour();
        let number = shared.ledger.submitted.fetch_add(1, Ordering::Relaxed) + 1;
        self.submits += 1;
        if behaviour.disconnect_after > 0 && self.submits.is_multiple_of(behaviour.disconnect_after) {
            self.cut.notify_one();
        }
        let recipient = String::from_utf8_lossy(sm.destination.digits).into_owned();
        let asked = magic(&recipient);
        let refusal = match asked {
            Some(Err(status)) => Some(status),
            Some(Ok(_)) => None,
            None => behaviour.refusal(number),
        };
        let refusal = refusal.or_else(|| shared.is_too_fast(behaviour.rate_per_second, now).then_some(CommandStatus::RTHROTTLED.0));
        let answered = dice(behaviour.seed, number, 5) >= behaviour.unanswered_per_mille;
        let (id_in_answer, id_in_receipt) = ids(behaviour.id_format, shared.id_base + number);
        let status = CommandStatus(refusal.unwrap_or(0));
        self.note(sm, &recipient, (refusal.is_none()).then_some(&id_in_answer), answered.then_some(status.0));
        if refusal.is_none() {
            shared.ledger.accepted.fetch_add(1, Ordering::Relaxed);
            let outcome = asked.and_then(Result::ok).unwrap_or_else(|| behaviour.outcome(number));
            if sm.registered_delivery & 0x03 != 0 && outcome != Outcome::Silent {
                let receipt = Receipt {
                    id_in_answer: id_in_answer.clone(),
                    id: id_in_receipt,
                    outcome,
                    recipient,
                    sender: String::from_utf8_lossy(sm.source.digits).into_owned(),
                    by_tlv_only: behaviour.receipts_by_tlv_only,
                };
                shared.schedule(receipt_at(&behaviour, number, now), Delivery::Receipt(receipt), behaviour.copies);
            }
        }
        if !answered {
            return;
        }
        if behaviour.answer_ms == 0 && !behaviour.frozen {
            answers.respond(&answer(header, status, &id_in_answer));
        } else {
            let at = now + Duration::from_millis(behaviour.answer_ms);
            self.answers.push(at, Held { header, status, id: id_in_answer });
            shared.wake_at(at);
        }
    }

    fn note(&self, sm: &SubmitSm<'_>, recipient: &str, id: Option<&String>, command_status: Option<u32>) {
        let shared = &self.shared;
        if !shared.ledger.is_recording() && shared.events.receiver_count() == 0 {
            return;
        }
        let (text, concatenation) = decode(sm);
        let submitted = Submitted {
            session: self.number,
            source: String::from_utf8_lossy(sm.source.digits).into_owned(),
            destination: recipient.to_owned(),
            text,
            concatenation,
            short_message: sm.message().to_vec(),
            data_coding: sm.data_coding,
            registered_delivery: sm.registered_delivery,
            validity_period: String::from_utf8_lossy(sm.validity_period).into_owned(),
            id: id.cloned().unwrap_or_default(),
            command_status,
        };
        _ = shared.events.send(Event::Submitted(submitted.clone()));
        if shared.ledger.is_recording() {
            shared.ledger.add(submitted);
        }
    }

    fn send_due_answers(&mut self, now: Instant) {
        let mut due = Vec::new();
        while let Some(held) = self.answers.pop_due(now) {
            due.push(held);
        }
        let answers: Vec<Answer<'_>> = due.iter().map(|held| answer(held.header, held.status, &held.id)).collect();
        if !answers.is_empty() {
            self.handle.respond(&answers);
        }
        if let Some(at) = self.answers.next_at() {
            self.shared.wake_at(at);
        }
    }

    fn push(&mut self, delivery: &Delivery, batch: &mut DeliverBatch<'_>) -> Result<(), PushError> {
        self.next_token += 1;
        let international = |digits| Address { ton: 1, npi: 1, digits };
        match delivery {
            Delivery::Receipt(receipt) => {
                let text = receipt.text(&self.shared.clock);
                receipt.write_tlvs(&mut self.tlvs);
                let sm = DeliverSm {
                    source: international(receipt.recipient.as_bytes()),
                    destination: Address { ton: 5, npi: 0, digits: receipt.sender.as_bytes() },
                    esm_class: 0x04,
                    short_message: text.as_bytes(),
                    tlvs: self.tlvs.as_tlvs(),
                    ..DeliverSm::default()
                };
                batch.push(self.next_token, &sm)
            }
            Delivery::Incoming { source, destination, esm_class, data_coding, octets } => {
                let sm = DeliverSm {
                    source: international(source.as_bytes()),
                    destination: international(destination.as_bytes()),
                    esm_class: *esm_class,
                    data_coding: *data_coding,
                    short_message: octets,
                    ..DeliverSm::default()
                };
                batch.push(self.next_token, &sm)
            }
        }
    }
}

impl ServerHandler for Session {
    fn pull(&mut self, batch: &mut DeliverBatch<'_>) {
        let now = Instant::now();
        if self.shared.behaviour().frozen {
            return;
        }
        self.send_due_answers(now);
        while self.receives && batch.room() > 0
            && let Some(delivery) = self.shared.take_due(now)
        {
            if self.push(&delivery, batch).is_err() {
                self.shared.schedule(now, delivery, 1);
                return;
            }
            if let Delivery::Receipt(receipt) = &delivery {
                self.shared.ledger.receipts.fetch_add(1, Ordering::Relaxed);
                if self.shared.events.receiver_count() > 0 {
                    _ = self.shared.events.send(Event::Receipt { id: receipt.id.clone(), recipient: receipt.recipient.clone(), outcome: receipt.outcome });
                }
            }
            self.in_flight.insert(self.next_token, delivery);
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        for (token, sent) in outcomes.iter() {
            let Some(delivery) = self.in_flight.remove(&token) else { continue };
            let acknowledged = matches!(sent, Sent::Answered { status, .. } if status.is_ok());
            let ledger = &self.shared.ledger;
            match (&delivery, acknowledged) {
                (Delivery::Receipt(receipt), true) => {
                    ledger.receipts_acknowledged.fetch_add(1, Ordering::Relaxed);
                    if ledger.is_recording() {
                        ledger.add_acknowledged(receipt.id_in_answer.clone());
                    }
                }
                (_, true) => {}
                (_, false) => {
                    // As operators do: what was not acknowledged is sent again, over any receiving session.
                    ledger.receipts_refused.fetch_add(1, Ordering::Relaxed);
                    self.shared.schedule(Instant::now() + Duration::from_millis(200), delivery, 1);
                }
            }
        }
    }

    fn requests(&mut self, requests: RequestBatch, answers: &mut Answers<'_>) {
        let now = Instant::now();
        for decoded in requests.iter() {
            match decoded {
                Decoded::Parsed { header, pdu: Pdu::SubmitSm(sm), .. } => self.submit(header, &sm, now, answers),
                Decoded::Parsed { header, .. } => answers.respond(&Answer::new(header, CommandStatus::RINVCMDID)),
                Decoded::Damaged { header, why, .. } => answers.respond(&Answer::new(header, why.status())),
            }
        }
    }
}

fn answer(header: Header, status: CommandStatus, id: &str) -> Answer<'_> {
    if status.is_ok() {
        return Answer::accepted(header, id.as_bytes());
    }
    Answer { sequence_number: header.sequence_number, request: CommandId::SUBMIT_SM, status, message_id: &[], tlvs: Tlvs::EMPTY }
}

/// The id as in the answer, and as in the receipt.
fn ids(format: IdFormat, number: u64) -> (String, String) {
    match format {
        IdFormat::Decimal => (number.to_string(), number.to_string()),
        IdFormat::Hexadecimal => (format!("{number:X}"), format!("{number:x}")),
        IdFormat::HexadecimalInResponse => (format!("{number:X}"), format!("{number:010}")),
    }
}

fn receipt_at(behaviour: &Behaviour, number: u64, now: Instant) -> Instant {
    if dice(behaviour.seed, number, 6) < behaviour.early_per_mille {
        return now;
    }
    let jitter_ms = u64::from(dice(behaviour.seed, number, 7)) * behaviour.reorder_ms / 1000;
    now + Duration::from_millis(behaviour.answer_ms + behaviour.receipt_ms + jitter_ms)
}

/// The text of a part and its place among the others.
fn decode(sm: &SubmitSm<'_>) -> (String, Option<(u16, u8, u8)>) {
    let octets = sm.message();
    let split = (sm.esm_class & 0x40 != 0).then(|| text::udh::split(octets)).flatten();
    let (concatenation, payload) = match split {
        Some((header, rest)) => (header.concat().map(|concat| (concat.reference.value(), concat.total, concat.number)), rest),
        None => (sm.tlvs.sar(), octets),
    };
    let text = if sm.data_coding & 0x0c == 0x08 { text::ucs2::decode_lossy(payload) } else { text::gsm7::decode_lossy(payload) };
    (text.text, concatenation)
}
