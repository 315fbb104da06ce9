//! Everything that may hold a bind back, asked in one order: the breaker, the bind's own pace, the
//! carrier's pace.

use std::sync::Arc;
use std::time::Duration;

use domain::lane::Lane;

use super::carrier::CarrierState;
use super::throttle::Throttle;

/// How long a bind leaves a part to the others that it could not get rid of itself.
const PASS: Duration = Duration::from_millis(50);

/// What stands between a bind and the lines.
pub(super) struct Gate {
    state: Arc<CarrierState>,
    throttle: Arc<Throttle>,
    /// Others go first until then.
    pass_until: Duration,
}

impl Gate {
    pub(super) fn new(state: Arc<CarrierState>, throttle: Arc<Throttle>) -> Self {
        Self { state, throttle, pass_until: Duration::ZERO }
    }

    /// Takes up to `wanted` parts; fewer means: come back after [`Gate::wait`].
    pub(super) fn take(&self, lane: Lane, wanted: usize) -> usize {
        let now = self.state.now();
        if now < self.pass_until {
            return 0;
        }
        let permitted = self.state.breaker.permits(now, wanted);
        let slowed = self.throttle.take(now, permitted);
        let granted = self.state.pace.take(lane, slowed);
        if granted < slowed {
            self.throttle.give_back(slowed - granted);
        }
        if granted == 0 && permitted > 0 {
            self.state.breaker.unused(now);
        }
        granted
    }

    /// Parts that were taken out and not sent after all go back.
    pub(super) fn give_back(&self, parts: usize) {
        self.state.pace.give_back(parts);
        self.throttle.give_back(parts);
        if parts > 0 {
            self.state.breaker.unused(self.state.now());
        }
    }

    /// How long until another part fits.
    pub(super) fn wait(&self, lane: Lane) -> Duration {
        let now = self.state.now();
        let passing = self.pass_until.saturating_sub(now);
        let waits = [self.state.breaker.wait(now), self.throttle.wait(now), self.state.pace.wait(lane)];
        waits.into_iter().fold(passing, Duration::max)
    }

    /// Leaves what was just given back to other binds.
    pub(super) fn pass(&mut self) {
        self.pass_until = self.state.now() + PASS;
    }

    /// The operator asked for a slower pace.
    pub(super) fn throttled(&self) {
        self.throttle.throttled(self.state.now());
    }

    /// The operator said how busy it is.
    pub(super) fn congestion(&self, congestion_state: u8) {
        self.throttle.congestion(self.state.now(), congestion_state);
    }
}
