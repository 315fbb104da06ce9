//! One receiver of webhooks: what waits for it and how it behaves.

use std::sync::Arc;
use std::time::Duration;

use domain::control::EventKind;
use domain::event::{CallId, Event};
use domain::fact::EventId;
use domain::id::AccountId;
use domain::lane::Lane;
use domain::limits::{EVENTS_PER_CALL_MAX, EVENTS_PER_ENDPOINT_MAX};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::bounds::{
    ALONE_AFTER_START_MAX, EVENTS_GUARANTEED, EVENTS_OF_FAILING_MAX, FAILURES_TO_OPEN, FROZEN_CALLS_MAX, GATHER,
    PROBE_PAUSE, PROBE_PAUSE_MAX, REFILL_BELOW,
};
use super::queue::{Fresh, LaneQueue, Standing};
use super::target::Target;
use super::transport::Post;

/// Names an endpoint: an account's own, or one that requests named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Whose endpoint.
    pub account: AccountId,
    /// What it is told.
    pub kind: EventKind,
    /// The URL that requests named; `None` for the account's own.
    pub url: Option<Arc<str>>,
}

/// Where an endpoint is called, or why its events can't be told.
pub type Resolved = Result<Arc<Target>, &'static str>;

/// One receiver.
pub struct Endpoint {
    /// Its name.
    pub key: Key,
    /// Its connections.
    pub post: Arc<dyn Post>,
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
    /// It answered 410 under this version of the control data.
    pub gone: Option<u64>,
    in_flight: usize,
    /// When the last call of fresh events began.
    last_begun: Option<Instant>,
    /// Calls at a time, adapted to how it answers.
    limit: usize,
    limit_max: usize,
    failures_in_row: u32,
    pause: Duration,
    next_probe: Instant,
    held_until: Instant,
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
    /// An endpoint with nothing waiting.
    pub fn new(key: Key, post: Arc<dyn Post>, limit_max: usize) -> Self {
        let now = Instant::now();
        let state = State {
            lanes: Default::default(),
            pumped: false,
            retired: false,
            gone: None,
            in_flight: 0,
            last_begun: None,
            limit: limit_max,
            limit_max,
            failures_in_row: 0,
            pause: PROBE_PAUSE,
            next_probe: now,
            held_until: now,
        };
        Self { key, post, wake: Notify::new(), target: Mutex::new(None), state: Mutex::new(state) }
    }

    /// What changes; never held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// Whether it failed so often in a row that it is only probed.
    pub fn is_down(&self) -> bool {
        self.failures_in_row >= FAILURES_TO_OPEN
    }

    /// Whether the last try failed: further ones count as probes.
    pub fn is_failing(&self) -> bool {
        self.failures_in_row > 0
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
        if self.in_flight >= self.limit {
            return Ready::Never;
        }
        let earliest = self.lanes.iter().filter_map(|queue| {
            let due = queue.due.first().map(|(at, _)| *at);
            due.into_iter().chain(self.fresh_at(queue, now)).min()
        });
        match earliest.min().map(|at| at.max(self.held_until)) {
            None => Ready::Never,
            Some(at) if at <= now => Ready::Now,
            Some(at) => Ready::At(at),
        }
    }

    /// When fresh events can go: at once if nothing was going on or a call is full; else they gather.
    fn fresh_at(&self, queue: &LaneQueue, now: Instant) -> Option<Instant> {
        let oldest = queue.fresh.front()?;
        if queue.calls.len() >= FROZEN_CALLS_MAX {
            return None;
        }
        if self.is_down() {
            return Some(self.next_probe);
        }
        let full = queue.fresh.len() >= EVENTS_PER_CALL_MAX;
        Some(match u32::try_from(self.in_flight) {
            _ if full => now,
            // Out of the blue an event goes at once; in a stream of them each call takes a few along.
            Ok(0) => self.last_begun.map_or(now, |begun| begun + GATHER),
            Ok(calls) => oldest.since + GATHER * calls,
            Err(_) => now,
        })
    }

    /// Begins the next try, if one can begin: the urgent lane first, in it what waited longest.
    pub fn take(&mut self, now: Instant) -> Option<Ticket> {
        if self.in_flight >= self.limit || self.held_until > now {
            return None;
        }
        for lane in Lane::ALL {
            let index = lane.index();
            let fresh_may_go = self.fresh_at(&self.lanes[index], now).is_some_and(|at| at <= now);
            // While an endpoint is down one event is enough to learn whether it is back.
            let events_max = if self.is_down() { 1 } else { EVENTS_PER_CALL_MAX };
            let queue = &mut self.lanes[index];
            let last_begun = &mut self.last_begun;
            let id = queue.take_due(Some(now)).or_else(|| {
                if !fresh_may_go {
                    return None;
                }
                *last_begun = Some(now);
                queue.begin_call(events_max)
            });
            let Some(id) = id else { continue };
            let Some(parcel) = queue.calls.get_mut(&id) else { continue };
            parcel.standing = Standing::InFlight;
            self.in_flight += 1;
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

    /// A try ended. `pause` gives the pause before the next probe its share of chance. Returns how many
    /// events were left to the store because the endpoint is down now.
    pub fn finish(&mut self, ticket: &Ticket, ending: Ending, pause: impl Fn(Duration) -> Duration) -> usize {
        let now = Instant::now();
        let queue = &mut self.lanes[ticket.lane.index()];
        self.in_flight = self.in_flight.saturating_sub(1);
        match ending {
            Ending::Told | Ending::Dead => drop(queue.calls.remove(&ticket.id)),
            Ending::Retry(at, held) => {
                queue.freeze(ticket.id, at);
                if let Some(parcel) = queue.calls.get_mut(&ticket.id) {
                    parcel.attempts = ticket.attempt;
                    parcel.held = held;
                }
            }
        }
        if ending == Ending::Told {
            self.succeeded(now);
            return 0;
        }
        self.failed(now, pause)
    }

    fn succeeded(&mut self, now: Instant) {
        if self.is_down() {
            self.lanes.iter_mut().for_each(|queue| queue.bring_forward(now));
        }
        self.failures_in_row = 0;
        self.pause = PROBE_PAUSE;
        self.limit = (self.limit + 1).min(self.limit_max);
    }

    fn failed(&mut self, now: Instant, pause: impl Fn(Duration) -> Duration) -> usize {
        self.failures_in_row = self.failures_in_row.saturating_add(1);
        self.limit = 1;
        if !self.is_down() {
            return 0;
        }
        let queues = self.lanes.iter_mut();
        let left = queues.map(|queue| queue.trim(EVENTS_OF_FAILING_MAX)).sum();
        // Calls that were in progress together fail together: the pause grows once for all of them.
        if now < self.next_probe {
            return left;
        }
        self.next_probe = now + pause(self.pause);
        self.pause = (self.pause * 2).min(PROBE_PAUSE_MAX);
        left
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
