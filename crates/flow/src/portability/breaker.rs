//! Leaves a service alone that fails, and finds out when it is well again.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::bounds::{FAILURES_MAX, PAUSE};

/// Open after so many failures in a row, for a while; then one call tries how the service does.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// While it is open: no call before.
    probe_at: Option<Instant>,
}

impl Breaker {
    /// Whether a call may be made now. Where it is open and the pause is over, one caller hears yes.
    pub(super) fn permits(&self, now: Instant) -> bool {
        let mut state = self.0.lock();
        match state.probe_at {
            None => true,
            Some(at) if now < at => false,
            Some(_) => {
                state.probe_at = Some(now + PAUSE);
                true
            }
        }
    }

    /// How a call ended.
    pub(super) fn note(&self, went_well: bool, now: Instant) {
        let mut state = self.0.lock();
        if went_well {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_MAX {
            state.probe_at = Some(now + PAUSE);
        }
    }

    /// Whether the service is left alone.
    pub(super) fn is_open(&self) -> bool {
        self.0.lock().probe_at.is_some()
    }

    /// How long it is left alone still.
    pub(super) fn open_for(&self, now: Instant) -> Option<Duration> {
        self.0.lock().probe_at.map(|at| at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_it_and_one_call_tries_again() {
        let (breaker, start) = (Breaker::default(), Instant::now());
        for _ in 1..FAILURES_MAX {
            breaker.note(false, start);
        }
        breaker.note(true, start);
        for _ in 0..FAILURES_MAX {
            assert!(breaker.permits(start), "failures must be in a row");
            breaker.note(false, start);
        }
        assert!(!breaker.permits(start + PAUSE / 2) && breaker.is_open());
        let later = start + PAUSE;
        assert!(breaker.permits(later) && !breaker.permits(later), "one call only");
        breaker.note(false, later);
        assert!(!breaker.permits(later + PAUSE / 2));
        assert!(breaker.permits(later + PAUSE * 2), "a probe that never ended does not keep it open for ever");
        breaker.note(true, later + PAUSE * 2);
        assert!(!breaker.is_open() && breaker.permits(later) && breaker.open_for(later).is_none());
    }
}
