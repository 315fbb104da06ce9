//! What waits for one endpoint on one lane.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use domain::event::{CallId, Event};
use domain::fact::EventId;
use domain::limits::EVENTS_PER_CALL_MAX;
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use tokio::time::Instant;

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Being read from the store; not all its events may be there yet.
    Loading,
    /// Waiting for its next try.
    Waiting(Instant),
    /// Being tried.
    InFlight,
}

/// Events that are told together. From the first try on the array never changes.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// In the order of the array.
    pub events: Arc<Vec<Arc<Event>>>,
    /// Tries that ended.
    pub attempts: u16,
    /// Where it stands.
    pub standing: Standing,
    /// The receiver asked to wait: it is not tried earlier even if others get through.
    pub held: bool,
}

/// A fresh event and since when it waits.
#[derive(Debug)]
pub struct Fresh {
    /// The event.
    pub event: Arc<Event>,
    /// Since when it waits here.
    pub since: Instant,
    /// It may have been on its way when the program broke off: it goes alone, so that the call comes back
    /// as it most likely was.
    pub alone: bool,
}

/// What waits for one endpoint on one lane.
#[derive(Debug, Default)]
pub struct LaneQueue {
    /// Never tried yet, oldest first.
    pub fresh: VecDeque<Fresh>,
    /// Every event in memory, until its end is durable: nothing is told twice because it was read again.
    pub known: HashSet<EventId, RandomState>,
    /// Calls begun: in flight or frozen.
    pub calls: HashMap<CallId, Parcel, RandomState>,
    /// Frozen calls by the time of their next try.
    pub due: BTreeSet<(Instant, CallId)>,
    /// Events from here on (by id) may be left in the store for lack of room.
    pub left_in_store: Option<EventId>,
    /// The lane's reader is filling this queue right now.
    pub filling: bool,
}

impl LaneQueue {
    /// Remembers that an event stays in the store.
    pub fn leave(&mut self, id: EventId) {
        self.left_in_store = Some(self.left_in_store.map_or(id, |first| first.min(id)));
    }

    /// Takes the oldest frozen call whose time has come, or any when `now` is `None`.
    pub fn take_due(&mut self, now: Option<Instant>) -> Option<CallId> {
        let first = *self.due.first()?;
        if now.is_some_and(|now| first.0 > now) {
            return None;
        }
        self.due.remove(&first);
        Some(first.1)
    }

    /// Makes a call out of up to `events_max` fresh events. They are put in the order of their ids, which
    /// is the order in which the store gives them back after a restart.
    ///
    /// Events that were tried before, and come again because somebody asked for it, do not mix with others:
    /// each has its own place in the schedule.
    pub fn begin_call(&mut self, events_max: usize) -> Option<CallId> {
        let first = self.fresh.front()?;
        let (alone, attempts) = (first.alone, first.event.attempts);
        let alike = |fresh: &&Fresh| !fresh.alone && fresh.event.attempts == attempts;
        let most = if alone { 1 } else { events_max.min(EVENTS_PER_CALL_MAX) };
        let count = self.fresh.iter().take(most).take_while(|fresh| alone || alike(fresh)).count();
        let mut events: Vec<_> = self.fresh.drain(..count).map(|fresh| fresh.event).collect();
        events.sort_unstable_by_key(|event| event.id);
        let id = CallId::of(events.iter().map(|event| event.id));
        let parcel = Parcel { events: Arc::new(events), attempts, standing: Standing::InFlight, held: false };
        self.calls.insert(id, parcel);
        Some(id)
    }

    /// Adds an event of a frozen call that is being read from the store.
    pub fn load(&mut self, id: CallId, event: Arc<Event>) {
        let empty = || Parcel { events: Arc::default(), attempts: 0, standing: Standing::Loading, held: false };
        let parcel = self.calls.entry(id).or_insert_with(empty);
        parcel.attempts = parcel.attempts.max(event.attempts);
        Arc::make_mut(&mut parcel.events).push(event);
    }

    /// Gives a call its next try at `at`.
    pub fn freeze(&mut self, id: CallId, at: Instant) {
        if let Some(parcel) = self.calls.get_mut(&id) {
            parcel.standing = Standing::Waiting(at);
            self.due.insert((at, id));
        }
    }

    /// All frozen calls may be tried at once, but for those whose receiver asked to wait.
    pub fn bring_forward(&mut self, now: Instant) {
        let waiting: Vec<_> = self.due.iter().copied().filter(|(at, _)| *at > now).collect();
        for (at, id) in waiting {
            if self.calls.get(&id).is_some_and(|parcel| !parcel.held) {
                self.due.remove(&(at, id));
                self.freeze(id, now);
            }
        }
    }

    /// Leaves the newest fresh events beyond `keep` in the store; returns how many.
    pub fn trim(&mut self, keep: usize) -> usize {
        let cut = self.fresh.split_off(keep.min(self.fresh.len()));
        for fresh in &cut {
            self.known.remove(&fresh.event.id);
            self.leave(fresh.event.id);
        }
        cut.len()
    }

    /// Whether nothing at all is waiting, in memory or in the store.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty() && self.calls.is_empty() && self.left_in_store.is_none() && !self.filling
    }
}
