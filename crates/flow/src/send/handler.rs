//! What one bind does in its turns: pull parts from the lines, learn how they ended, pass receipts on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use domain::clock::{Clock, UnixMillis};
use domain::lane::Lane;
use domain::state::Status;
use smpp::client::{ClientHandler, SubmitBatch};
use smpp::session::{Answers, Outcome, OutcomeBatch, PushError, RequestBatch, SessionHandle};

use super::carrier::CarrierState;
use super::doubt::settle_parts;
use super::encode::{Scratch, Written};
use super::form;
use super::gate::Gate;
use super::hedge::Hedge;
use super::intents::{Intents, forget};
use super::refusals::{GoBack, Nacks};
use super::service::Shared;
use super::slots::{InFlight, Slots};
use crate::enqueue::{Enqueue, Job, Line, ReferenceOctets};
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

/// Which session of a carrier a handler serves.
#[derive(Clone)]
pub(super) struct Seat {
    /// The number of its bind.
    pub index: u16,
    /// Whether it serves the Priority lane alone.
    pub for_priority: bool,
    /// Whether the operator may be sent optional parameters.
    pub tlvs_allowed: bool,
    /// The `command_status` for which the session was given up; 0 = none.
    pub stopped_with: Arc<AtomicU32>,
}

/// One bind's part of the flow.
pub(super) struct BindHandler {
    pub state: Arc<CarrierState>,
    pub seat: Seat,
    pub gate: Gate,
    pub nacks: Nacks,
    pub window_max: usize,
    pub enqueue: Enqueue,
    pub settle: Settle,
    pub clock: Clock,
    pub session: SessionHandle,
    lines: [Arc<Line>; 2],
    pub(super) slots: Slots,
    /// Slots that were answered and are not free before that is durable, by lane.
    held: Arc<[AtomicUsize; 2]>,
    intents: Intents,
    pub(super) hedge: Hedge,
    scratch: Scratch,
    taken_out: Vec<(Arc<Job>, u8)>,
    /// A wake-up for when the pace allows more is on its way.
    wake_planned: Arc<AtomicBool>,
    latency: Latency,
}

impl BindHandler {
    pub(super) fn new(shared: &Shared, state: Arc<CarrierState>, seat: Seat, session: SessionHandle) -> Self {
        let Shared { enqueue, settle, clock, latency, .. } = shared;
        let lines = Lane::ALL.map(|lane| enqueue.line(lane, state.carrier.id));
        let window_max = usize::from(state.carrier.window);
        let hedge = Hedge::new(Arc::clone(&lines[Lane::Priority.index()]), Arc::clone(&state), seat.index);
        let intents = Intents::new(settle.clone(), Arc::clone(&state.carrier), lines.clone(), session.clone());
        Self {
            lines,
            window_max,
            gate: Gate::new(Arc::clone(&state), state.throttle(seat.index)),
            nacks: Nacks::default(),
            state,
            seat,
            enqueue: enqueue.clone(),
            settle: settle.clone(),
            clock: clock.clone(),
            session,
            slots: Slots::new(window_max.max(1)),
            held: Arc::default(),
            intents,
            hedge,
            scratch: Scratch::default(),
            taken_out: Vec::new(),
            wake_planned: Arc::default(),
            latency: latency.clone(),
        }
    }

    /// The lines this bind serves.
    pub(super) fn lines(&self) -> &[Arc<Line>; 2] {
        &self.lines
    }

    fn serves(&self, lane: Lane) -> bool {
        match lane {
            Lane::Standard => !self.seat.for_priority,
            Lane::Priority => self.state.serves_codes(self.seat.for_priority, self.hedge.is_silent()),
        }
    }

    /// Slots a lane may fill right now.
    fn room(&self, lane: Lane, batch: &SubmitBatch<'_>) -> usize {
        let intended = Lane::ALL.map(|lane| self.intents.count(lane));
        let room = batch.room().saturating_sub(intended.iter().sum()).min(TAKE_AT_ONCE);
        // Where codes have a bind of their own that is up, nothing is shared.
        let codes_have_their_own = self.state.reserves_binds() && !self.serves(Lane::Priority);
        if self.seat.for_priority || codes_have_their_own || self.window_max <= RESERVED_MIN {
            return room;
        }
        let left_to_others = match lane {
            Lane::Standard => (self.window_max / RESERVED_SHARE).max(RESERVED_MIN),
            Lane::Priority if self.lines[Lane::Standard.index()].is_empty() => 0,
            Lane::Priority => (self.window_max / FLOOR_SHARE).max(1),
        };
        let used = self.slots.used(lane) + self.held[lane.index()].load(Ordering::Relaxed) + intended[lane.index()];
        room.min((self.window_max - left_to_others).saturating_sub(used))
    }

    /// Sends what fits of one lane; false when nothing more can be sent for now.
    fn pull_lane(&mut self, lane: Lane, batch: &mut SubmitBatch<'_>) -> bool {
        let room = self.room(lane, batch);
        if room == 0 || !self.serves(lane) || self.lines[lane.index()].is_empty() {
            return false;
        }
        let granted = self.gate.take(lane, room);
        if granted == 0 {
            self.plan_wake(lane);
            return false;
        }
        let now = self.clock.now();
        let mut parts = std::mem::take(&mut self.taken_out);
        self.lines[lane.index()].take(granted, now, &mut parts);
        let taken = parts.len();
        if taken < granted {
            self.gate.give_back(granted - taken);
        }
        let (mut refused, mut to_intend) = (Vec::new(), Vec::new());
        for (job, number) in parts.drain(..) {
            if let Some(until) = self.quiet_until(&job, now) {
                self.state.pace.give_back(1);
                self.lines[lane.index()].retry_at(job, number, until);
            } else if self.needs_intent(&job, number, now) {
                to_intend.push((job, number));
            } else if let Err(job) = self.send(job, number, now, batch) {
                refused.push((job, number));
            }
        }
        self.taken_out = parts;
        self.intents.intend(lane, to_intend);
        let all_sent = refused.is_empty();
        if !all_sent {
            self.gate.give_back(refused.len());
            self.lines[lane.index()].give_back(refused);
        }
        if taken > 0 {
            self.enqueue.taken(lane);
        }
        all_sent && taken == granted && taken > 0
    }

    /// Whether it has to be durable first that this part is about to be written.
    fn needs_intent(&self, job: &Job, number: u8, now: UnixMillis) -> bool {
        !job.is_intended(number) && self.forbids_repeating(job, now)
    }

    /// Writes what was waiting for its intent to be durable; false when there is no room for all of it.
    fn send_intended(&mut self, batch: &mut SubmitBatch<'_>) -> bool {
        let now = self.clock.now();
        while batch.room() > 0 {
            let Some((job, number)) = self.intents.next() else { return true };
            if let Err(job) = self.send(job, number, now, batch) {
                self.intents.put_back((job, number));
                return false;
            }
        }
        false
    }

    /// Writes one part; hands the job back when the window or the write buffer is full after all.
    fn send(
        &mut self,
        job: Arc<Job>,
        number: u8,
        now: UnixMillis,
        batch: &mut SubmitBatch<'_>,
    ) -> Result<(), Arc<Job>> {
        if job.has_ended() || job.is_settled(number) {
            self.gate.give_back(1);
            return Ok(());
        }
        if job.remaining_ms(now) <= 0 {
            self.gate.give_back(1);
            forget(&self.settle, &job, number);
            self.end(&job, Status::Expired, "validity_over");
            return Ok(());
        }
        if self.settle.is_opted_out(&job) {
            self.gate.give_back(1);
            self.end(&job, Status::Rejected, "opted_out");
            return Ok(());
        }
        if let Some(until) = self.state.full_queues.held_until(job.phone, now) {
            self.gate.give_back(1);
            forget(&self.settle, &job, number);
            self.lines[job.id.lane().index()].retry_at(Arc::clone(&job), number, until.min(job.content().expires_at));
            return Ok(());
        }
        let carrier = Arc::clone(&self.state.carrier);
        let form = self.form_of(&job, number);
        let other = form::other(&job, &carrier, form);
        let encoded = match job.encoded(&carrier) {
            Ok(encoded) => other.as_ref().unwrap_or(encoded),
            Err(error) => {
                tracing::error!(target: "send", %error, message = %job.id, "an accepted text can't be encoded");
                self.end(&job, Status::Rejected, "not_encodable");
                return Ok(());
            }
        };
        let is_whole = job.whole(encoded).is_some();
        if is_whole && number != 1 {
            // All of it went, or goes, with the first part.
            self.gate.give_back(1);
            return Ok(());
        }
        form::note_parts(&job, is_whole);
        let token = self.slots.insert(InFlight { job: Arc::clone(&job), number, form, is_whole, watched: None });
        let reference = match encoded.reference {
            ReferenceOctets::None => 0,
            _ => job.reference(|natural| self.state.references.give(&job.content().sender, job.phone, natural)),
        };
        let parts = (&*job, encoded, reference);
        let pushed = self.scratch.submit(&carrier, parts, number, (now, form), |written| match written {
            Written::SubmitSm(sm) => batch.push(token, sm),
            Written::DataSm(data) => batch.push_data(token, data),
        });
        match pushed {
            Ok(()) => {
                let (lane, waited_ms) = (job.id.lane(), now.since_ms(job.due_at()));
                latency::observe_ms(&self.latency.wait[lane.index()], waited_ms);
                latency::observe_ms(&self.state.wait[lane.index()], waited_ms);
                if lane == Lane::Priority {
                    self.slots.watch(token, self.hedge.watch(&job, number));
                }
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
        let (wait, planned, session) = (self.gate.wait(lane), Arc::clone(&self.wake_planned), self.session.clone());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            planned.store(false, Ordering::Release);
            session.wake();
        });
    }

    fn hand_over(&self, lane: Lane, taken: Vec<Taken>, parts: Vec<(Arc<Job>, u8)>, slots: usize) {
        if taken.is_empty() {
            return;
        }
        let (line, session) = (Arc::clone(&self.lines[lane.index()]), self.session.clone());
        let held = Arc::clone(&self.held);
        held[lane.index()].fetch_add(slots, Ordering::Relaxed);
        self.settle.taken(&self.state.carrier, lane, taken, move |_| {
            settle_parts(&line, parts);
            held[lane.index()].fetch_sub(slots, Ordering::Relaxed);
            session.release(slots);
        });
    }
}

impl ClientHandler for BindHandler {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        if self.state.is_paused() || !self.send_intended(batch) {
            return;
        }
        for lane in Lane::ALL {
            while self.pull_lane(lane, batch) {}
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        let mut taken: [Vec<Taken>; 2] = Default::default();
        let mut jobs: [Vec<(Arc<Job>, u8)>; 2] = Default::default();
        let (mut lost, mut slots, mut freed) = (Vec::new(), [0; 2], 0);
        let (mut back, mut congestion) = (GoBack::default(), None);
        let (mut timed_out, mut round_trips) = (0, Duration::ZERO);
        for (token, outcome) in outcomes.iter() {
            let Some(part) = self.slots.end(token, matches!(outcome, Outcome::TimedOut)) else { continue };
            // A code that was handed on is another bind's business, unless this one has it taken first.
            let is_ours = part.watched.as_ref().is_none_or(|watched| watched.end());
            if let Outcome::Answered { congestion_state, .. } = outcome {
                self.hedge.answered();
                congestion = congestion_state.or(congestion);
            }
            match outcome {
                Outcome::Answered { status, message_id, round_trip, .. } if status.is_ok() => {
                    self.learn_from(&part);
                    let lane = part.lane().index();
                    if part.job.is_settled(part.number) {
                        self.settle.stats().duplicates.fetch_add(1, Ordering::Relaxed);
                        freed += 1;
                        continue;
                    }
                    latency::observe(&self.latency.answer[lane], round_trip);
                    round_trips += round_trip;
                    let operator_id: Box<str> = domain::operator_id::text(message_id.unwrap_or_default());
                    for number in part.numbers() {
                        let operator_id = Box::clone(&operator_id);
                        taken[lane].push(Taken { id: part.job.id, part: number, operator_id });
                        jobs[lane].push((Arc::clone(&part.job), number));
                    }
                    slots[lane] += 1;
                }
                Outcome::Answered { status, .. } | Outcome::Nacked { status } => {
                    freed += 1;
                    if is_ours {
                        let is_nacked = matches!(outcome, Outcome::Nacked { .. });
                        self.refused(part, status.0, is_nacked, &mut back);
                    }
                }
                Outcome::TimedOut => {
                    freed += 1;
                    lost.extend(is_ours.then_some((part, true)));
                    timed_out += 1;
                }
                Outcome::ConnectionLost { written } => lost.extend(is_ours.then_some((part, written))),
            }
        }
        let answered = slots.iter().sum();
        self.well_answered(answered);
        self.state.vital.answered(answered, round_trips);
        self.state.vital.failed(timed_out);
        if let Some(congestion_state) = congestion {
            self.gate.congestion(congestion_state);
        }
        for (lane, (taken, jobs)) in Lane::ALL.into_iter().zip(taken.into_iter().zip(jobs)) {
            self.hand_over(lane, taken, jobs, slots[lane.index()]);
        }
        self.give_back(back.parts);
        lost.extend(back.unsure.into_iter().map(|part| (part, true)));
        self.lost(lost);
        if freed > 0 {
            self.session.release(freed);
        }
    }

    fn late_answers(&mut self, outcomes: &OutcomeBatch) {
        self.answered_late(outcomes);
    }

    fn delivers(&mut self, delivers: RequestBatch, _answers: &mut Answers<'_>) {
        self.settle.delivered(Arc::clone(&self.state.carrier), delivers, self.session.clone());
    }
}
