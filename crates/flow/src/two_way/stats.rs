//! What two-way has seen so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// What two-way has seen so far.
#[derive(Debug, Default)]
pub struct Stats {
    /// Messages given to an owner.
    pub messages: AtomicU64,
    /// Parts of long messages.
    pub parts: AtomicU64,
    /// Parts that came again.
    pub repeats: AtomicU64,
    /// Long messages told as far as they came.
    pub incomplete: AtomicU64,
    /// Parts that came after that.
    pub late_parts: AtomicU64,
    /// Messages whose number and keyword nobody owns.
    pub unowned: AtomicU64,
    /// Messages with headers that make no sense.
    pub flawed: AtomicU64,
    /// People who wrote STOP or a word like it.
    pub stops: AtomicU64,
    /// People who wrote START or a word like it.
    pub starts: AtomicU64,
    /// Answers that were accepted.
    pub answers: AtomicU64,
    /// Answers that were refused: no balance, no route, opted out …
    pub answers_refused: AtomicU64,
    /// Messages not answered by the loop guard or the rate limit.
    pub silenced: AtomicU64,
    /// Webhook answers whose reply could not be read.
    pub replies_unreadable: AtomicU64,
}

pub(super) fn count(stat: &AtomicU64) {
    stat.fetch_add(1, Ordering::Relaxed);
}
