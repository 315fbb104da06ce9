//! One span and the row of all of them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arc_swap::ArcSwap;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::Lane;
use parking_lot::{Mutex, RwLock};

use super::files::{SpanName, short_name};
use super::filter::Filters;
use super::index::HotIndex;
use crate::error::Damage;

/// What is counted of a span, kept in step with every commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Messages accepted into it.
    pub messages: u64,
    /// Incoming messages and parts in it.
    pub incoming: u64,
    /// Messages that wait, by the carrier they wait for and the account they are of.
    pub waiting: HashMap<(CarrierId, AccountId), u64>,
    /// Messages new or sent.
    pub open: u64,
}

/// A file of messages.
pub(crate) struct Span {
    pub name: SpanName,
    pub path: PathBuf,
    /// File name for messages.
    pub short_name: Arc<str>,
    /// Held by whoever writes: the lane's writer for a transaction, the checkpointer for its last step,
    /// the sealer for one index.
    pub gate: Mutex<()>,
    /// The memory index, until the span is sealed.
    pub hot: RwLock<Option<HotIndex>>,
    /// What the sealed span holds, once it is sealed.
    pub filters: Filters,
    pub counts: Mutex<Counts>,
    sealed: AtomicBool,
    /// Filters are being made: keys that come now must be noted apart.
    pub sealing: AtomicBool,
    /// The file says that keys came after its filter was made.
    pub late_noted: AtomicBool,
    /// A newer span takes this one's place.
    closed: AtomicBool,
    deleted: AtomicBool,
    /// Milliseconds of the monotonic clock at which the last fact came, and at which it was closed.
    last_fact_ms: AtomicI64,
    closed_ms: AtomicI64,
    began: Instant,
    /// The file is locked for longer: facts for it are put aside.
    pub building: AtomicBool,
    /// The file has been checked since the store opened.
    pub verified: AtomicBool,
    /// Commits since the log was last copied back in full.
    pub commits_pending: AtomicU64,
    /// Octets of the log in use.
    pub log_octets: AtomicU64,
    /// There may be events to be told here.
    pub untold: AtomicBool,
    /// There may be events here that were given up.
    pub dead: AtomicBool,
    /// The last place of an event in here.
    pub last_position: AtomicI64,
    damage: OnceLock<Damage>,
    bad_row: OnceLock<()>,
}

impl Span {
    /// A span in memory terms; the file exists.
    pub fn new(name: SpanName, path: PathBuf, hot: Option<HotIndex>, counts: Counts, filters: Filters) -> Self {
        let short_name: Arc<str> = short_name(&path).into();
        Self {
            name,
            path,
            short_name,
            gate: Mutex::new(()),
            sealed: AtomicBool::new(hot.is_none()),
            sealing: AtomicBool::new(false),
            late_noted: AtomicBool::new(false),
            hot: RwLock::new(hot),
            filters,
            counts: Mutex::new(counts),
            closed: AtomicBool::new(false),
            deleted: AtomicBool::new(false),
            last_fact_ms: AtomicI64::new(0),
            closed_ms: AtomicI64::new(i64::MAX),
            began: Instant::now(),
            building: AtomicBool::new(false),
            verified: AtomicBool::new(false),
            commits_pending: AtomicU64::new(1),
            log_octets: AtomicU64::new(0),
            untold: AtomicBool::new(true),
            dead: AtomicBool::new(true),
            last_position: AtomicI64::new(0),
            damage: OnceLock::new(),
            bad_row: OnceLock::new(),
        }
    }

    /// Whether its indexes are on disk.
    pub fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Acquire)
    }

    /// From now on the indexes on disk answer.
    pub fn set_sealed(&self) {
        self.sealed.store(true, Ordering::Release);
        *self.hot.write() = None;
    }

    /// Whether a newer span has begun.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// A newer span begins.
    pub fn close(&self) {
        self.closed_ms.store(self.elapsed_ms(), Ordering::Relaxed);
        self.closed.store(true, Ordering::Release);
    }

    /// Whether retention has taken the file away.
    pub fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// Retention takes the file away.
    pub fn set_deleted(&self) {
        self.deleted.store(true, Ordering::Release);
    }

    /// Notes that something was committed.
    pub fn touch(&self) {
        self.last_fact_ms.store(self.elapsed_ms(), Ordering::Relaxed);
        self.commits_pending.fetch_add(1, Ordering::Release);
    }

    /// How long nothing was committed.
    pub fn idle_ms(&self) -> i64 {
        self.elapsed_ms() - self.last_fact_ms.load(Ordering::Relaxed)
    }

    /// How long a newer span has been there; 0 if there is none.
    pub fn closed_ms(&self) -> i64 {
        self.elapsed_ms().saturating_sub(self.closed_ms.load(Ordering::Relaxed)).max(0)
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// The first damage found, if any.
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.get()
    }

    /// Marks the span as damaged; logged once.
    pub fn set_damaged(&self, place: &str) -> Damage {
        let damage = Damage { file: Arc::clone(&self.short_name), place: place.into() };
        if self.damage.set(damage.clone()).is_ok() {
            tracing::error!(target: "store", "{damage}: it is not served from any more; run `check` and `repair`");
        }
        damage
    }

    /// Notes a row that is not what was written; logged once per span.
    pub fn note_bad_row(&self, place: &str) -> Damage {
        let damage = Damage { file: Arc::clone(&self.short_name), place: place.into() };
        if self.bad_row.set(()).is_ok() {
            tracing::error!(target: "store", "{damage}: the row is not served; run `check` and `repair`");
        }
        damage
    }

    /// How many messages of `account` wait for `carrier` here.
    pub fn waiting_for(&self, carrier: CarrierId, account: AccountId) -> u64 {
        self.counts.lock().waiting.get(&(carrier, account)).copied().unwrap_or(0)
    }

    /// How many of its messages wait.
    pub fn waiting(&self) -> u64 {
        self.counts.lock().waiting.values().sum()
    }
}

/// All spans of both lanes, by first id.
#[derive(Default)]
pub(crate) struct Spans {
    lanes: [RwLock<BTreeMap<i64, Arc<Span>>>; 2],
    newest_first: ArcSwap<Vec<Arc<Span>>>,
}

impl Spans {
    /// Adds a span; the one before it gets nothing new any more.
    pub fn add(&self, span: Arc<Span>) {
        {
            let mut lane = self.lanes[span.name.lane.index()].write();
            if let Some((_, before)) = lane.range(..span.name.first.0).next_back() {
                before.close();
            }
            if lane.range(span.name.first.0..).next().is_some() {
                span.close();
            }
            lane.insert(span.name.first.0, span);
        }
        self.list();
    }

    /// Takes a span out.
    pub fn remove(&self, name: SpanName) {
        self.lanes[name.lane.index()].write().remove(&name.first.0);
        self.list();
    }

    fn list(&self) {
        let mut spans: Vec<Arc<Span>> = Lane::ALL.into_iter().flat_map(|lane| self.of_lane(lane)).collect();
        spans.sort_unstable_by_key(|span| std::cmp::Reverse(span.name.first));
        self.newest_first.store(Arc::new(spans));
    }

    /// The span a message belongs to: the last one that begins at or before it.
    pub fn of(&self, id: MessageId) -> Option<Arc<Span>> {
        self.lanes[id.lane().index()].read().range(..=id.0).next_back().map(|(_, span)| Arc::clone(span))
    }

    /// The span that takes a lane's new messages.
    pub fn newest(&self, lane: Lane) -> Option<Arc<Span>> {
        self.lanes[lane.index()].read().values().next_back().cloned()
    }

    /// All spans of a lane, oldest first.
    pub fn of_lane(&self, lane: Lane) -> Vec<Arc<Span>> {
        self.lanes[lane.index()].read().values().cloned().collect()
    }

    /// Spans of a lane that can hold ids greater than `after` and that `wanted` says yes to, oldest first.
    pub fn of_lane_after(&self, lane: Lane, after: MessageId, wanted: impl Fn(&Span) -> bool) -> Vec<Arc<Span>> {
        let lane = self.lanes[lane.index()].read();
        let first = lane.range(..=after.0).next_back().map_or(after.0, |(first, _)| *first);
        lane.range(first..).map(|(_, span)| span).filter(|span| wanted(span)).cloned().collect()
    }

    /// All spans of both lanes, newest first.
    pub fn newest_first(&self) -> Arc<Vec<Arc<Span>>> {
        self.newest_first.load_full()
    }

    /// The first id that a span cannot hold: where the next one begins.
    pub fn end_of(&self, span: &Span) -> Option<MessageId> {
        let lane = self.lanes[span.name.lane.index()].read();
        lane.range(span.name.first.0 + 1..).next().map(|(first, _)| MessageId(*first))
    }
}
