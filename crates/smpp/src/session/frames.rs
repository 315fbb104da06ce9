//! What a session knows, and what each frame does to it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;
use tokio::time::Instant;

use super::batch::RequestBatch;
use super::handle::Shared;
use super::options::{Role, SessionEnd, SessionOptions};
use super::outcome::{Outcome, OutcomeBatch};
use super::timers::Phase;
use super::window::Window;
use crate::encode::{header_only, message_response};
use crate::frame::FrameError;
use crate::pdu::{BindMode, message_id_of};
use crate::tlv::Tlvs;
use crate::{CommandId, CommandStatus, Header};

/// Counted by the session alone and published once per poll.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    pub(crate) timed_out: u64,
    pub(crate) answered_late: u64,
    pub(crate) received: u64,
    pub(crate) refused: u64,
    pub(crate) octets_read: u64,
    pub(crate) round_trip_us: u64,
}

#[derive(Debug)]
pub(crate) struct State {
    role: Role,
    mode: BindMode,
    pub(crate) options: SessionOptions,
    pub(crate) tlvs_allowed: bool,
    pub(crate) phase: Phase,
    /// The time of this turn.
    pub(crate) now: Instant,
    pub(crate) window: Window,
    pub(crate) out: BytesMut,
    pub(crate) octets_written: u64,
    pub(crate) outcomes: OutcomeBatch,
    pub(crate) late: OutcomeBatch,
    pub(crate) requests: RequestBatch,
    /// The last requests that timed out, for telling whose an answer is that comes after all.
    pub(crate) timed_out: VecDeque<(u32, u64)>,
    pub(crate) heard_at: Instant,
    pub(crate) half_frame_since: Option<Instant>,
    /// The `enquire_link` under way: its number and when it was sent.
    pub(crate) enquired: Option<(u32, Instant)>,
    pub(crate) tally: Tally,
    shared: Arc<Shared>,
}

impl State {
    pub(crate) fn new(
        role: Role,
        mode: BindMode,
        options: SessionOptions,
        tlvs_allowed: bool,
        out: BytesMut,
        shared: Arc<Shared>,
        now: Instant,
    ) -> Self {
        Self {
            role,
            mode,
            options,
            tlvs_allowed,
            phase: Phase::Running,
            now,
            window: Window::new(options.window_max, options.release_on, options.response_timeout),
            out,
            octets_written: 0,
            outcomes: OutcomeBatch::default(),
            late: OutcomeBatch::default(),
            requests: RequestBatch::default(),
            timed_out: VecDeque::new(),
            heard_at: now,
            half_frame_since: None,
            enquired: None,
            tally: Tally::default(),
            shared,
        }
    }

    /// Whether new requests may be sent now.
    pub(crate) fn may_send(&self) -> bool {
        let direction = match self.role {
            Role::Client => self.mode.transmits(),
            Role::Server => self.mode.receives(),
        };
        direction && self.phase == Phase::Running
    }

    pub(crate) fn sent(&mut self, requests: usize) {
        self.tally.sent += requests as u64;
    }

    pub(crate) fn heard(&mut self, octets: usize) {
        self.heard_at = self.now;
        self.tally.octets_read += octets as u64;
    }

    /// Keeps the time since which the frame at the end of the buffer is unfinished.
    pub(crate) fn note_half_frame(&mut self, unfinished: bool, frames_taken: bool) {
        self.half_frame_since = match (unfinished, self.half_frame_since) {
            (false, _) => None,
            (true, Some(since)) if !frames_taken => Some(since),
            (true, _) => Some(self.now),
        };
    }

    /// How a session ends whose connection is gone: as it was meant to, if it was being closed.
    pub(crate) fn lost(&self, end: SessionEnd) -> SessionEnd {
        match &self.phase {
            Phase::Ending { end, .. } => end.clone(),
            Phase::Unbinding { .. } => SessionEnd::UnboundUnanswered,
            Phase::PeerUnbinding { .. } => SessionEnd::PeerUnbound,
            _ => end,
        }
    }

    pub(crate) fn out_of_step(&mut self, error: FrameError) {
        header_only(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN, 0, &mut self.out);
        self.begin_ending(SessionEnd::OutOfStep(error));
    }

    pub(crate) fn enquire(&mut self) {
        let sequence_number = self.window.take_sequence_number();
        header_only(CommandId::ENQUIRE_LINK, CommandStatus::ROK, sequence_number, &mut self.out);
        self.enquired = Some((sequence_number, self.now));
    }

    pub(crate) fn begin_unbind(&mut self) {
        let sequence_number = self.window.take_sequence_number();
        header_only(CommandId::UNBIND, CommandStatus::ROK, sequence_number, &mut self.out);
        self.phase = self.unbinding();
    }

    pub(crate) fn unbind_when_drained(&mut self) {
        if self.window.in_flight() > 0 {
            return;
        }
        match self.phase {
            Phase::Draining => self.begin_unbind(),
            Phase::PeerUnbinding { sequence_number, .. } => self.answer_unbind(sequence_number),
            _ => {}
        }
    }

    /// Agrees to the peer's `unbind`, which ends the session.
    pub(crate) fn answer_unbind(&mut self, sequence_number: u32) {
        header_only(CommandId::UNBIND_RESP, CommandStatus::ROK, sequence_number, &mut self.out);
        self.begin_ending(SessionEnd::PeerUnbound);
    }

    pub(crate) fn lose_all(&mut self) {
        let outcomes = &mut self.outcomes;
        self.window.lose_all(self.octets_written, |slot, written| {
            outcomes.push(slot.token, Outcome::ConnectionLost { written });
        });
    }

    pub(crate) fn take_frame(&mut self, frame: &[u8]) {
        let Some(header) = Header::read(frame) else { return };
        if header.command_id.is_response() {
            self.take_response(header, frame);
        } else {
            self.take_request(header, frame);
        }
        // Any whole frame proves that the peer lives; some never answer enquire_link while they are busy.
        self.enquired = None;
    }

    fn take_response(&mut self, header: Header, frame: &[u8]) {
        match header.command_id {
            CommandId::ENQUIRE_LINK_RESP => {
                if let Some((sequence_number, asked_at)) = self.enquired
                    && sequence_number == header.sequence_number
                {
                    self.tally.round_trip_us = (self.now - asked_at).as_micros() as u64;
                }
                return;
            }
            CommandId::UNBIND_RESP => {
                if matches!(self.phase, Phase::Unbinding { .. }) {
                    self.begin_ending(SessionEnd::Unbound);
                }
                return;
            }
            _ => {}
        }
        let Some(slot) = self.window.answer(header.sequence_number, header.command_id) else {
            self.take_late_response(header, frame);
            return;
        };
        self.tally.answered += 1;
        if header.command_id == CommandId::GENERIC_NACK {
            self.outcomes.push(slot.token, Outcome::Nacked { status: header.command_status });
            return;
        }
        let round_trip = self.now - slot.reserved_at;
        self.tally.round_trip_us = round_trip.as_micros() as u64;
        let body = message_id_of(frame);
        let (id, congestion) = (body.message_id, body.tlvs.congestion_state());
        self.outcomes.push_answered(slot.token, header.command_status, id, congestion, round_trip);
    }

    fn take_late_response(&mut self, header: Header, frame: &[u8]) {
        self.tally.answered_late += 1;
        let is_it = |&(sequence_number, _): &(u32, u64)| sequence_number == header.sequence_number;
        let Some(at) = self.timed_out.iter().position(is_it) else { return };
        let Some((_, token)) = self.timed_out.remove(at) else { return };
        if header.command_id == CommandId::GENERIC_NACK {
            self.late.push(token, Outcome::Nacked { status: header.command_status });
            return;
        }
        let body = message_id_of(frame);
        let (id, congestion) = (body.message_id, body.tlvs.congestion_state());
        self.late.push_answered(token, header.command_status, id, congestion, self.options.response_timeout);
    }

    fn take_request(&mut self, header: Header, frame: &[u8]) {
        let sequence_number = header.sequence_number;
        match header.command_id {
            CommandId::ENQUIRE_LINK => {
                header_only(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, sequence_number, &mut self.out);
            }
            CommandId::UNBIND => {
                self.phase = self.peer_unbinding(sequence_number);
            }
            id if id.is_bind() => self.refuse(header, CommandStatus::RALYBND),
            id if self.is_welcome(id) => self.take_into_inbox(header, frame),
            _ => self.refuse(header, CommandStatus::RINVBNDSTS),
        }
    }

    /// Whether the peer may send this request in this bind mode (SMPP 3.4 §2.3).
    fn is_welcome(&self, id: CommandId) -> bool {
        match self.role {
            Role::Client => {
                let welcome = matches!(id, CommandId::DELIVER_SM | CommandId::DATA_SM | CommandId::ALERT_NOTIFICATION);
                welcome && self.mode.receives()
            }
            Role::Server => {
                let welcome = matches!(
                    id,
                    CommandId::SUBMIT_SM
                        | CommandId::DATA_SM
                        | CommandId::SUBMIT_MULTI
                        | CommandId::QUERY_SM
                        | CommandId::CANCEL_SM
                        | CommandId::REPLACE_SM
                        | CommandId::BROADCAST_SM
                        | CommandId::QUERY_BROADCAST_SM
                        | CommandId::CANCEL_BROADCAST_SM
                );
                welcome && self.mode.transmits()
            }
        }
    }

    fn take_into_inbox(&mut self, header: Header, frame: &[u8]) {
        if header.command_id.response().is_some() {
            if self.shared.unanswered.load(Ordering::Acquire) >= self.options.inbox_max {
                self.tally.refused += 1;
                let busy = match self.role {
                    Role::Client => CommandStatus::RX_T_APPN,
                    Role::Server => CommandStatus::RTHROTTLED,
                };
                return self.refuse(header, busy);
            }
            self.shared.unanswered.fetch_add(1, Ordering::AcqRel);
        }
        self.tally.received += 1;
        self.requests.push(frame);
    }

    /// Answers a request that does not reach the handler: by its own response, or by `generic_nack` if it is unknown.
    fn refuse(&mut self, header: Header, status: CommandStatus) {
        let sequence_number = header.sequence_number;
        if let Some(response) = header.command_id.response() {
            message_response(response, status, sequence_number, &[], Tlvs::EMPTY, &mut self.out);
        } else if !header.command_id.is_known() {
            header_only(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, sequence_number, &mut self.out);
        }
    }

    /// Shows what was counted to whoever asks.
    pub(crate) fn publish(&self) {
        let (counters, tally) = (&self.shared.counters, &self.tally);
        counters.window_used.store(self.window.in_flight(), Ordering::Relaxed);
        counters.window_held.store(self.window.held(), Ordering::Relaxed);
        counters.sent.store(tally.sent, Ordering::Relaxed);
        counters.answered.store(tally.answered, Ordering::Relaxed);
        counters.timed_out.store(tally.timed_out, Ordering::Relaxed);
        counters.answered_late.store(tally.answered_late, Ordering::Relaxed);
        counters.received.store(tally.received, Ordering::Relaxed);
        counters.refused.store(tally.refused, Ordering::Relaxed);
        counters.octets_read.store(tally.octets_read, Ordering::Relaxed);
        counters.octets_written.store(self.octets_written, Ordering::Relaxed);
        counters.round_trip_us.store(tally.round_trip_us, Ordering::Relaxed);
    }
}
