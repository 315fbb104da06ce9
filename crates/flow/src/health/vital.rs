//! What is seen of one carrier.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use domain::clock::UnixMillis;
use domain::id::MessageId;
use domain::lane::Lane;
use hashbrown::HashMap;
use parking_lot::Mutex;

use super::bounds;
use super::judge::Trouble;

/// One carrier's signs of life. Written by its binds and by what comes back, read by route planning.
#[derive(Debug)]
pub struct Vital {
    /// Hundredths of the traffic that it is given where there is another way, by lane.
    shares: [AtomicU8; 2],
    /// [`Trouble`] by its number, by lane.
    troubles: [AtomicU8; 2],
    /// When the next message may try a carrier without a share, Unix milliseconds, by lane.
    probe_at: [AtomicI64; 2],
    answered: AtomicU64,
    failed: AtomicU64,
    answer_ms: AtomicU64,
    receipts: Mutex<Receipts>,
    /// Parts that the operator took, by lane.
    pub parts_taken: [AtomicU64; 2],
    /// Parts that the operator refused, for good or for now, by lane.
    pub parts_refused: [AtomicU64; 2],
}

#[derive(Debug, Default)]
struct Receipts {
    watched: HashMap<MessageId, UnixMillis>,
    /// Whether the last ones were slow.
    slow: VecDeque<bool>,
}

/// Sums of what a carrier's binds have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub answered: u64,
    pub failed: u64,
    pub answer_ms: u64,
}

impl Default for Vital {
    fn default() -> Self {
        Self {
            shares: [AtomicU8::new(100), AtomicU8::new(100)],
            troubles: Default::default(),
            probe_at: Default::default(),
            answered: AtomicU64::default(),
            failed: AtomicU64::default(),
            answer_ms: AtomicU64::default(),
            receipts: Mutex::default(),
            parts_taken: Default::default(),
            parts_refused: Default::default(),
        }
    }
}

impl Vital {
    /// Hundredths of the traffic that the carrier is given where there is another way.
    #[must_use]
    pub fn share(&self, lane: Lane) -> u8 {
        self.shares[lane.index()].load(Ordering::Relaxed)
    }

    /// What is wrong with it, if its share is not full.
    #[must_use]
    pub fn trouble(&self, lane: Lane) -> Trouble {
        Trouble::from_number(self.troubles[lane.index()].load(Ordering::Relaxed))
    }

    /// Gives it a share; true if that is another one than before.
    pub(crate) fn set(&self, lane: Lane, share: u8, trouble: Trouble) -> bool {
        self.troubles[lane.index()].store(trouble as u8, Ordering::Relaxed);
        self.shares[lane.index()].swap(share, Ordering::Relaxed) != share
    }

    /// Whether this message may try the carrier although it has no share: one at a time may.
    pub(crate) fn probe(&self, lane: Lane, now: UnixMillis) -> bool {
        if self.trouble(lane) == Trouble::Down {
            return false;
        }
        let due = |at: i64| (at <= now.0).then_some(now.0 + bounds::PROBE_EVERY_MS);
        self.probe_at[lane.index()].fetch_update(Ordering::Relaxed, Ordering::Relaxed, due).is_ok()
    }

    /// The operator answered: it took a part, or refused it for a reason that lies with the part.
    pub fn answered(&self, count: usize, round_trips: Duration) {
        self.answered.fetch_add(count as u64, Ordering::Relaxed);
        self.answer_ms.fetch_add(u64::try_from(round_trips.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The operator refused parts for reasons of its own, or did not answer in time.
    pub fn failed(&self, count: usize) {
        self.failed.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn sums(&self) -> Sums {
        Sums {
            answered: self.answered.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            answer_ms: self.answer_ms.load(Ordering::Relaxed),
        }
    }

    /// The operator took a message; some of them are watched for their receipts.
    pub fn taken(&self, id: MessageId, at: UnixMillis) {
        if is_watched(id) {
            let mut receipts = self.receipts.lock();
            if receipts.watched.len() < bounds::RECEIPTS_WATCHED_MAX {
                receipts.watched.insert(id, at);
            }
        }
    }

    /// A receipt of a message came.
    pub fn reported(&self, id: MessageId, at: UnixMillis) {
        if is_watched(id) {
            let mut receipts = self.receipts.lock();
            if let Some(taken_at) = receipts.watched.remove(&id) {
                receipts.note(at.since_ms(taken_at) > bounds::RECEIPT_SLOW_MS);
            }
        }
    }

    /// Slow receipts in hundredths, if there are enough to tell.
    pub(super) fn slow_receipts(&self, now: UnixMillis) -> Option<usize> {
        let mut receipts = self.receipts.lock();
        let overdue = |at: &UnixMillis| now.since_ms(*at) > bounds::RECEIPT_SLOW_MS;
        let given_up = receipts.watched.extract_if(|_, at| overdue(at)).count();
        (0..given_up).for_each(|_| receipts.note(true));
        let known = receipts.slow.len();
        (known >= bounds::RECEIPTS_MIN).then(|| receipts.slow.iter().filter(|slow| **slow).count() * 100 / known)
    }

    /// The share was taken down for its receipts: what was seen before says nothing of how it goes on.
    pub(super) fn forget_receipts(&self) {
        let mut receipts = self.receipts.lock();
        receipts.slow.clear();
        receipts.watched.clear();
    }
}

impl Receipts {
    fn note(&mut self, slow: bool) {
        if self.slow.len() == bounds::RECEIPTS_REMEMBERED {
            self.slow.pop_front();
        }
        self.slow.push_back(slow);
    }
}

/// Spread over the ids by a hash: their low bits are counters.
fn is_watched(id: MessageId) -> bool {
    (id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()) >> 40) % bounds::RECEIPT_SAMPLE == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_messages_is_watched_for_slow_and_missing_receipts() {
        let (vital, at) = (Vital::default(), UnixMillis(1_800_000_000_000));
        let ids: Vec<MessageId> = (0..2_000).map(|number| MessageId(number << 6)).collect();
        let watched: Vec<MessageId> = ids.iter().copied().filter(|id| is_watched(*id)).collect();
        assert!((60..250).contains(&watched.len()), "{} of 2000", watched.len());
        ids.iter().for_each(|id| vital.taken(*id, at));
        assert_eq!(vital.slow_receipts(at), None);
        watched.iter().take(40).for_each(|id| vital.reported(*id, at.plus_ms(1_000)));
        assert_eq!(vital.slow_receipts(at.plus_ms(2_000)), Some(0));
        // The others never come.
        let slow = vital.slow_receipts(at.plus_ms(bounds::RECEIPT_SLOW_MS + 1)).expect("enough");
        assert!(slow > 30, "{slow}");
    }

    #[test]
    fn one_probe_at_a_time_and_none_while_down() {
        let (vital, at) = (Vital::default(), UnixMillis(1_800_000_000_000));
        vital.set(Lane::Standard, 0, Trouble::Refusing);
        assert!(vital.probe(Lane::Standard, at));
        assert!(!vital.probe(Lane::Standard, at.plus_ms(bounds::PROBE_EVERY_MS - 1)));
        assert!(vital.probe(Lane::Priority, at), "lanes are apart");
        assert!(vital.probe(Lane::Standard, at.plus_ms(bounds::PROBE_EVERY_MS)));
        vital.set(Lane::Standard, 0, Trouble::Down);
        assert!(!vital.probe(Lane::Standard, at.plus_ms(100_000)));
    }
}
