//! One bound session: takes submits, answers them in its time, sends receipts and incoming messages.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smpp::pdu::{Decoded, DeliverSm, Pdu, SubmitSm};
use smpp::server::{DeliverBatch, ServerHandler};
use smpp::session::{Answer, Answers, Outcome as Sent, OutcomeBatch, PushError, RequestBatch, SessionHandle};
use smpp::{CommandId, CommandStatus, Header};

use super::answers::{Held, congestion};
use super::behaviour::{Behaviour, Outcome, ReceiptForm};
use super::delivery::{Delivery, Digits, Receipt, TEXT_START_OCTETS, incoming};
use super::incoming::shuffle_parts;
use super::join::decode;
use super::ledger::{SentReceipt, Submitted};
use super::listener::Event;
use super::receipt::ReceiptWriter;
use super::shared::{Bound, Shared};
use super::slots::Slots;
use super::verdict::{Arrival, Reply, Verdict, is_throttled_twice, judge};

/// How long an operator waits before it sends again what was not acknowledged, in milliseconds.
const AGAIN_AFTER_MS: u64 = 200;
/// How often it does so.
const ATTEMPTS_MAX: u8 = 50;
/// How long a handset takes to answer, in milliseconds.
const REPLY_AFTER_MS: u64 = 300;
/// What a handset writes at length.
const LONG_REPLY: &str = "Thank you, got it. I have so much to say about it that it does not fit into one message, so \
    that it comes to you in parts, and one of them comes twice. Please put them in their order before you read them.";

pub(super) struct Session {
    shared: Arc<Shared>,
    bound: Bound,
    /// Submits that were taken and are never answered.
    never_answered: usize,
    in_flight: Slots<Delivery>,
    submits: u64,
    writer: ReceiptWriter,
    id: String,
    scheduled: Vec<(u64, Delivery)>,
    taken: Vec<Delivery>,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, bound: &Bound) -> Self {
        Self {
            shared,
            bound: bound.clone(),
            never_answered: 0,
            in_flight: Slots::default(),
            submits: 0,
            writer: ReceiptWriter::default(),
            id: String::new(),
            scheduled: Vec::new(),
            taken: Vec::new(),
        }
    }

    fn submit(
        &mut self,
        behaviour: &Behaviour,
        now_ms: u64,
        header: Header,
        sm: &SubmitSm<'_>,
        answers: &mut Answers<'_>,
    ) {
        let number = self.shared.ledger.submitted.fetch_add(1, Ordering::Relaxed) + 1;
        self.submits += 1;
        let arrival = Arrival {
            number,
            number_on_session: self.submits,
            recipient: sm.destination.digits,
            has_header: sm.esm_class & 0x40 != 0,
            has_sar: sm.tlvs.sar().is_some(),
            at_ms: now_ms,
            unanswered: if behaviour.window_max == 0 { 0 } else { self.bound.held.len() + self.never_answered },
        };
        let mut verdict = judge(behaviour, &arrival);
        self.hold_up(behaviour, sm, &mut verdict);
        let id = self.shared.id_base + number;
        self.note(now_ms, header, sm, &verdict, id);
        if verdict.status == 0 {
            self.shared.ledger.accepted.fetch_add(1, Ordering::Relaxed);
            self.plan_receipts(behaviour, now_ms, sm, &verdict, id);
        } else {
            self.shared.ledger.refused.fetch_add(1, Ordering::Relaxed);
        }
        let Verdict { status, id_format: format, .. } = verdict;
        let held = Held { header, status, number: id, format, congestion: verdict.congestion.map(congestion) };
        match verdict.answer_after_ms {
            None => self.never_answered += 1,
            Some(0) if !behaviour.is_frozen(now_ms) => answers.respond(&held.answer(&mut self.id)),
            Some(after_ms) => {
                self.bound.held.push(now_ms + after_ms, held);
                self.shared.wake_at(now_ms + after_ms);
            }
        }
        if verdict.cut {
            self.shared.ledger.cuts.fetch_add(1, Ordering::Relaxed);
            self.bound.cut(verdict.reset);
        }
        if verdict.unbind {
            self.bound.handle.close();
        }
    }

    /// The refusals that depend on what came before.
    fn hold_up(&self, behaviour: &Behaviour, sm: &SubmitSm<'_>, verdict: &mut Verdict) {
        let recipient = sm.destination.digits;
        let mut too_fast = verdict.status == 0 && self.shared.is_too_fast(behaviour.rate_per_second);
        if is_throttled_twice(behaviour, recipient) {
            too_fast = self.shared.tries(recipient) <= 2;
            if !too_fast {
                self.shared.forget_tries(recipient);
            }
        }
        if too_fast {
            verdict.status = CommandStatus::RTHROTTLED.0;
            verdict.answer_after_ms.get_or_insert(0);
            verdict.cut = false;
        }
    }

    fn plan_receipts(&mut self, behaviour: &Behaviour, now_ms: u64, sm: &SubmitSm<'_>, verdict: &Verdict, id: u64) {
        let (sender, recipient) = (Digits::of(&sm.source), Digits::of(&sm.destination));
        let at_ms = now_ms + verdict.receipt_after_ms;
        // SMPP 3.4 §5.2.17: bits 0-1 ask for the final receipt, bit 4 for intermediate ones.
        let asked = match sm.registered_delivery & 0x03 {
            1 => verdict.outcome != Outcome::Silent,
            2 => !matches!(verdict.outcome, Outcome::Silent | Outcome::Delivered),
            _ => false,
        };
        if asked {
            let mut text_start = [0; TEXT_START_OCTETS];
            if sm.esm_class & 0x40 == 0 && sm.data_coding & 0x0C == 0 {
                let readable = sm.short_message.iter().take_while(|octet| (0x20..0x7f).contains(*octet));
                text_start.iter_mut().zip(readable).for_each(|(place, &octet)| *place = octet);
            }
            let receipt = Receipt {
                number: id,
                outcome: verdict.outcome,
                format: verdict.id_format,
                form: verdict.receipt_form,
                recipient,
                sender,
                submitted_minute: self.shared.clock.now().seconds().div_euclid(60),
                text_start,
                not_over: if verdict.elsewhere { self.bound.number } else { 0 },
                attempts: 0,
            };
            if verdict.intermediate {
                let halfway_ms = now_ms + verdict.receipt_after_ms / 2;
                self.scheduled.push((halfway_ms, Delivery::Receipt(Receipt { outcome: Outcome::Enroute, ..receipt })));
            }
            for _ in 0..verdict.copies {
                self.scheduled.push((at_ms, Delivery::Receipt(receipt)));
            }
        }
        if let Some(reply) = verdict.reply
            && sender.can_be_written_to()
        {
            let reference = text::Reference::Bits8(self.shared.next_reference());
            let words = if reply == Reply::Shuffled { LONG_REPLY } else { "Thank you, got it." };
            // The words are ours and fit.
            let mut parts = incoming(&recipient.text(), &sender.text(), words, reference).unwrap_or_default();
            if reply == Reply::Shuffled {
                shuffle_parts(&mut parts, behaviour.seed, id);
            }
            self.scheduled.extend(parts.into_iter().map(|part| (at_ms + REPLY_AFTER_MS, part)));
        }
    }

    fn note(&self, at_ms: u64, header: Header, sm: &SubmitSm<'_>, verdict: &Verdict, id: u64) {
        let shared = &self.shared;
        if !shared.is_watched() {
            return;
        }
        let lossy = |octets| String::from_utf8_lossy(octets).into_owned();
        let (text, concatenation) = decode(sm);
        let submitted = Submitted {
            session: self.bound.number,
            sequence_number: header.sequence_number,
            at_ms,
            source: lossy(sm.source.digits),
            destination: lossy(sm.destination.digits),
            text,
            concatenation,
            by_data_sm: header.command_id == CommandId::DATA_SM,
            short_message: sm.message().to_vec(),
            esm_class: sm.esm_class,
            data_coding: sm.data_coding,
            registered_delivery: sm.registered_delivery,
            validity_period: lossy(sm.validity_period),
            id: if verdict.status == 0 { verdict.id_format.in_answer(id) } else { String::new() },
            command_status: verdict.answer_after_ms.map(|_| verdict.status),
        };
        if verdict.status == 0
            && let Some(message) = shared.ledger.join(&submitted)
        {
            // Nobody may be watching.
            _ = shared.messages.send(message);
        }
        if shared.events.receiver_count() > 0 {
            _ = shared.events.send(Event::Submitted(submitted.clone()));
        }
        shared.ledger.add(submitted);
    }

    fn push(&mut self, delivery: &Delivery, batch: &mut DeliverBatch<'_>) -> Result<(), PushError> {
        let token = self.in_flight.next_token();
        match delivery {
            Delivery::Receipt(receipt) if receipt.form == ReceiptForm::DataSm => {
                batch.push_data(token, &self.writer.write_data(receipt, self.shared.clock.now()))
            }
            Delivery::Receipt(receipt) => batch.push(token, &self.writer.write(receipt, self.shared.clock.now())),
            Delivery::Incoming(part) => {
                let sm = DeliverSm {
                    source: part.source.address(),
                    destination: part.destination.address(),
                    esm_class: if part.has_header { 0x40 } else { 0x00 },
                    data_coding: part.data_coding,
                    short_message: &part.octets,
                    ..DeliverSm::default()
                };
                batch.push(token, &sm)
            }
        }
    }

    /// Puts back what is to leave over another session, if there is one.
    fn leave_to_others(&self, taken: &mut Vec<Delivery>) {
        let own = self.bound.number;
        let is_not_ours =
            |delivery: &Delivery| matches!(delivery, Delivery::Receipt(receipt) if receipt.not_over == own);
        if !taken.iter().any(is_not_ours) {
            return;
        }
        let others = self.shared.other_receivers(own);
        if !others.is_empty() {
            let left: Vec<Delivery> = taken.extract_if(.., |delivery| is_not_ours(delivery)).collect();
            self.shared.put_back(left.into_iter());
            others.iter().for_each(SessionHandle::wake);
        }
    }

    /// Counts what was sent.
    fn sent(&self, delivery: &Delivery, at_ms: u64) {
        let ledger = &self.shared.ledger;
        let Delivery::Receipt(receipt) = delivery else {
            ledger.incoming.fetch_add(1, Ordering::Relaxed);
            return;
        };
        ledger.receipts.fetch_add(1, Ordering::Relaxed);
        if ledger.is_recording() {
            ledger.add_receipt(SentReceipt {
                at_ms,
                id_in_answer: receipt.format.in_answer(receipt.number),
                recipient: receipt.recipient.text(),
                outcome: receipt.outcome,
            });
        }
        if self.shared.events.receiver_count() > 0 {
            let id = receipt.format.in_receipt(receipt.number);
            let (recipient, outcome) = (receipt.recipient.text(), receipt.outcome);
            _ = self.shared.events.send(Event::Receipt { id, recipient, outcome });
        }
    }

    fn acknowledged(&self, delivery: &Delivery) {
        let ledger = &self.shared.ledger;
        match delivery {
            Delivery::Receipt(receipt) => {
                ledger.receipts_acknowledged.fetch_add(1, Ordering::Relaxed);
                if ledger.is_recording() {
                    ledger.add_acknowledged(receipt.format.in_answer(receipt.number));
                }
            }
            Delivery::Incoming(_) => {
                ledger.incoming_acknowledged.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// As operators do: what was not acknowledged is sent again, over any receiving session.
    fn send_again(&mut self, mut delivery: Delivery, now_ms: u64, was_sent: bool) {
        let ledger = &self.shared.ledger;
        let attempts = match &mut delivery {
            Delivery::Receipt(receipt) => &mut receipt.attempts,
            Delivery::Incoming(part) => &mut part.attempts,
        };
        if was_sent {
            *attempts += 1;
            if matches!(delivery, Delivery::Receipt(_)) {
                ledger.receipts_refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        let attempts = match &delivery {
            Delivery::Receipt(receipt) => receipt.attempts,
            Delivery::Incoming(part) => part.attempts,
        };
        if attempts >= ATTEMPTS_MAX {
            ledger.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.scheduled.push((now_ms + AGAIN_AFTER_MS, delivery));
    }

    fn schedule(&mut self) {
        if !self.scheduled.is_empty() {
            self.shared.schedule(self.scheduled.drain(..));
            // What is due at once leaves in this session's next turn, before any answer that is held back.
            self.bound.handle.wake();
        }
    }
}

impl ServerHandler for Session {
    fn pull(&mut self, batch: &mut DeliverBatch<'_>) {
        let now_ms = self.shared.now_ms();
        if self.shared.behaviour().is_frozen(now_ms) {
            return;
        }
        let room = batch.room();
        if room == 0 {
            return;
        }
        let mut taken = std::mem::take(&mut self.taken);
        self.shared.take_due(now_ms, room, &mut taken);
        self.leave_to_others(&mut taken);
        let mut deliveries = taken.drain(..);
        while let Some(delivery) = deliveries.next() {
            match self.push(&delivery, batch) {
                Ok(()) => {
                    self.sent(&delivery, now_ms);
                    self.in_flight.insert(delivery);
                }
                Err(PushError::Full) => {
                    self.shared
                        .put_back(std::iter::once(delivery).chain(deliveries.by_ref()).collect::<Vec<_>>().into_iter());
                    break;
                }
                Err(PushError::Encode(_) | PushError::NoTlvs) => {
                    self.shared.ledger.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
        drop(deliveries);
        self.taken = taken;
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        let now_ms = self.shared.now_ms();
        for (token, sent) in outcomes.iter() {
            let Some(delivery) = self.in_flight.remove(token) else { continue };
            match sent {
                Sent::Answered { status, .. } if status.is_ok() => self.acknowledged(&delivery),
                Sent::ConnectionLost { written: false } => self.send_again(delivery, now_ms, false),
                _ => self.send_again(delivery, now_ms, true),
            }
        }
        self.schedule();
        self.shared.ledger.tell();
    }

    fn requests(&mut self, requests: RequestBatch, answers: &mut Answers<'_>) {
        let now_ms = self.shared.now_ms();
        let behaviour = self.shared.behaviour();
        for decoded in requests.iter() {
            match decoded {
                Decoded::Parsed { header, pdu: Pdu::SubmitSm(sm), .. } => {
                    self.submit(&behaviour, now_ms, header, &sm, answers);
                }
                Decoded::Parsed { header, pdu: Pdu::DataSm(data), .. } => {
                    self.submit(&behaviour, now_ms, header, &data.as_sm(), answers);
                }
                Decoded::Parsed { header, .. } => answers.respond(&Answer::new(header, CommandStatus::RINVCMDID)),
                Decoded::Damaged { header, why, .. } => answers.respond(&Answer::new(header, why.status())),
            }
        }
        self.schedule();
        self.shared.ledger.tell();
    }
}
