//! What a bind does with a part that the operator refused.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::choice::Choice as _;
use domain::clock::UnixMillis;
use smpp::CommandStatus;

use super::breaker::RSYSERR;
use super::form::Form;
use super::full::RMSGQFUL;
use super::handler::BindHandler;
use super::intents::{forget, take_back};
use super::slots::InFlight;
use super::verdict::{Action, Pauses};
use crate::enqueue::{Job, Line};

/// Tries over other binds before a part that no bind gets rid of is refused for good.
const OTHER_BINDS_MAX: u32 = 5;
/// How long such a part waits where there is no other bind.
const NO_OTHER_BIND_MS: i64 = 1_000;
/// So many `generic_nack`s within [`NACKS_WITHIN`] mean that the session is out of step.
const NACKS_MAX: usize = 3;
const NACKS_WITHIN: Duration = Duration::from_secs(60);
/// Pauses are spread by so many of 100 in both directions, so that what was refused together does not come together.
const JITTER_PERCENT: i64 = 20;

/// The parts of one turn that go back to their lines together, in their order.
#[derive(Default)]
pub(super) struct GoBack {
    /// By lane.
    pub(super) parts: [Vec<(Arc<Job>, u8)>; 2],
    /// It is not known whether the operator took these.
    pub(super) unsure: Vec<InFlight>,
}

/// The last `generic_nack`s of a session.
#[derive(Default)]
pub(super) struct Nacks([Option<Duration>; NACKS_MAX]);

impl Nacks {
    /// Notes one; true when there are too many.
    fn note(&mut self, now: Duration) -> bool {
        self.0.rotate_left(1);
        self.0[NACKS_MAX - 1] = Some(now);
        self.0[0].is_some_and(|first| now.saturating_sub(first) <= NACKS_WITHIN)
    }
}

impl BindHandler {
    /// The operator answered `command_status` to a part, in a response or, `nacked`, in a `generic_nack`.
    pub(super) fn refused(&mut self, part: InFlight, command_status: u32, nacked: bool, back: &mut GoBack) {
        let verdict = self.state.table.verdict(command_status);
        self.state.vital.failed(usize::from(verdict.ill));
        self.note_refusal(command_status, verdict.alarm);
        let mut action = verdict.action;
        if nacked {
            self.nacked(command_status);
            // A nack is about the PDU, not about the message: it would be refused again. Only a wish for a slower
            // pace is honoured in any form.
            action = if action == Action::Slow { action } else { Action::Fail };
        }
        match action {
            Action::Later { tries, pauses } => self.later(part, command_status, tries, pauses),
            Action::Slow => {
                self.gate.throttled();
                self.state.throttled.fetch_add(1, Ordering::Relaxed);
                back.parts[part.lane().index()].push((part.job, part.number));
            }
            Action::Now => {
                self.gate.pass();
                self.over_another_bind(part, command_status, back);
            }
            Action::Stop => {
                self.seat.stopped_with.store(command_status, Ordering::Relaxed);
                self.session.close();
                self.over_another_bind(part, command_status, back);
            }
            Action::Unsure => back.unsure.push(part),
            Action::WithoutTimes => self.otherwise(part, command_status, Form::WITHOUT_TIMES, back),
            Action::WithoutTlvs => self.otherwise(part, command_status, Form::WITHOUT_TLVS, back),
            Action::AsUcs2 => self.otherwise(part, command_status, Form::AS_UCS2, back),
            Action::AsSar => self.without_header(part, command_status, back),
            Action::Taken | Action::Fail => self.refused_for_good(&part, command_status),
        }
    }

    fn note_refusal(&self, command_status: u32, alarm: bool) {
        let (state, status) = (&self.state, CommandStatus(command_status));
        let is_due = state.count_refusal(command_status);
        if alarm && is_due {
            tracing::error!(
                target: "send", carrier = %state.carrier.name, bind = self.seat.index, %status,
                "the operator objects to how parts are written; compare the carrier's settings with its contract"
            );
        }
        if command_status != RSYSERR {
            return self.well_answered(1);
        }
        if state.breaker.failed(state.now()) {
            tracing::error!(
                target: "send", carrier = %state.carrier.name,
                "the operator answers with nothing but system errors; only probes are sent until it is well"
            );
        }
    }

    /// So many parts were answered by anything but a system error.
    pub(super) fn well_answered(&self, parts: usize) {
        if parts > 0 && self.state.breaker.succeeded(parts) {
            tracing::info!(target: "send", carrier = %self.state.carrier.name, "the operator is well again");
        }
    }

    fn nacked(&mut self, command_status: u32) {
        let framing = [CommandStatus::RINVCMDLEN.0, CommandStatus::RINVCMDID.0].contains(&command_status);
        if self.nacks.note(self.state.now()) || framing {
            tracing::warn!(
                target: "send", carrier = %self.state.carrier.name, bind = self.seat.index, status = %CommandStatus(command_status),
                "the operator does not understand what it is sent; binding again"
            );
            self.session.close();
        }
    }

    fn later(&self, part: InFlight, command_status: u32, tries: u32, pauses: Pauses) {
        let refusals = part.job.count_refusal();
        if refusals >= tries {
            return self.refused_for_good(&part, command_status);
        }
        let now = self.clock.now();
        let pause_ms = self.jittered(pauses.after_ms(refusals));
        let due_at = now.plus_ms(pause_ms).min(part.job.content().expires_at);
        if command_status == RMSGQFUL {
            self.state.full_queues.hold(part.job.phone, due_at, now);
        }
        self.retry_at(part, command_status, due_at);
    }

    fn retry_at(&self, part: InFlight, command_status: u32, due_at: UnixMillis) {
        // A temporary refusal takes an intent back by itself.
        part.job.set_intended(part.number, false);
        self.settle.refused(self.state.carrier.id, part.job.id, part.number, (command_status, false), |_| {});
        self.line_of(&part).retry_at(part.job, part.number, due_at);
    }

    fn jittered(&self, pause_ms: i64) -> i64 {
        let spread = u64::try_from(pause_ms * JITTER_PERCENT * 2 / 100).unwrap_or_default();
        let shift = i64::try_from(self.state.random.below(spread + 1)).unwrap_or_default();
        pause_ms - pause_ms * JITTER_PERCENT / 100 + shift
    }

    fn over_another_bind(&self, part: InFlight, command_status: u32, back: &mut GoBack) {
        if part.job.count_refusal() >= OTHER_BINDS_MAX {
            return self.refused_for_good(&part, command_status);
        }
        if self.state.has_other_bind(self.seat.index) {
            back.parts[part.lane().index()].push((part.job, part.number));
            return;
        }
        let due_at = self.clock.now().plus_ms(NO_OTHER_BIND_MS).min(part.job.content().expires_at);
        self.retry_at(part, command_status, due_at);
    }

    /// Once more in another form, if that makes a difference and this was not it.
    fn otherwise(&self, part: InFlight, command_status: u32, form: Form, back: &mut GoBack) {
        if part.form.has(form) || !form.changes(&self.state.carrier, &part.job, part.form) {
            return self.refused_for_good(&part, command_status);
        }
        part.job.adopt_form(form.bits());
        back.parts[part.lane().index()].push((part.job, part.number));
    }

    /// A user data header is not wanted: once more with `sar_*`, then the whole message once more in one piece, if that
    /// makes a difference; else it is final.
    fn without_header(&self, part: InFlight, command_status: u32, back: &mut GoBack) {
        let carrier = &self.state.carrier;
        if !part.form.has(Form::AS_SAR) && Form::AS_SAR.changes(carrier, &part.job, part.form) {
            return self.otherwise(part, command_status, Form::AS_SAR, back);
        }
        let tried = part.is_whole || part.form.has(Form::AS_PAYLOAD.with(Form::WITHOUT_TLVS));
        if tried || part.job.in_one_piece(carrier).is_none() {
            return self.refused_for_good(&part, command_status);
        }
        forget(&self.settle, &part.job, part.number);
        let line = self.line_of(&part);
        line.rewrite(part.job, part.number, command_status, Form::AS_PAYLOAD.bits());
    }

    /// The operator took a part; if that was in a form that its settings don't ask for, it is kept in mind.
    pub(super) fn learn_from(&self, part: &InFlight) {
        let form = part.form.both(Form::of_bits(part.job.forms()));
        if self.state.learn(form) {
            tracing::warn!(
                target: "send", carrier = %self.state.carrier.name,
                without_optional_parameters = form.has(Form::WITHOUT_TLVS),
                long_messages = form.long_messages(self.state.carrier.long_messages).name(),
                "the operator takes parts in this form only; set the carrier accordingly to spare it the first try"
            );
        }
    }

    /// How this part of a message is written on this bind.
    pub(super) fn form_of(&self, job: &Job, number: u8) -> Form {
        let (learnt, adopted) = (self.state.form(), Form::of_bits(job.forms()));
        // Whether it goes in one piece is decided once, by its first part, and holds for all of them on every bind.
        let may_begin = number == 1 && !adopted.has(Form::IN_PARTS) && self.seat.tlvs_allowed;
        let learnt = if may_begin { learnt } else { learnt.less(Form::AS_PAYLOAD) };
        let form = learnt.with(adopted);
        if self.seat.tlvs_allowed { form } else { form.with(Form::WITHOUT_TLVS) }
    }

    fn refused_for_good(&self, part: &InFlight, command_status: u32) {
        let (line, id) = (self.line_of(part), part.job.id);
        if self.state.table.verdict(command_status).elsewhere {
            // The operator has it not, and that is known: what was about to be written was not sent.
            forget(&self.settle, &part.job, part.number);
            // Whether there is another way is for the route stage to say; without one it ends there.
            return line.unwanted(Arc::clone(&part.job), part.number, command_status);
        }
        part.job.end();
        let carrier = self.state.carrier.id;
        self.settle.refused(carrier, id, part.number, (command_status, true), move |_| line.let_go(id));
    }

    fn line_of(&self, part: &InFlight) -> Arc<Line> {
        Arc::clone(&self.lines()[part.lane().index()])
    }

    /// Gives back what goes back, oldest first.
    pub(super) fn give_back(&self, parts: [Vec<(Arc<Job>, u8)>; 2]) {
        for (line, mut parts) in self.lines().iter().zip(parts) {
            if !parts.is_empty() {
                parts.sort_by_key(|(job, number)| (job.id, *number));
                take_back(&self.settle, line, parts);
            }
        }
    }
}
