//! What follows when it is not known whether an operator took a part (SMPP has no way to ask).

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::clock::UnixMillis;
use domain::lane::{Guarantee, Guarantees, Lane, Traffic};
use domain::limits;
use smpp::session::{Outcome, OutcomeBatch};

use super::handler::BindHandler;
use super::intents::take_back;
use super::slots::InFlight;
use crate::enqueue::{Job, Line};
use crate::settle::{Doubt, Taken};

/// What operators took, and the parts that it is.
type AnsweredLate = (Vec<Taken>, Vec<(Arc<Job>, u8)>);

impl BindHandler {
    fn guarantee(&self, job: &Job) -> Guarantee {
        let control = self.settle.control();
        let guarantees =
            control.account(job.account).map_or_else(Guarantees::default, |account| account.settings.guarantees);
        guarantees.of(job.content().traffic)
    }

    /// Until when a part has to wait because of the quiet hours of its account.
    pub(super) fn quiet_until(&self, job: &Job, now: UnixMillis) -> Option<UnixMillis> {
        if job.content().traffic != Traffic::Bulk {
            return None;
        }
        self.settle.control().account(job.account)?.settings.quiet()?.over_at(now)
    }

    /// Whether a part must not be sent twice.
    pub(super) fn forbids_repeating(&self, job: &Job, now: UnixMillis) -> bool {
        self.guarantee(job).forbids_repeating(now.since_ms(job.content().accepted_at))
    }

    /// Parts whose connection was lost or whose answer did not come; with whether an operator may have them.
    pub(super) fn lost(&self, parts: Vec<(InFlight, bool)>) {
        let now = self.clock.now();
        let mut again: [Vec<(Arc<Job>, u8)>; 2] = Default::default();
        for (part, may_be_taken) in parts {
            let numbers = part.numbers();
            let InFlight { job, number, .. } = part;
            if may_be_taken && !job.is_settled(number) {
                if self.forbids_repeating(&job, now) {
                    self.give_up(job, numbers, now);
                    continue;
                }
                job.set_intended(number, false);
                self.settle.repeated(self.state.carrier.id, job.id, number);
                if job.content().traffic != Traffic::Code {
                    self.repeat_later(job, numbers, now);
                    continue;
                }
            }
            again[job.id.lane().index()].push((job, number));
        }
        for (line, parts) in self.lines().iter().zip(again).filter(|(_, parts)| !parts.is_empty()) {
            take_back(&self.settle, line, parts);
        }
    }

    /// Parts that may have arrived and must not arrive twice: only a receipt can tell.
    fn give_up(&self, job: Arc<Job>, numbers: RangeInclusive<u8>, now: UnixMillis) {
        numbers.clone().for_each(|number| job.set_doubted(number, true));
        let until = now.plus_ms(job.remaining_ms(now).max(0) + limits::RECEIPT_GRACE_MS);
        let doubt = self.doubt(&job, numbers.clone(), (now, until), Box::new(|| {}));
        let line = Arc::clone(&self.lines()[job.id.lane().index()]);
        self.settle.in_doubt(doubt, move |_| settle_parts(&line, numbers.map(|number| (Arc::clone(&job), number))));
    }

    /// Parts that may have arrived: a receipt has a moment to say so, then they are sent again.
    fn repeat_later(&self, job: Arc<Job>, numbers: RangeInclusive<u8>, now: UnixMillis) {
        let due_at = now.plus_ms(limits::REPEAT_AFTER_MS);
        let (line, first) = (Arc::clone(&self.lines()[job.id.lane().index()]), *numbers.start());
        let (of_line, resolved, settled) = (Arc::clone(&line), Arc::clone(&job), numbers.clone());
        let settle = move || settle_parts(&of_line, settled.map(|number| (Arc::clone(&resolved), number)));
        self.settle.wait_for_receipt(self.doubt(&job, numbers, (now, due_at), Box::new(settle)));
        line.retry_at(job, first, due_at);
    }

    fn doubt(
        &self,
        job: &Job,
        parts: RangeInclusive<u8>,
        (now, until): (UnixMillis, UnixMillis),
        resolved: Box<dyn FnOnce() + Send>,
    ) -> Doubt {
        Doubt {
            carrier: self.state.carrier.id,
            id: job.id,
            parts,
            phone: job.phone,
            sender: job.content().sender.as_str().into(),
            since: now.plus_ms(-limits::SUBMIT_WINDOW_MS),
            until,
            resolved,
        }
    }

    /// Answers that came after their time.
    pub(super) fn answered_late(&mut self, outcomes: &OutcomeBatch) {
        let mut taken: [AnsweredLate; 2] = Default::default();
        for (token, outcome) in outcomes.iter() {
            let Some(part) = self.slots.late(token) else { continue };
            let Outcome::Answered { status, message_id, .. } = outcome else { continue };
            self.hedge.answered();
            if !status.is_ok() {
                continue;
            }
            let job = &part.job;
            if job.is_settled(part.number) && !job.is_doubted(part.number) {
                self.settle.stats().duplicates.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            self.settle.no_doubt(self.state.carrier.id, job.phone, (job.id, part.number));
            let operator_id: Box<str> = domain::operator_id::text(message_id.unwrap_or_default());
            let (of_lane, jobs) = &mut taken[part.lane().index()];
            for number in part.numbers() {
                job.set_doubted(number, false);
                of_lane.push(Taken { id: job.id, part: number, operator_id: Box::clone(&operator_id) });
                jobs.push((Arc::clone(job), number));
            }
        }
        for (lane, (taken, jobs)) in Lane::ALL.into_iter().zip(taken) {
            let line = Arc::clone(&self.lines()[lane.index()]);
            if !taken.is_empty() {
                self.settle.taken(&self.state.carrier, lane, taken, move |_| settle_parts(&line, jobs));
            }
        }
    }
}

/// Parts need not be sent any more; a message whose last one that is leaves its line.
pub(super) fn settle_parts(line: &Line, parts: impl IntoIterator<Item = (Arc<Job>, u8)>) {
    for (job, number) in parts {
        if job.settle_part(number) {
            line.let_go(job.id);
        }
    }
}
