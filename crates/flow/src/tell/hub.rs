//! What the parts of this stage share: the endpoints, the figures and the way to the store.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::choice::Choice;
use domain::clock::Clock;
use domain::event::Event;
use domain::fact::EventId;
use domain::lane::Lane;
use domain::limits::ENDPOINTS_MAX;
use domain::webhook::{EndpointTrouble, OffReason};
use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::bounds::{EVENTS_IN_MEMORY_MAX, TOLD_DURING_READ_MAX, TROUBLES_MAX};
use super::endpoint::{Endpoint, Key, Off, Pushed, Resolved};
use super::guard::Guard;
use super::lab::Lab;
use super::options::Options;
use super::outbox::{BoxFuture, Outbox};
use super::schedule::Schedule;
use super::slots::Slots;
use super::stats::{Figures, Stats};
use super::target::Target;
use super::transport::Transport;

/// Learns what a receiver answered to a call with these events, and says in words what could not be done
/// about it.
pub type AnswerHook = Arc<dyn Fn(Vec<Arc<Event>>, Box<[u8]>) -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// Shared by the handle, the pumps, the recorders and the readers.
pub struct Hub {
    pub outbox: Arc<dyn Outbox>,
    pub transport: Arc<dyn Transport>,
    pub clock: Clock,
    pub options: Options,
    pub guard: Arc<Guard>,
    pub schedule: Schedule,
    pub slots: Slots,
    pub stats: Stats,
    /// Learns what receivers answered to calls they took.
    pub answer_hook: OnceLock<AnswerHook>,
    /// The latest attempts.
    pub lab: Arc<Lab>,
    /// By lane.
    pub reading: [Reading; 2],
    /// Endpoints whose pump is to be started; each is in it at most once.
    pub to_start: Mutex<Vec<Arc<Endpoint>>>,
    /// Something is in `to_start`.
    pub start: Notify,
    /// Whoever holds this lock may take the book's or an endpoint's, never the other way round.
    pub(super) endpoints: Mutex<HashMap<Key, Arc<Endpoint>, RandomState>>,
    /// Endpoints in trouble, as far as the store knows of them.
    pub(super) book: Mutex<HashMap<Key, EndpointTrouble, RandomState>>,
    in_memory: AtomicUsize,
}

/// Why events are read from the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The program started: everything is read.
    Start,
    /// Events found no endpoint, or are to be told again: every endpoint takes what was read.
    Homeless,
    /// Some endpoints have room: only they take what was read.
    Room,
}

/// What a lane's reader and the others tell each other.
#[derive(Default)]
pub struct Reading {
    /// Some endpoint has room for events left in the store.
    pub wanted: Notify,
    /// Events from here on may be left in the store because their endpoint found no place.
    pub homeless: Mutex<Option<EventId>>,
    /// Events that ended while a page is being read; `None` while none is.
    told: Mutex<Option<HashSet<EventId, RandomState>>>,
}

impl Reading {
    /// A page is going to be read.
    pub fn begin(&self) {
        *self.told.lock() = Some(HashSet::default());
    }

    /// Whether so many events ended that the page is worth nothing.
    pub fn is_stale(&self) -> bool {
        self.told.lock().as_ref().is_some_and(|told| told.len() >= TOLD_DURING_READ_MAX)
    }

    /// The page was dealt with.
    pub fn end(&self) {
        *self.told.lock() = None;
    }

    fn has_told(&self, id: EventId) -> bool {
        self.told.lock().as_ref().is_some_and(|told| told.contains(&id))
    }

    fn note_told(&self, events: &[EventId]) {
        if let Some(told) = self.told.lock().as_mut()
            && told.len() < TOLD_DURING_READ_MAX
        {
            told.extend(events.iter().copied());
        }
    }

    /// Notes that an event waits in the store without a place in memory.
    pub fn leave(&self, id: EventId) {
        let mut homeless = self.homeless.lock();
        *homeless = Some(homeless.map_or(id, |first| first.min(id)));
    }
}

impl Hub {
    pub fn new(
        outbox: Arc<dyn Outbox>,
        transport: Arc<dyn Transport>,
        clock: Clock,
        schedule: Schedule,
        options: Options,
    ) -> Self {
        Self {
            outbox,
            transport,
            clock,
            guard: Arc::new(Guard::new(&options)),
            schedule,
            slots: Slots::new(options.calls_max, options.calls_per_endpoint_max),
            options,
            stats: Stats::default(),
            answer_hook: OnceLock::new(),
            lab: Arc::default(),
            reading: Default::default(),
            to_start: Mutex::default(),
            start: Notify::new(),
            endpoints: Mutex::default(),
            book: Mutex::default(),
            in_memory: AtomicUsize::new(0),
        }
    }

    /// An event that just became durable. Never blocks.
    pub fn tell(&self, event: Arc<Event>) {
        let id = event.id;
        loop {
            let Some(endpoint) = self.endpoint_of(&event) else { return self.reading[id_lane(id)].leave(id) };
            let pushed = endpoint.state().push(Arc::clone(&event), self.is_crowded(), false);
            self.pushed(&endpoint, pushed);
            if pushed != Pushed::Retired {
                return;
            }
        }
    }

    /// An event that was read from the store.
    pub fn refill(&self, event: Event, why: Why) {
        let event = Arc::new(event);
        let index = id_lane(event.id);
        loop {
            let Some(endpoint) = self.endpoint_of(&event) else { return self.reading[index].leave(event.id) };
            let mut state = endpoint.state();
            let queue = &state.lanes[index];
            let is_wanted = why != Why::Room || queue.filling;
            // In this order: what ends is noted first and forgotten then.
            if !is_wanted || queue.known.contains(&event.id) || self.reading[index].has_told(event.id) {
                return;
            }
            let pushed = match event.call {
                Some(call) => state.load(call, Arc::clone(&event)),
                None => state.push(Arc::clone(&event), self.is_crowded(), why == Why::Start),
            };
            drop(state);
            self.pushed(&endpoint, pushed);
            if pushed != Pushed::Retired {
                return;
            }
        }
    }

    fn is_crowded(&self) -> bool {
        self.in_memory.load(Relaxed) >= EVENTS_IN_MEMORY_MAX
    }

    fn pushed(&self, endpoint: &Arc<Endpoint>, pushed: Pushed) {
        match pushed {
            Pushed::Queued(wake) => {
                self.in_memory.fetch_add(1, Relaxed);
                if wake {
                    self.wake(endpoint);
                }
            }
            Pushed::Left => Stats::add(&self.stats.left, 1),
            Pushed::Ignored | Pushed::Retired => {}
        }
    }

    /// Makes the endpoint's pump look, starting it if there is none.
    pub fn wake(&self, endpoint: &Arc<Endpoint>) {
        let start = !std::mem::replace(&mut endpoint.state().pumped, true);
        if start {
            self.to_start.lock().push(Arc::clone(endpoint));
            self.start.notify_one();
        } else {
            endpoint.wake.notify_one();
        }
    }

    /// The endpoint an event belongs to, made when it is new; `None` when there are too many.
    fn endpoint_of(&self, event: &Event) -> Option<Arc<Endpoint>> {
        let url = event.webhook_url.as_ref().filter(|url| {
            let control = self.outbox.control();
            let own = control.account(event.account).and_then(|account| account.endpoint(event.kind()));
            own.is_none_or(|own| *own.url != ***url)
        });
        let key = Key { account: event.account, kind: event.kind(), url: url.cloned() };
        let mut endpoints = self.endpoints.lock();
        if let Some(endpoint) = endpoints.get(&key) {
            return Some(Arc::clone(endpoint));
        }
        if endpoints.len() >= ENDPOINTS_MAX {
            return None;
        }
        let remembered = self.book.lock().get(&key).cloned();
        let (post, limit) = (self.transport.open(), self.slots.per_endpoint());
        let endpoint = Arc::new(Endpoint::new(key.clone(), post, limit, remembered.as_ref()));
        endpoints.insert(key, Arc::clone(&endpoint));
        Some(endpoint)
    }

    /// All endpoints at this moment.
    pub fn all(&self) -> Vec<Arc<Endpoint>> {
        self.endpoints.lock().values().cloned().collect()
    }

    /// Takes an idle endpoint off the list; false when something came in meanwhile.
    pub fn retire(&self, endpoint: &Endpoint) -> bool {
        let mut endpoints = self.endpoints.lock();
        let mut state = endpoint.state();
        if !state.is_idle() {
            return false;
        }
        state.retired = true;
        endpoints.remove(&endpoint.key);
        drop(state);
        for reading in &self.reading {
            if reading.homeless.lock().is_some() {
                reading.wanted.notify_one();
            }
        }
        true
    }

    /// Where the endpoint is called, or why its events can't be told.
    pub fn target(&self, endpoint: &Endpoint) -> Resolved {
        let control = self.outbox.control();
        let resolved = {
            let mut cached = endpoint.target.lock();
            match &*cached {
                Some((version, target)) if *version == control.version => target.clone(),
                _ => {
                    let target = Target::of(&endpoint.key, &control, &self.schedule).map(Arc::new);
                    *cached = Some((control.version, target.clone()));
                    target
                }
            }
        };
        let mut state = endpoint.state();
        match (&state.off, &resolved) {
            (Some(off), Ok(target)) if *off.url == *target.main_text => Err(off_text(off.reason)),
            (Some(_), Ok(_)) => {
                // The setup names another URL now.
                state.turn_on();
                resolved
            }
            _ => resolved,
        }
    }

    /// What an earlier run knew of endpoints. No pump runs yet, but events may have come in already: an endpoint that
    /// was made before the book was filled is told here, a later one looks it up itself.
    pub fn remember(&self, troubles: Vec<EndpointTrouble>) {
        self.book.lock().extend(troubles.into_iter().map(|one| (one.name.clone(), one)));
        for endpoint in self.all() {
            let known = self.book.lock().get(&endpoint.key).cloned();
            if let Some(known) = known {
                endpoint.state().remember(&known);
            }
        }
    }

    /// The endpoint is not called any more, until it is turned on again or gets another URL.
    pub fn turn_off(&self, endpoint: &Endpoint, url: &str, reason: OffReason) {
        let at = self.clock.now();
        endpoint.state().off = Some(Off { at, reason, url: url.into() });
        let account = endpoint.key.account.0;
        tracing::error!(target: "tell", account, event = endpoint.key.kind.name(), reason = reason.as_str(),
            "an endpoint is not called any more; see `posthorn webhook list`");
    }

    /// What is remembered of the endpoint's trouble; `None` if it has none.
    pub fn trouble_of(&self, endpoint: &Endpoint, url: &str) -> Option<EndpointTrouble> {
        let state = endpoint.state();
        let off = state.off.as_ref().map(|off| (off.at, off.reason));
        if state.trouble.warnings == 0 && off.is_none() {
            return None;
        }
        let since = state.trouble.since.or_else(|| off.map(|off| off.0)).unwrap_or_else(|| self.clock.now());
        Some(EndpointTrouble {
            name: endpoint.key.clone(),
            url: url.into(),
            since,
            failures: state.trouble.failures,
            off,
        })
    }

    /// Writes down what is remembered of the endpoint's trouble, or that it is over.
    pub async fn write_down(&self, endpoint: &Endpoint, url: &str) {
        let name = endpoint.key.clone();
        let written = match self.trouble_of(endpoint, url) {
            Some(trouble) => {
                let mut book = self.book.lock();
                if book.len() >= TROUBLES_MAX && !book.contains_key(&name) {
                    return;
                }
                book.insert(name, trouble.clone());
                drop(book);
                self.outbox.keep_trouble(trouble)
            }
            None => {
                if self.book.lock().remove(&name).is_none() {
                    return;
                }
                self.outbox.end_trouble(name)
            }
        };
        if let Err(error) = written.await {
            tracing::warn!(target: "tell", %error, "the state of an endpoint can't be written down");
        }
    }

    /// The ends of these events are durable.
    pub fn forget(&self, endpoint: &Arc<Endpoint>, lane: Lane, events: &[EventId]) {
        self.reading[lane.index()].note_told(events);
        let (forgotten, wants_filling) = {
            let mut state = endpoint.state();
            (state.forget(lane, events), state.wants_filling(lane))
        };
        self.drop_from_memory(forgotten);
        if wants_filling {
            self.reading[lane.index()].wanted.notify_one();
        }
    }

    /// So many events are no longer in memory.
    pub fn drop_from_memory(&self, events: usize) {
        self.in_memory.fetch_sub(events, Relaxed);
    }

    /// The figures at this moment.
    pub fn figures(&self) -> Figures {
        let mut figures = self.stats.figures();
        let endpoints = self.all();
        figures.queued = self.in_memory.load(Relaxed) as u64;
        figures.endpoints = endpoints.len() as u64;
        figures.endpoints_off = self.book.lock().values().filter(|known| known.off.is_some()).count() as u64;
        for endpoint in endpoints {
            let state = endpoint.state();
            figures.endpoints_down += u64::from(state.is_down());
            figures.endpoints_failing_hour += u64::from(state.trouble.warnings >= 1);
            figures.endpoints_failing_day += u64::from(state.trouble.warnings >= 2);
            let age = state.oldest_due().map_or(Duration::ZERO, |since| since.elapsed());
            figures.oldest_due_ms = figures.oldest_due_ms.max(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        }
        figures
    }
}

/// Recorded with events whose endpoint is not called any more.
pub fn off_text(reason: OffReason) -> &'static str {
    match reason {
        OffReason::Gone => "gone: the endpoint answered 410",
        OffReason::Failing => "off: the endpoint has done nothing but fail for five days",
    }
}

fn id_lane(id: EventId) -> usize {
    id.message.lane().index()
}
