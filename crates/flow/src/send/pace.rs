//! How many parts per second a carrier may be given, over all its binds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::lane::Lane;

/// How far ahead of its rate bulk may run: enough to fill a window at once, too little to be noticed
/// in any one second.
const BULK_AHEAD_US: u64 = 20_000;
/// The Priority lane may run this much further ahead: tokens that bulk can't spend. Bulk pays them back
/// by waiting, so that the rate holds over time.
const PRIORITY_AHEAD_US: u64 = 50_000;
/// Share of the rate that bulk gets however much the Priority lane has to send, as 1/n.
const BULK_FLOOR: u64 = 20;

/// A rate limit (generic cell rate algorithm) shared by the binds of a carrier.
#[derive(Debug)]
pub(super) struct Pace {
    started: Instant,
    /// Time per part in nanoseconds; 0 = no limit.
    part_ns: u64,
    /// When all parts given so far will have been worked off, nanoseconds since the start.
    arrival_ns: AtomicU64,
    /// When bulk gets a part whatever was given before, nanoseconds since the start.
    floor_due_ns: AtomicU64,
}

impl Pace {
    pub(super) fn new(parts_per_second: u32) -> Self {
        let part_ns = 1_000_000_000_u64.checked_div(u64::from(parts_per_second)).unwrap_or(0);
        Self { started: Instant::now(), part_ns, arrival_ns: AtomicU64::new(0), floor_due_ns: AtomicU64::new(0) }
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Takes up to `wanted` parts out of the rate; fewer means: come back after [`Pace::wait`].
    pub(super) fn take(&self, lane: Lane, wanted: usize) -> usize {
        self.take_at(self.now_ns(), lane, wanted)
    }

    fn take_at(&self, now_ns: u64, lane: Lane, wanted: usize) -> usize {
        if self.part_ns == 0 {
            return wanted;
        }
        let ahead_us = if lane == Lane::Priority { BULK_AHEAD_US + PRIORITY_AHEAD_US } else { BULK_AHEAD_US };
        let limit = now_ns + (ahead_us * 1_000).max(self.part_ns);
        let mut granted = 0;
        let advance = |arrival: u64| {
            let from = arrival.max(now_ns);
            let fits = (limit.saturating_sub(from) / self.part_ns).min(wanted as u64);
            granted = usize::try_from(fits).unwrap_or(usize::MAX);
            (fits > 0).then(|| from + fits * self.part_ns)
        };
        _ = self.arrival_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance);
        if lane == Lane::Standard && wanted > 0 { self.keep_floor(now_ns, granted) } else { granted }
    }

    /// Bulk that was given nothing for the time of its floor gets one part all the same, and everybody
    /// waits for it.
    fn keep_floor(&self, now_ns: u64, granted: usize) -> usize {
        let next_ns = now_ns + self.part_ns * BULK_FLOOR;
        if granted > 0 {
            self.floor_due_ns.store(next_ns, Ordering::Relaxed);
            return granted;
        }
        let is_due = |due_ns| (due_ns <= now_ns).then_some(next_ns);
        if self.floor_due_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_err() {
            return 0;
        }
        self.arrival_ns.fetch_add(self.part_ns, Ordering::Relaxed);
        1
    }

    /// Parts that were taken out and not sent after all go back.
    pub(super) fn give_back(&self, parts: usize) {
        self.arrival_ns.fetch_sub(self.part_ns * parts as u64, Ordering::Relaxed);
    }

    /// How long until another part fits.
    pub(super) fn wait(&self, lane: Lane) -> Duration {
        let now_ns = self.now_ns();
        let ahead_us = if lane == Lane::Priority { BULK_AHEAD_US + PRIORITY_AHEAD_US } else { BULK_AHEAD_US };
        let limit_ns = (ahead_us * 1_000).max(self.part_ns);
        let backlog_ns = self.arrival_ns.load(Ordering::Relaxed).saturating_sub(now_ns);
        let mut room_ns = (backlog_ns + self.part_ns).saturating_sub(limit_ns);
        if lane == Lane::Standard {
            room_ns = room_ns.min(self.floor_due_ns.load(Ordering::Relaxed).saturating_sub(now_ns));
        }
        Duration::from_nanos(room_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks every millisecond for ten seconds and counts what is given.
    fn given(pace: &Pace, lane: Lane, from_ms: u64) -> usize {
        (from_ms..from_ms + 10_000).map(|ms| pace.take_at(ms * 1_000_000, lane, 5)).sum()
    }

    #[test]
    fn a_rate_is_kept_over_time() {
        let pace = Pace::new(100);
        let parts = given(&pace, Lane::Standard, 0);
        assert!((1_000..=1_005).contains(&parts), "{parts}");
    }

    #[test]
    fn priority_gets_in_although_bulk_has_spent_the_rate_and_bulk_pays_it_back() {
        let pace = Pace::new(100);
        for ms in 0..1_000 {
            pace.take_at(ms * 1_000_000, Lane::Standard, 100);
        }
        let at = 1_000_000_000;
        pace.take_at(at, Lane::Standard, 100);
        assert_eq!(pace.take_at(at, Lane::Standard, 1), 0);
        assert_eq!(pace.take_at(at, Lane::Priority, 1), 1);
        let bulk = given(&pace, Lane::Standard, 1_000);
        assert!((990..1_000).contains(&bulk), "{bulk}");
    }

    #[test]
    fn bulk_keeps_its_floor_while_the_priority_lane_takes_everything() {
        let pace = Pace::new(100);
        let (mut codes, mut bulk) = (0, 0);
        for ms in 0..60_000 {
            codes += pace.take_at(ms * 1_000_000, Lane::Priority, 10);
            bulk += pace.take_at(ms * 1_000_000, Lane::Standard, 10);
        }
        assert!((295..=310).contains(&bulk), "{bulk} of 6000");
        assert!((5_990..=6_010).contains(&(codes + bulk)), "{codes} and {bulk}: the rate holds");
    }

    #[test]
    fn the_priority_lane_has_the_rate_back_at_once() {
        let pace = Pace::new(100);
        for ms in 0..5_000 {
            pace.take_at(ms * 1_000_000, Lane::Standard, 100);
        }
        let codes: usize = (5_000..5_100).map(|ms| pace.take_at(ms * 1_000_000, Lane::Priority, 100)).sum();
        assert!(codes >= 14, "{codes} of the 10 that fit and the 5 that wait");
    }

    #[test]
    fn no_limit_gives_everything_and_a_slow_rate_gives_one_at_a_time() {
        assert_eq!(Pace::new(0).take_at(5, Lane::Standard, 1_000), 1_000);
        let slow = Pace::new(1);
        assert_eq!(slow.take_at(0, Lane::Standard, 10), 1);
        assert_eq!(slow.take_at(900_000_000, Lane::Standard, 10), 0);
        assert_eq!(slow.take_at(1_000_000_000, Lane::Standard, 10), 1);
    }
}
