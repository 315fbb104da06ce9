//! What the threads of the store share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use domain::clock::Clock;
use domain::id::{AccountId, IdGenerator};
use domain::money::Money;
use parking_lot::{Condvar, Mutex};

use super::connections::Connections;
use super::dedup::InFlight;
use super::disk::Disk;
use super::files::Layout;
use super::filter::FilterBudget;
use super::late_keys::LateKeys;
use super::parked::ParkedIndex;
use super::people::People;
use super::span::Spans;
use crate::control::ControlDb;
use crate::late::Patience;
use crate::options::Options;
use crate::watcher::Watcher;
use crate::webhooks::WebhookDb;

/// Upper bounds of the commit time histogram, in microseconds.
pub(crate) const COMMIT_BOUNDS: [u64; 14] =
    [250, 500, 1_000, 2_000, 4_000, 6_000, 10_000, 15_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, u64::MAX];

/// What a lane's writer counts.
#[derive(Default)]
pub(crate) struct LaneMetrics {
    pub commits: AtomicU64,
    pub facts: AtomicU64,
    pub microseconds_sum: AtomicU64,
    buckets: [AtomicU64; COMMIT_BOUNDS.len()],
}

impl LaneMetrics {
    /// Notes a commit.
    pub fn committed(&self, facts: u64, took: Duration) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.facts.fetch_add(facts, Ordering::Relaxed);
        self.microseconds_sum.fetch_add(microseconds, Ordering::Relaxed);
        let bucket = COMMIT_BOUNDS.iter().position(|bound| microseconds <= *bound).unwrap_or(COMMIT_BOUNDS.len() - 1);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// The histogram, cumulative.
    pub fn histogram(&self) -> Vec<(u64, u64)> {
        let mut sum = 0;
        let counted = COMMIT_BOUNDS.iter().zip(&self.buckets).map(|(bound, count)| {
            sum += count.load(Ordering::Relaxed);
            (*bound, sum)
        });
        counted.collect()
    }
}

/// What the threads of the store share.
pub(crate) struct Shared {
    pub options: Options,
    pub clock: Clock,
    pub layout: Layout,
    pub ids: IdGenerator,
    pub control: Arc<ControlDb>,
    pub spans: Spans,
    pub watcher: OnceLock<Arc<dyn Watcher>>,
    pub in_flight: InFlight,
    pub parked: ParkedIndex,
    pub people: People,
    pub late_keys: LateKeys,
    /// Parked receipts whose time is over.
    pub orphans_expired: AtomicU64,
    /// Operator ids that were given again while memory knew the first message.
    pub operator_ids_reused: AtomicU64,
    pub disk: Disk,
    pub filter_budget: FilterBudget,
    pub connections: Connections,
    pub metrics: [LaneMetrics; 2],
    /// Of those whose requests are being kept.
    pub patience: Patience,
    pub spent: Mutex<HashMap<AccountId, Money>>,
    /// What is remembered of endpoints and attempts.
    pub webhooks: WebhookDb,
    /// By lane: up to here every event is durable and can be found.
    pub log_ends: [AtomicI64; 2],
    /// The store is being closed.
    pub closing: Mutex<bool>,
    pub closed: Condvar,
    /// A write failed: nothing may be written any more.
    pub failed: AtomicBool,
}

impl Shared {
    /// Whether the store is being closed.
    pub fn is_closing(&self) -> bool {
        *self.closing.lock()
    }

    /// Whether a write failed.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// A write or sync failed: what the disk holds is not known any more, so nothing may be promised
    /// again. The process ends at once; the next start recovers from the log.
    pub fn disk_failed(&self, file: &str, error: &str) {
        self.failed.store(true, Ordering::Release);
        tracing::error!(target: "store", file, error, "the disk failed to keep data; leaving at once, a restart recovers what was promised");
        (self.options.hooks.exit)(70);
    }

    /// Sleeps, but not longer than until the store is closed. True while the store is open.
    pub fn pause(&self, length: Duration) -> bool {
        let mut closing = self.closing.lock();
        if !*closing {
            self.closed.wait_for(&mut closing, length);
        }
        !*closing
    }

    /// Has the threads in the background stop; false if they were told before.
    pub fn begin_closing(&self) -> bool {
        let was_closing = std::mem::replace(&mut *self.closing.lock(), true);
        self.closed.notify_all();
        !was_closing
    }

    /// Names a step to whoever watches in tests.
    pub fn step(&self, name: &str) {
        (self.options.hooks.step)(name);
    }
}
