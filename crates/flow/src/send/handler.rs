//! What one bind does in its turns: pull parts from the lines, learn how they ended, pass receipts on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use domain::clock::Clock;
use domain::lane::Lane;
use domain::state::Status;
use smpp::client::{ClientHandler, SubmitBatch};
use smpp::session::{Answers, Outcome, OutcomeBatch, PushError, RequestBatch, SessionHandle};

use super::carrier::CarrierState;
use super::encode::Scratch;
use super::slots::{InFlight, Slots};
use super::verdict::{Verdict, pause_ms, verdict};
use crate::enqueue::{Enqueue, Job, Line};
use crate::latency::{self, Latency};
use crate::settle::{Settle, Taken};

/// Share of the window that bulk leaves free where the Priority lane has no bind of its own, as 1/n,
/// and the least it leaves.
const RESERVED_SHARE: usize = 5;
const RESERVED_MIN: usize = 2;
/// Share of the window that codes leave to bulk that waits, as 1/n.
const FLOOR_SHARE: usize = 20;
/// Parts taken out of a line at a time, so that its lock is held shortly.
const TAKE_AT_ONCE: usize = 256;

/// One bind's part of the flow.
pub(super) struct BindHandler {
    pub state: Arc<CarrierState>,
    pub for_priority: bool,
    pub window_max: usize,
    pub enqueue: Enqueue,
    pub settle: Settle,
    pub clock: Clock,
    pub session: SessionHandle,
    lines: [Arc<Line>; 2],
    slots: Slots,
    /// Slots that were answered and are not free before that is durable, by lane.
    held: Arc<[AtomicUsize; 2]>,
    scratch: Scratch,
    taken_out: Vec<(Arc<Job>, u8)>,
    /// A wake-up for when the pace allows more is on its way.
    wake_planned: Arc<AtomicBool>,
    latency: Latency,
}

impl BindHandler {
    pub(super) fn new(
        state: Arc<CarrierState>,
        for_priority: bool,
        enqueue: Enqueue,
        settle: Settle,
        clock: Clock,
        session: SessionHandle,
        latency: Latency,
    ) -> Self {
        let lines = Lane::ALL.map(|lane| enqueue.line(lane, state.carrier.id));
        let window_max = usize::from(state.carrier.window);
        Self {
            state,
            for_priority,
            window_max,
            enqueue,
            settle,
            clock,
            session,
            lines,
            slots: Slots::default(),
            held: Arc::default(),
            scratch: Scratch::default(),
            taken_out: Vec::new(),
            wake_planned: Arc::default(),
            latency,
        }
    }

    /// The lines this bind serves.
    pub(super) fn lines(&self) -> &[Arc<Line>; 2] {
        &self.lines
    }

    fn serves(&self, lane: Lane) -> bool {
        match lane {
            Lane::Standard => !self.for_priority,
            // Where binds are reserved for codes, bulk binds take codes only while none of those is up.
            Lane::Priority => self.for_priority || self.state.priority_bound.load(Ordering::Relaxed) == 0,
        }
    }

    /// Slots a lane may fill right now.
    fn room(&self, lane: Lane, batch: &SubmitBatch<'_>) -> usize {
        let room = batch.room().min(TAKE_AT_ONCE);
        // Where codes have a bind of their own that is up, nothing is shared.
        let codes_have_their_own = self.state.reserves_binds() && !self.serves(Lane::Priority);
        if self.for_priority || codes_have_their_own || self.window_max <= RESERVED_MIN {
            return room;
        }
        let left_to_others = match lane {
            Lane::Standard => (self.window_max / RESERVED_SHARE).max(RESERVED_MIN),
            Lane::Priority if self.lines[Lane::Standard.index()].is_empty() => 0,
            Lane::Priority => (self.window_max / FLOOR_SHARE).max(1),
        };
        let used = self.slots.used(lane) + self.held[lane.index()].load(Ordering::Relaxed);
        room.min((self.window_max - left_to_others).saturating_sub(used))
    }

    /// Sends what fits of one lane; false when nothing more can be sent for now.
    fn pull_lane(&mut self, lane: Lane, batch: &mut SubmitBatch<'_>) -> bool {
        let room = self.room(lane, batch);
        if room == 0 || !self.serves(lane) || self.lines[lane.index()].is_empty() {
            return false;
        }
        let granted = self.state.pace.take(lane, room);
        if granted == 0 {
            self.plan_wake(lane);
            return false;
        }
        let now = self.clock.now();
        let mut parts = std::mem::take(&mut self.taken_out);
        self.lines[lane.index()].take(granted, now, &mut parts);
        let taken = parts.len();
        if taken < granted {
            self.state.pace.give_back(granted - taken);
        }
        let mut refused = Vec::new();
        for (job, number) in parts.drain(..) {
            if let Err(job) = self.send(job, number, now, batch) {
                refused.push((job, number));
            }
        }
        self.taken_out = parts;
        let all_sent = refused.is_empty();
        if !all_sent {
            self.state.pace.give_back(refused.len());
            self.lines[lane.index()].give_back(refused);
        }
        if taken > 0 {
            self.enqueue.taken(lane);
        }
        all_sent && taken == granted && taken > 0
    }

    /// Writes one part; hands the job back when the window or the write buffer is full after all.
    fn send(
        &mut self,
        job: Arc<Job>,
        number: u8,
        now: domain::clock::UnixMillis,
        batch: &mut SubmitBatch<'_>,
    ) -> Result<(), Arc<Job>> {
        if job.has_ended() {
            self.state.pace.give_back(1);
            return Ok(());
        }
        if job.remaining_ms(now) <= 0 {
            self.state.pace.give_back(1);
            self.end(&job, Status::Expired, "validity_over");
            return Ok(());
        }
        let carrier = Arc::clone(&self.state.carrier);
        let encoded = match job.shared.encoded(carrier.long_messages, carrier.default_alphabet) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::error!(target: "send", %error, message = %job.id, "an accepted text can't be encoded");
                self.end(&job, Status::Rejected, "not_encodable");
                return Ok(());
            }
        };
        let token = self.slots.insert(InFlight { job: Arc::clone(&job), number });
        let pushed = self.scratch.submit(&carrier, (&job, encoded), number, now, |sm| batch.push(token, sm));
        match pushed {
            Ok(()) => {
                latency::observe_ms(&self.latency.wait[job.id.lane().index()], now.since_ms(job.due_at()));
                Ok(())
            }
            Err(error) => {
                self.slots.remove(token);
                match error {
                    PushError::Full => Err(job),
                    PushError::Encode(_) | PushError::NoTlvs => {
                        tracing::error!(target: "send", %error, message = %job.id, carrier = %carrier.name, "a part can't be written");
                        self.end(&job, Status::Rejected, "not_encodable");
                        Ok(())
                    }
                }
            }
        }
    }

    /// Ends a message here and now.
    fn end(&self, job: &Arc<Job>, status: Status, reason: &'static str) {
        if job.end() {
            let (line, id) = (Arc::clone(&self.lines[job.id.lane().index()]), job.id);
            self.settle.ended(id, status, reason, move |_| line.let_go(id));
        }
    }

    fn plan_wake(&self, lane: Lane) {
        if self.wake_planned.swap(true, Ordering::AcqRel) {
            return;
        }
        let (wait, planned, session) =
            (self.state.pace.wait(lane), Arc::clone(&self.wake_planned), self.session.clone());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            planned.store(false, Ordering::Release);
            session.wake();
        });
    }

    fn refused(&self, part: InFlight, command_status: u32) {
        let carrier = self.state.carrier.id;
        let InFlight { job, number } = part;
        let line = Arc::clone(&self.lines[job.id.lane().index()]);
        match verdict(command_status) {
            Verdict::Later { tries, pause_ms: first_ms } => {
                let refusals = job.count_refusal();
                if refusals < tries {
                    let due_at = self.clock.now().plus_ms(pause_ms(first_ms, refusals));
                    self.settle.refused(carrier, job.id, number, (command_status, false), |_| {});
                    line.retry_at(job, number, due_at);
                    return;
                }
                self.refused_for_good(&job, number, command_status, line);
            }
            Verdict::Slow => {
                self.state.pace.throttled();
                self.state.throttled.fetch_add(1, Ordering::Relaxed);
                line.give_back(vec![(job, number)]);
            }
            Verdict::Taken | Verdict::Fail => self.refused_for_good(&job, number, command_status, line),
        }
    }

    fn refused_for_good(&self, job: &Arc<Job>, number: u8, command_status: u32, line: Arc<Line>) {
        job.end();
        let id = job.id;
        self.settle.refused(self.state.carrier.id, id, number, (command_status, true), move |_| line.let_go(id));
    }

    fn hand_over(&self, lane: Lane, taken: Vec<Taken>, jobs: Vec<Arc<Job>>) {
        if taken.is_empty() {
            return;
        }
        let (line, session) = (Arc::clone(&self.lines[lane.index()]), self.session.clone());
        let (held, slots) = (Arc::clone(&self.held), jobs.len());
        held[lane.index()].fetch_add(slots, Ordering::Relaxed);
        self.settle.taken(&self.state.carrier, lane, taken, move |_| {
            for job in jobs {
                if job.settle_part() {
                    line.let_go(job.id);
                }
            }
            held[lane.index()].fetch_sub(slots, Ordering::Relaxed);
            session.release(slots);
        });
    }

    fn repeat(&self, mut parts: Vec<InFlight>, uncertain: &[bool]) {
        for (part, _) in parts.iter().zip(uncertain).filter(|(_, uncertain)| **uncertain) {
            self.settle.unanswered(self.state.carrier.id, part.job.id, part.number);
        }
        for lane in Lane::ALL {
            let of_lane =
                parts.extract_if(.., |part| part.lane() == lane).map(|part| (part.job, part.number)).collect();
            self.lines[lane.index()].give_back(of_lane);
        }
    }
}

impl ClientHandler for BindHandler {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        for lane in Lane::ALL {
            while self.pull_lane(lane, batch) {}
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        let mut taken: [Vec<Taken>; 2] = Default::default();
        let mut jobs: [Vec<Arc<Job>>; 2] = Default::default();
        let (mut repeat, mut uncertain, mut freed) = (Vec::new(), Vec::new(), 0);
        for (token, outcome) in outcomes.iter() {
            let Some(part) = self.slots.remove(token) else { continue };
            match outcome {
                Outcome::Answered { status, message_id, round_trip, .. } if status.is_ok() => {
                    let lane = part.lane().index();
                    latency::observe(&self.latency.answer[lane], round_trip);
                    let operator_id = String::from_utf8_lossy(message_id.unwrap_or_default()).into();
                    taken[lane].push(Taken { id: part.job.id, part: part.number, operator_id });
                    jobs[lane].push(part.job);
                }
                Outcome::Answered { status, .. } | Outcome::Nacked { status } => {
                    self.refused(part, status.0);
                    freed += 1;
                }
                Outcome::TimedOut => {
                    repeat.push(part);
                    uncertain.push(true);
                    freed += 1;
                }
                Outcome::ConnectionLost { written } => {
                    repeat.push(part);
                    uncertain.push(written);
                }
            }
        }
        for (lane, (taken, jobs)) in Lane::ALL.into_iter().zip(taken.into_iter().zip(jobs)) {
            self.hand_over(lane, taken, jobs);
        }
        if !repeat.is_empty() {
            self.repeat(repeat, &uncertain);
        }
        if freed > 0 {
            self.session.release(freed);
        }
    }

    fn late_answers(&mut self, outcomes: &OutcomeBatch) {
        tracing::warn!(
            target: "send", carrier = %self.state.carrier.name, count = outcomes.len(),
            "answers came after their time; the parts were sent again, recipients may get them twice"
        );
    }

    fn delivers(&mut self, delivers: RequestBatch, _answers: &mut Answers<'_>) {
        self.settle.delivered(Arc::clone(&self.state.carrier), delivers, self.session.clone());
    }
}
