//! Stops asking an operator whose every answer is "system error", and finds out when it is well again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// The status that counts: one message or the whole operator, and only the number tells.
pub(super) const RSYSERR: u32 = 0x08;
/// So many of them …
const FAILURES: usize = 20;
/// … within this time open it.
const WITHIN: Duration = Duration::from_secs(10);
/// How long nothing is sent before the first probe; doubles with each probe that fails.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
/// The longest such pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A probe whose answer does not come in this time is not waited for.
const PROBE: Duration = Duration::from_secs(30);

/// The breaker of one carrier. Times are counted from any fixed moment.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Whether nothing but probes is sent, for those who only look.
    open: AtomicBool,
    /// How often it opened.
    opened: AtomicU64,
    /// Other answers so far.
    well: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the last failures were, and how many other answers there had been.
    failures: VecDeque<(Duration, u64)>,
    /// While it is open: no probe before.
    probe_at: Duration,
    /// A probe is out.
    probing: bool,
    /// The pause after which the next probe comes.
    pause: Duration,
}

impl Breaker {
    /// How many of `wanted` parts may be sent: all, none, or one as a probe.
    pub(super) fn permits(&self, now: Duration, wanted: usize) -> usize {
        if !self.is_open() {
            return wanted;
        }
        let mut state = self.state.lock();
        if now < state.probe_at || wanted == 0 {
            return 0;
        }
        (state.probing, state.probe_at) = (true, now + PROBE);
        1
    }

    /// A permitted part was not sent after all: the next one is the probe.
    pub(super) fn unused(&self, now: Duration) {
        if self.is_open() {
            let mut state = self.state.lock();
            (state.probing, state.probe_at) = (false, now);
        }
    }

    /// How long until a probe may be sent.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        if self.is_open() { self.state.lock().probe_at.saturating_sub(now) } else { Duration::ZERO }
    }

    /// So many parts were answered otherwise. True when a probe among them closed the breaker.
    pub(super) fn succeeded(&self, parts: usize) -> bool {
        self.well.fetch_add(parts as u64, Ordering::Relaxed);
        if !self.is_open() {
            return false;
        }
        let mut state = self.state.lock();
        // What was sent before it opened says nothing about now.
        if !state.probing {
            return false;
        }
        *state = State::default();
        self.open.store(false, Ordering::Relaxed);
        true
    }

    /// A part was answered with a system error. True when this opened the breaker.
    pub(super) fn failed(&self, now: Duration) -> bool {
        let mut state = self.state.lock();
        if self.is_open() {
            if state.probing {
                state.pause = (state.pause * 2).min(PAUSE_MAX);
                (state.probing, state.probe_at) = (false, now + state.pause);
            }
            return false;
        }
        let well = self.well.load(Ordering::Relaxed);
        state.failures.push_back((now, well));
        while state.failures.front().is_some_and(|(first, _)| now.saturating_sub(*first) > WITHIN) {
            state.failures.pop_front();
        }
        let well_meanwhile = state.failures.front().map_or(0, |(_, before)| well.saturating_sub(*before));
        if state.failures.len() > FAILURES {
            state.failures.pop_front();
        }
        // Among many good answers a few errors are about single messages, however many there are in all.
        if state.failures.len() < FAILURES || well_meanwhile >= FAILURES as u64 {
            return false;
        }
        state.failures.clear();
        (state.pause, state.probe_at) = (PAUSE_FIRST, now + PAUSE_FIRST);
        self.open.store(true, Ordering::Relaxed);
        self.opened.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Whether nothing but probes is sent.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// How often it opened.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn opened() -> Breaker {
        let breaker = Breaker::default();
        let opened = (0..20).filter(|index| breaker.failed(ms(index * 100))).count();
        assert_eq!(opened, 1, "the twentieth opens it");
        breaker
    }

    #[test]
    fn twenty_errors_in_ten_seconds_open_it_and_fewer_do_not() {
        let breaker = Breaker::default();
        assert!((0..100).all(|index| !breaker.failed(ms(index * 550))), "one every 550 ms is 19 in 10 s");
        assert_eq!(breaker.permits(ms(55_000), 100), 100);
        assert_eq!(opened().permits(ms(2_000), 100), 0);
    }

    #[test]
    fn single_messages_that_fail_among_many_good_ones_do_not_open_it() {
        let breaker = Breaker::default();
        for index in 0..1_000 {
            breaker.succeeded(2);
            assert!(!breaker.failed(ms(index)));
        }
    }

    #[test]
    fn one_probe_closes_it_or_doubles_the_pause() {
        let breaker = opened();
        let opened_at = 1_900;
        assert_eq!(breaker.permits(ms(opened_at + 4_999), 100), 0);
        assert_eq!(breaker.permits(ms(opened_at + 5_000), 100), 1);
        assert_eq!(breaker.permits(ms(opened_at + 5_001), 100), 0, "one probe at a time");
        breaker.failed(ms(opened_at + 5_100));
        assert_eq!(breaker.wait(ms(opened_at + 5_100)), ms(10_000));
        assert_eq!(breaker.permits(ms(opened_at + 15_100), 100), 1);
        assert!(breaker.succeeded(1));
        assert_eq!(breaker.permits(ms(opened_at + 15_200), 100), 100);
        assert_eq!((breaker.is_open(), breaker.opened()), (false, 1));
    }

    #[test]
    fn answers_to_what_was_under_way_change_nothing() {
        let breaker = opened();
        for index in 0..100 {
            assert!(!breaker.failed(ms(1_900 + index)) && !breaker.succeeded(1));
        }
        assert_eq!(breaker.permits(ms(6_900), 100), 1, "the pause is not longer for it");
    }

    #[test]
    fn a_lost_probe_is_followed_by_another_and_an_unused_one_is_not_lost() {
        let breaker = opened();
        assert_eq!(breaker.permits(ms(7_000), 9), 1);
        assert_eq!(breaker.permits(ms(36_999), 9), 0);
        assert_eq!(breaker.permits(ms(37_000), 9), 1);
        breaker.unused(ms(37_000));
        assert_eq!(breaker.permits(ms(37_000), 9), 1);
    }
}
