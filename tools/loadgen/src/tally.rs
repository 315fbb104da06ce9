//! Counting while the run goes on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Three digits: a thousandth of the value is finer than any run repeats.
const DIGITS: u8 = 3;

/// What the run has done so far, for anyone to look at.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub(crate) sent: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) no_answer: AtomicU64,
}

impl Live {
    pub(crate) fn add(counter: &AtomicU64) {
        // One writer only, so that a plain load and store are enough.
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// Everything that becomes the report.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) by_status: BTreeMap<u16, u64>,
    pub(crate) no_answer: u64,
    pub(crate) sent: u64,
    pub(crate) bad_bodies: u64,
    pub(crate) reconnects: u64,
    pub(crate) standard: Histogram<u64>,
    pub(crate) priority: Histogram<u64>,
    pub(crate) send_delay: Histogram<u64>,
    pub(crate) last_answer_at: Option<Instant>,
}

impl Tally {
    /// `None` only if the histogram library refuses its own defaults.
    pub(crate) fn new() -> Option<Self> {
        let histogram = || Histogram::new(DIGITS).ok();
        Some(Self {
            by_status: BTreeMap::new(),
            no_answer: 0,
            sent: 0,
            bad_bodies: 0,
            reconnects: 0,
            standard: histogram()?,
            priority: histogram()?,
            send_delay: histogram()?,
            last_answer_at: None,
        })
    }

    pub(crate) fn sent(&mut self, delay: Duration) {
        self.sent += 1;
        record(&mut self.send_delay, delay);
    }

    pub(crate) fn answered(&mut self, status: u16, priority: bool, latency: Duration, now: Instant) {
        *self.by_status.entry(status).or_default() += 1;
        let histogram = if priority { &mut self.priority } else { &mut self.standard };
        record(histogram, latency);
        self.last_answer_at = Some(now);
    }
}

fn record(histogram: &mut Histogram<u64>, value: Duration) {
    // The histogram grows by itself (`saturating_record` would cut the value instead), so that this cannot fail.
    let _ = histogram.record(microseconds(value));
}

pub(crate) fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
