//! Figures about webhooks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Upper bounds of the buckets of [`Figures::begin_ms`], milliseconds; the last bucket has none.
pub const BEGIN_BOUNDS_MS: [i64; 11] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];

/// Counters that rise while webhooks run.
#[derive(Debug, Default)]
pub struct Stats {
    pub(super) called: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) told: AtomicU64,
    pub(super) dead: AtomicU64,
    pub(super) left: AtomicU64,
    pub(super) in_flight: AtomicU64,
    begin_ms: [AtomicU64; BEGIN_BOUNDS_MS.len() + 1],
    begin_ms_sum: AtomicU64,
}

/// The figures at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Tries made.
    pub called: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Events told.
    pub told: u64,
    /// Events given up.
    pub dead: u64,
    /// Times an event was left in the store for lack of room, to be read again later.
    pub left: u64,
    /// Tries in progress.
    pub in_flight: u64,
    /// Events in memory.
    pub queued: u64,
    /// Endpoints with something waiting, or called lately.
    pub endpoints: u64,
    /// Endpoints that only get probes because they fail.
    pub endpoints_down: u64,
    /// Endpoints that are not called any more.
    pub endpoints_off: u64,
    /// Active endpoints that have done nothing but fail for an hour.
    pub endpoints_failing_hour: u64,
    /// Active endpoints that have done nothing but fail for a day.
    pub endpoints_failing_day: u64,
    /// How long the oldest event that could be told waits, milliseconds.
    pub oldest_due_ms: u64,
    /// Time from the outcome until its first call began: counts by [`BEGIN_BOUNDS_MS`], not cumulative.
    pub begin_ms: [u64; BEGIN_BOUNDS_MS.len() + 1],
    /// Sum of those times, milliseconds.
    pub begin_ms_sum: u64,
}

impl Stats {
    pub(super) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Relaxed);
    }

    /// The first call of an event began `waited_ms` after its outcome was reached.
    pub(super) fn begun(&self, waited_ms: i64) {
        let bucket = BEGIN_BOUNDS_MS.partition_point(|bound| *bound < waited_ms);
        self.begin_ms[bucket].fetch_add(1, Relaxed);
        self.begin_ms_sum.fetch_add(waited_ms.max(0).unsigned_abs(), Relaxed);
    }

    pub(super) fn figures(&self) -> Figures {
        Figures {
            called: self.called.load(Relaxed),
            failed: self.failed.load(Relaxed),
            told: self.told.load(Relaxed),
            dead: self.dead.load(Relaxed),
            left: self.left.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
            begin_ms: std::array::from_fn(|bucket| self.begin_ms[bucket].load(Relaxed)),
            begin_ms_sum: self.begin_ms_sum.load(Relaxed),
            ..Figures::default()
        }
    }
}
