//! How an endpoint answered lately, and the circuit breaker that follows from it.

use std::time::Duration;

use tokio::time::Instant;

use super::bounds::{CALLS_TO_JUDGE, HEALTH_BUCKET, HEALTH_BUCKETS, PROBE_PAUSE, SLOW_CALL};

/// The calls of a stretch of time.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    number: u64,
    calls: u32,
    failures: u32,
    slow: u32,
}

/// What a call changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    None,
    /// From now on the endpoint only gets probes.
    Opened,
    /// It works again.
    Closed,
}

/// The calls of the last minute. The breaker opens when half of them failed, or when one in twenty took
/// longer than [`SLOW_CALL`] (which is to say that the 95th percentile does). While it is open one probe goes
/// out every [`PROBE_PAUSE`]; the first that succeeds in good time closes it.
#[derive(Debug)]
pub struct Health {
    began: Instant,
    buckets: [Bucket; HEALTH_BUCKETS],
    next_probe: Option<Instant>,
    last_failed: bool,
}

impl Health {
    /// Of an endpoint that was not called yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { began: now, buckets: [Bucket::default(); HEALTH_BUCKETS], next_probe: None, last_failed: false }
    }

    /// Whether only probes may go out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.next_probe.is_some()
    }

    /// Whether the last call failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.last_failed
    }

    /// When the next probe may go out; `None` while everything may.
    #[must_use]
    pub fn next_probe(&self) -> Option<Instant> {
        self.next_probe
    }

    /// A probe goes out now.
    pub fn probed(&mut self, now: Instant) {
        if let Some(next) = &mut self.next_probe {
            *next = now + PROBE_PAUSE;
        }
    }

    /// Only probes may go out from now on, the first at once: the endpoint was off until now.
    pub fn open_for_probe(&mut self, now: Instant) {
        self.next_probe = Some(now);
    }

    /// A call ended.
    pub fn note(&mut self, now: Instant, failed: bool, took: Duration) -> Turn {
        self.last_failed = failed;
        let slow = took > SLOW_CALL;
        if self.is_open() {
            if failed || slow {
                return Turn::None;
            }
            *self = Self { last_failed: false, ..Self::new(now) };
            return Turn::Closed;
        }
        let number = self.number(now);
        let bucket = &mut self.buckets[usize::try_from(number).unwrap_or(0) % HEALTH_BUCKETS];
        if bucket.number != number {
            *bucket = Bucket { number, ..Bucket::default() };
        }
        bucket.calls += 1;
        bucket.failures += u32::from(failed);
        bucket.slow += u32::from(slow);
        if !self.is_bad(number) {
            return Turn::None;
        }
        self.next_probe = Some(now + PROBE_PAUSE);
        Turn::Opened
    }

    fn is_bad(&self, number: u64) -> bool {
        let recent = self.buckets.iter().filter(|bucket| bucket.number + (HEALTH_BUCKETS as u64) > number);
        let (calls, failures, slow) =
            recent.fold((0, 0, 0), |sum, bucket| (sum.0 + bucket.calls, sum.1 + bucket.failures, sum.2 + bucket.slow));
        calls >= CALLS_TO_JUDGE && (failures * 2 >= calls || slow * 20 > calls)
    }

    fn number(&self, now: Instant) -> u64 {
        now.duration_since(self.began).as_secs() / HEALTH_BUCKET.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(20);

    fn after(calls: &[(bool, Duration)]) -> (Health, Instant) {
        let now = Instant::now();
        let mut health = Health::new(now);
        for (failed, took) in calls {
            health.note(now, *failed, *took);
        }
        (health, now)
    }

    #[test]
    fn it_opens_when_half_of_the_calls_failed_and_not_before_there_are_enough() {
        assert!(!after(&[(true, QUICK); 4]).0.is_open());
        assert!(after(&[(true, QUICK); 5]).0.is_open());
        let mixed: Vec<_> = (0..100).map(|number| (number % 2 == 1, QUICK)).collect();
        assert!(!after(&mixed[..5]).0.is_open(), "two of five");
        assert!(after(&mixed[..6]).0.is_open(), "three of six");
    }

    #[test]
    fn it_opens_when_one_in_twenty_is_slow() {
        let slow = SLOW_CALL + QUICK;
        let mut calls = vec![(false, QUICK); 39];
        calls.insert(0, (false, slow));
        assert!(!after(&calls).0.is_open(), "one of forty, once there are five");
        let mut calls = vec![(false, QUICK); 40];
        calls.extend([(false, slow), (false, slow)]);
        assert!(!after(&calls).0.is_open());
        calls.push((false, slow));
        assert!(after(&calls).0.is_open());
    }

    #[test]
    fn what_is_older_than_a_minute_is_forgotten() {
        let (mut health, now) = after(&[(true, QUICK); 4]);
        let later = now + HEALTH_BUCKET * u32::try_from(HEALTH_BUCKETS).unwrap();
        assert_eq!(health.note(later, true, QUICK), Turn::None);
        assert!(!health.is_open());
    }

    #[test]
    fn one_good_probe_closes_it_and_a_slow_one_does_not() {
        let (mut health, now) = after(&[(true, QUICK); 5]);
        assert_eq!(health.next_probe(), Some(now + PROBE_PAUSE));
        health.probed(now + PROBE_PAUSE);
        assert_eq!(health.next_probe(), Some(now + PROBE_PAUSE * 2));
        assert_eq!(health.note(now, false, SLOW_CALL * 2), Turn::None);
        assert_eq!(health.note(now, false, QUICK), Turn::Closed);
        assert!(!health.is_open() && !health.is_failing());
        assert_eq!(health.note(now, true, QUICK), Turn::None, "it begins anew");
    }
}
