//! One receiver of webhooks: what waits for it and how it behaves.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::UnixMillis;
use domain::event::{CallId, Event};
use domain::fact::EventId;
use domain::lane::Lane;
use domain::limits::{EVENTS_PER_CALL_MAX, EVENTS_PER_ENDPOINT_MAX};
use domain::webhook::{EndpointName, EndpointTrouble, OffReason};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::bounds::{
    ALONE_AFTER_START_MAX, CALLS_AT_FIRST, EVENTS_GUARANTEED, EVENTS_OF_FAILING_MAX, FROZEN_CALLS_MAX,
    FROZEN_EVENTS_MAX, GAP_MAX, GAP_MIN, GATHER, REFILL_BELOW,
};
use super::health::{Health, Turn};
use super::queue::{Fresh, LaneQueue, Standing};
use super::target::Target;
use super::transport::Post;
use super::trouble::{News, Trouble};
use super::turns::Deficit;

/// Names an endpoint.
pub type Key = EndpointName;

/// Where an endpoint is called, or why its events can't be told.
pub type Resolved = Result<Arc<Target>, &'static str>;

/// One receiver.
pub struct Endpoint {
    /// Its name.
    pub key: Key,
    /// Its connections.
    pub post: Arc<dyn Post>,
    /// What is left of its turn at the slots.
    pub deficit: Arc<Deficit>,
    /// Wakes the pump.
    pub wake: Notify,
    /// Its target under a version of the control data.
    pub target: Mutex<Option<(u64, Resolved)>>,
    state: Mutex<State>,
}

/// What changes.
#[derive(Debug)]
pub struct State {
    /// By lane.
    pub lanes: [LaneQueue; 2],
    /// A pump runs, or is about to.
    pub pumped: bool,
    /// Taken off the list: events go to a new one of the same name.
    pub retired: bool,
    /// It is not called any more.
    pub off: Option<Off>,
    /// Since when it does nothing but fail.
    pub trouble: Trouble,
    health: Health,
    in_flight: usize,
    /// When the last call began.
    last_begun: Option<Instant>,
    /// Calls at a time, adapted to how it answers.
    limit: usize,
    limit_max: usize,
    /// Successes since the limit rose last, of calls that were held up by it.
    held_up: usize,
    /// Pause between calls, while it answered 429 lately.
    gap: Duration,
    held_until: Instant,
}

/// Why an endpoint is not called any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Off {
    /// Since when.
    pub at: UnixMillis,
    /// Why.
    pub reason: OffReason,
    /// The main URL that this is about; another one gets its own chance.
    pub url: Box<str>,
}

/// What the end of a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Events that were left to the store because the endpoint is down now.
    pub left: usize,
    /// What became of the breaker.
    pub turn: Turn,
    /// What the owner should hear of.
    pub news: News,
}

/// How a call ended, as far as the endpoint goes.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// What becomes of its events.
    pub ending: Ending,
    /// When it ended.
    pub at: UnixMillis,
    /// How long it took.
    pub took: Duration,
    /// The receiver asked for fewer calls (429).
    pub too_many: bool,
}

/// When something can be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// At once.
    Now,
    /// At that moment, unless something happens before.
    At(Instant),
    /// When something happens.
    Never,
}

/// What became of an event that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits here now; whether the pump should look.
    Queued(bool),
    /// It was here already, or is not wanted now.
    Ignored,
    /// No room: it stays in the store.
    Left,
    /// The endpoint was taken off the list: look it up again.
    Retired,
}

/// A try to be made.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The call.
    pub id: CallId,
    /// Its lane.
    pub lane: Lane,
    /// Its events.
    pub events: Arc<Vec<Arc<Event>>>,
    /// Number of this try, from 1.
    pub attempt: u16,
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The receiver has it.
    Told,
    /// Again at that moment, and whether the receiver asked for the wait.
    Retry(Instant, bool),
    /// Given up.
    Dead,
}

impl Endpoint {
    /// An endpoint with nothing waiting, and what is remembered of it.
    pub fn new(key: Key, post: Arc<dyn Post>, limit_max: usize, remembered: Option<&EndpointTrouble>) -> Self {
        let now = Instant::now();
        let mut state = State {
            lanes: Default::default(),
            pumped: false,
            retired: false,
            off: None,
            trouble: Trouble::default(),
            health: Health::new(now),
            in_flight: 0,
            last_begun: None,
            limit: CALLS_AT_FIRST.min(limit_max),
            limit_max,
            held_up: 0,
            gap: Duration::ZERO,
            held_until: now,
        };
        if let Some(known) = remembered {
            state.remember(known);
        }
        Self {
            key,
            post,
            deficit: Arc::default(),
            wake: Notify::new(),
            target: Mutex::new(None),
            state: Mutex::new(state),
        }
    }

    /// What changes; never held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Whether it fails so often, or is so slow, that it is only probed.
    pub fn is_down(&self) -> bool {
        self.health.is_open()
    }

    /// Whether the last try failed: further ones count as probes.
    pub fn is_failing(&self) -> bool {
        self.health.is_failing() || self.health.is_open()
    }

    /// What an earlier run of the program knew of it.
    pub fn remember(&mut self, known: &EndpointTrouble) {
        self.off = known.off.map(|(at, reason)| Off { at, reason, url: known.url.clone() });
        self.trouble = Trouble { since: Some(known.since), failures: known.failures, warnings: 0 };
    }

    /// Calls in progress, and how many there may be.
    pub fn calls(&self) -> (usize, usize) {
        (self.in_flight, self.limit)
    }

    /// Events of the next call, roughly.
    pub fn next_events(&self) -> usize {
        if self.is_down() {
            return 1;
        }
        self.lanes.iter().map(|queue| queue.fresh.len()).max().unwrap_or(1).clamp(1, EVENTS_PER_CALL_MAX)
    }

    /// It may be called again: one probe goes first.
    pub fn turn_on(&mut self) {
        self.off = None;
        self.trouble = Trouble::default();
        self.health.open_for_probe(Instant::now());
    }

    /// Takes a fresh event, if there is room. `crowded` says that memory is full over all endpoints,
    /// `from_start` that it is what an earlier run of the program left.
    pub fn push(&mut self, event: Arc<Event>, crowded: bool, from_start: bool) -> Pushed {
        if self.retired {
            return Pushed::Retired;
        }
        let bound = if self.is_down() { EVENTS_OF_FAILING_MAX } else { EVENTS_PER_ENDPOINT_MAX };
        let queue = &mut self.lanes[event.id.message.lane().index()];
        if queue.known.contains(&event.id) {
            return Pushed::Ignored;
        }
        let waiting = queue.fresh.len();
        if waiting >= bound || (crowded && waiting >= EVENTS_GUARANTEED) {
            queue.leave(event.id);
            return Pushed::Left;
        }
        queue.known.insert(event.id);
        let alone = from_start && waiting < ALONE_AFTER_START_MAX;
        queue.fresh.push_back(Fresh { event, since: Instant::now(), alone });
        // In between the pump has its timer, or waits for a call to end.
        Pushed::Queued(waiting == 0 || (waiting + 1).is_multiple_of(EVENTS_PER_CALL_MAX))
    }

    /// Takes an event of a frozen call that is read from the store.
    pub fn load(&mut self, call: CallId, event: Arc<Event>) -> Pushed {
        if self.retired {
            return Pushed::Retired;
        }
        let queue = &mut self.lanes[event.id.message.lane().index()];
        if !queue.known.insert(event.id) {
            return Pushed::Ignored;
        }
        queue.load(call, event);
        Pushed::Queued(false)
    }

    /// When the next try can begin.
    pub fn ready(&self, now: Instant) -> Ready {
        if self.in_flight >= self.limit || (self.is_down() && self.in_flight > 0) {
            return Ready::Never;
        }
        let earliest = self.lanes.iter().filter_map(|queue| {
            let due = queue.due.first().map(|(at, _)| *at);
            due.into_iter().chain(self.fresh_at(queue, now)).min()
        });
        match earliest.min().map(|at| at.max(self.not_before())) {
            None => Ready::Never,
            Some(at) if at <= now => Ready::Now,
            Some(at) => Ready::At(at),
        }
    }

    /// No call goes out before that moment: the receiver asked for it, or it is down and was just probed.
    fn not_before(&self) -> Instant {
        let gap = self.last_begun.filter(|_| !self.gap.is_zero()).map(|begun| begun + self.gap);
        let moments = [self.health.next_probe(), gap];
        moments.into_iter().flatten().fold(self.held_until, Instant::max)
    }

    /// When fresh events can go: at once if nothing was going on or a call is full; else they gather.
    fn fresh_at(&self, queue: &LaneQueue, now: Instant) -> Option<Instant> {
        let oldest = queue.fresh.front()?;
        let in_calls = queue.known.len().saturating_sub(queue.fresh.len());
        if queue.calls.len() >= FROZEN_CALLS_MAX || in_calls >= FROZEN_EVENTS_MAX {
            return None;
        }
        let full = queue.fresh.len() >= EVENTS_PER_CALL_MAX;
        Some(match u32::try_from(self.in_flight) {
            _ if full || self.is_down() => now,
            // Out of the blue an event goes at once; in a stream of them each call takes a few along.
            Ok(0) => self.last_begun.map_or(now, |begun| begun + GATHER),
            Ok(calls) => oldest.since + GATHER * calls,
            Err(_) => now,
        })
    }

    /// Begins the next try, if one can begin: the urgent lane first, in it what waited longest.
    pub fn take(&mut self, now: Instant) -> Option<Ticket> {
        if self.in_flight >= self.limit || self.not_before() > now || (self.is_down() && self.in_flight > 0) {
            return None;
        }
        for lane in Lane::ALL {
            let index = lane.index();
            let fresh_may_go = self.fresh_at(&self.lanes[index], now).is_some_and(|at| at <= now);
            // While an endpoint is down one event is enough to learn whether it is back.
            let events_max = if self.is_down() { 1 } else { EVENTS_PER_CALL_MAX };
            let queue = &mut self.lanes[index];
            let id = queue.take_due(Some(now)).or_else(|| fresh_may_go.then(|| queue.begin_call(events_max)).flatten());
            let Some(id) = id else { continue };
            let Some(parcel) = queue.calls.get_mut(&id) else { continue };
            parcel.standing = Standing::InFlight;
            self.in_flight += 1;
            self.last_begun = Some(now);
            self.health.probed(now);
            return Some(Ticket {
                id,
                lane,
                events: Arc::clone(&parcel.events),
                attempt: parcel.attempts.saturating_add(1),
            });
        }
        None
    }

    /// Takes out what can't be told any more: frozen calls first, then fresh events.
    pub fn take_doomed(&mut self) -> Option<Ticket> {
        for lane in Lane::ALL {
            let queue = &mut self.lanes[lane.index()];
            let id = queue.take_due(None).or_else(|| queue.begin_call(EVENTS_PER_CALL_MAX));
            if let Some((id, parcel)) = id.and_then(|id| queue.calls.remove_entry(&id)) {
                return Some(Ticket { id, lane, events: parcel.events, attempt: parcel.attempts });
            }
        }
        None
    }

    /// A try ended.
    pub fn finish(&mut self, ticket: &Ticket, ended: &Ended) -> Changed {
        let now = Instant::now();
        let backlog = self.lanes.iter().any(|queue| queue.fresh.len() >= EVENTS_PER_CALL_MAX);
        let was_full = self.in_flight >= self.limit || backlog;
        let queue = &mut self.lanes[ticket.lane.index()];
        self.in_flight = self.in_flight.saturating_sub(1);
        match ended.ending {
            Ending::Told | Ending::Dead => drop(queue.calls.remove(&ticket.id)),
            Ending::Retry(at, held) => {
                queue.freeze(ticket.id, at);
                if let Some(parcel) = queue.calls.get_mut(&ticket.id) {
                    parcel.attempts = ticket.attempt;
                    parcel.held = held;
                }
            }
        }
        let failed = ended.ending != Ending::Told;
        let turn = self.health.note(now, failed, ended.took);
        let news = self.trouble.note(ended.at, failed);
        if failed {
            self.fewer(ended.too_many)
        } else {
            self.more(was_full)
        }
        if turn == Turn::Closed {
            self.lanes.iter_mut().for_each(|queue| queue.bring_forward(now));
        }
        let left = if turn == Turn::Opened {
            self.lanes.iter_mut().map(|queue| queue.trim(EVENTS_OF_FAILING_MAX)).sum()
        } else {
            0
        };
        Changed { left, turn, news }
    }

    /// It answered well. If calls had to wait for others to end, after a round of them one more may go.
    fn more(&mut self, was_full: bool) {
        self.gap = self.gap * 7 / 8;
        if self.gap < GAP_MIN / 8 {
            self.gap = Duration::ZERO;
        }
        self.held_up += usize::from(was_full);
        if self.held_up >= self.limit && self.limit < self.limit_max {
            self.limit += 1;
            self.held_up = 0;
        }
    }

    /// It failed: half as many calls at a time, and after a 429 longer pauses between them.
    fn fewer(&mut self, too_many: bool) {
        self.limit = (self.limit / 2).max(1);
        self.held_up = 0;
        if too_many {
            self.gap = (self.gap * 2).clamp(GAP_MIN, GAP_MAX);
        }
    }

    /// No call before that moment: the receiver asked for it.
    pub fn hold_until(&mut self, until: Instant) {
        self.held_until = self.held_until.max(until);
    }

    /// The ends of these events are durable.
    pub fn forget(&mut self, lane: Lane, events: &[EventId]) -> usize {
        let known = &mut self.lanes[lane.index()].known;
        events.iter().filter(|id| known.remove(*id)).count()
    }

    /// After its pump broke: what was in flight is tried again at once.
    pub fn revive(&mut self) {
        let now = Instant::now();
        self.in_flight = 0;
        for queue in &mut self.lanes {
            let broken = |standing: Standing| standing == Standing::InFlight;
            let ids: Vec<_> =
                queue.calls.iter().filter(|(_, parcel)| broken(parcel.standing)).map(|(id, _)| *id).collect();
            ids.into_iter().for_each(|id| queue.freeze(id, now));
        }
    }

    /// Whether the lane's reader should fill it.
    pub fn wants_filling(&self, lane: Lane) -> bool {
        let queue = &self.lanes[lane.index()];
        let low = if self.is_down() { EVENTS_GUARANTEED } else { REFILL_BELOW };
        queue.left_in_store.is_some() && !queue.filling && queue.fresh.len() < low
    }

    /// Whether nothing waits and nothing is in progress.
    pub fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.lanes.iter().all(LaneQueue::is_empty)
    }

    /// Since when the oldest event that could be told waits.
    pub fn oldest_due(&self) -> Option<Instant> {
        let waiting = |queue: &LaneQueue| {
            let fresh = queue.fresh.front().map(|fresh| fresh.since);
            fresh.into_iter().chain(queue.due.first().map(|(at, _)| *at)).min()
        };
        self.lanes.iter().filter_map(waiting).min()
    }
}
