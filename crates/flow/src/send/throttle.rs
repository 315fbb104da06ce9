//! The pace of one bind, learnt from what the operator says: halved when it asks for it, raised again
//! evenly (additive increase, multiplicative decrease). Counts parts. The contract's rate is kept by
//! [`super::pace`]; this only ever lowers it.

use std::time::Duration;

use parking_lot::Mutex;

/// A lowered pace is kept for so long before it rises.
const HOLD: Duration = Duration::from_secs(1);
/// Slowest pace, in parts per second.
const FLOOR: f64 = 1.0;
/// A bind that sent less than this, in parts per second, has not shown what the operator can take.
const OBSERVED_MIN: f64 = 10.0;
/// How much of the full pace comes back per second.
const RISE_PER_SECOND: f64 = 0.05;
/// What `congestion_state` 90 to 99 takes away, once per second.
const CONGESTED_FACTOR: f64 = 0.9;
/// Without a contract, a pace so many times the one at which the operator objected is no limit any more.
const FORGET_FACTOR: f64 = 4.0;
/// With each further objection the memory of the full pace shrinks to this at most.
const MEMORY_FACTOR: f64 = 0.99;
/// How much of a second may go out at once.
const BURST_SECONDS: f64 = 0.02;
/// What was sent is counted in so many slices of a second.
const SLICES: usize = 10;
const SLICE: Duration = Duration::from_millis(100);

/// SMPP 5.0 §4.8.4.18: from here on the operator works best.
const OPTIMUM: u8 = 80;
/// From here on it nears congestion.
const NEARING: u8 = 90;
/// It is congested.
const CONGESTED: u8 = 100;

/// Why the pace of a bind is as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaceReason {
    /// Nothing but the contract limits it.
    #[default]
    Contract,
    /// The operator answered RTHROTTLED, or was congested.
    Throttled,
    /// It rises again.
    Recovering,
    /// The operator is busy (`congestion_state` 80 to 89): it neither rises nor falls.
    Busy,
    /// The operator nears congestion (90 to 99).
    NearingCongestion,
}

impl PaceReason {
    /// All reasons with their names.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::Contract, "contract"),
        (Self::Throttled, "throttled"),
        (Self::Recovering, "recovering"),
        (Self::Busy, "busy"),
        (Self::NearingCongestion, "nearing-congestion"),
    ];
}

/// The pace of one bind. Times are counted from any fixed moment.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// Parts per second of the contract, 0 = none.
    contract: f64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Parts per second; `None` = no limit of its own.
    limit: Option<f64>,
    reason: PaceReason,
    /// The pace that is worked back to.
    full: f64,
    /// Parts that may go out now.
    credit: f64,
    /// Until when time was counted.
    at: Duration,
    /// The pace does not change before.
    hold_until: Duration,
    /// The last `congestion_state`.
    congestion: u8,
    sent: Sent,
}

/// Parts sent within the last second.
#[derive(Debug, Default)]
struct Sent {
    slices: [usize; SLICES],
    slice: u128,
}

impl Sent {
    fn advance(&mut self, now: Duration) {
        let slice = now.as_millis() / SLICE.as_millis();
        let passed = usize::try_from(slice.saturating_sub(self.slice)).unwrap_or(SLICES).min(SLICES);
        for step in 1..=passed {
            self.slices[((slice + step as u128 - passed as u128) % SLICES as u128) as usize] = 0;
        }
        self.slice = self.slice.max(slice);
    }

    fn add(&mut self, now: Duration, parts: usize) {
        self.advance(now);
        self.slices[(self.slice % SLICES as u128) as usize] += parts;
    }

    #[expect(clippy::cast_precision_loss, reason = "a pace, not an account")]
    fn per_second(&mut self, now: Duration) -> f64 {
        self.advance(now);
        // The slice that has begun counts for as much of it as is over.
        let begun_ms = now.as_millis() % SLICE.as_millis();
        let covered_ms = SLICE.as_millis() * (SLICES as u128 - 1) + begun_ms;
        self.slices.iter().sum::<usize>() as f64 * 1_000.0 / covered_ms as f64
    }
}

impl Throttle {
    pub(super) fn new(contract_per_second: u32) -> Self {
        Self { contract: f64::from(contract_per_second), state: Mutex::default() }
    }

    /// Takes up to `wanted` parts out of the pace; fewer means: come back after [`Throttle::wait`].
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "credits are small"
    )]
    pub(super) fn take(&self, now: Duration, wanted: usize) -> usize {
        let mut state = self.state.lock();
        state.advance(now, self.contract);
        let granted = match state.limit {
            None => wanted,
            Some(_) => wanted.min(state.credit.max(0.0) as usize),
        };
        if state.limit.is_some() {
            state.credit -= granted as f64;
        }
        state.sent.add(now, granted);
        granted
    }

    /// Parts that were taken out and not sent after all go back.
    #[expect(clippy::cast_precision_loss, reason = "credits are small")]
    pub(super) fn give_back(&self, parts: usize) {
        let state = &mut *self.state.lock();
        if state.limit.is_some() {
            state.credit += parts as f64;
        }
        let slice = &mut state.sent.slices[(state.sent.slice % SLICES as u128) as usize];
        *slice = slice.saturating_sub(parts);
    }

    /// How long until another part fits.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        let mut state = self.state.lock();
        state.advance(now, self.contract);
        match state.limit {
            Some(limit) if state.credit < 1.0 => Duration::from_secs_f64((1.0 - state.credit) / limit),
            _ => Duration::ZERO,
        }
    }

    /// The operator answered RTHROTTLED. A window full of such answers counts once.
    pub(super) fn throttled(&self, now: Duration) {
        let mut state = self.state.lock();
        state.advance(now, self.contract);
        state.lower(now, 0.5, PaceReason::Throttled, self.contract);
    }

    /// The operator said how busy it is (SMPP 5.0 §4.8.4.18).
    pub(super) fn congestion(&self, now: Duration, congestion_state: u8) {
        let mut state = self.state.lock();
        state.advance(now, self.contract);
        state.congestion = congestion_state;
        match congestion_state {
            CONGESTED.. => state.lower(now, 0.5, PaceReason::Throttled, self.contract),
            NEARING.. => state.lower(now, CONGESTED_FACTOR, PaceReason::NearingCongestion, self.contract),
            OPTIMUM.. if state.limit.is_some() => state.reason = PaceReason::Busy,
            _ => {}
        }
    }

    /// Parts per second, if anything but the contract limits them, and why.
    pub(super) fn view(&self, now: Duration) -> (Option<f64>, PaceReason) {
        let mut state = self.state.lock();
        state.advance(now, self.contract);
        (state.limit, state.reason)
    }
}

impl State {
    fn advance(&mut self, now: Duration, contract: f64) {
        let from = self.at.max(self.hold_until);
        let rising = now.saturating_sub(from).as_secs_f64();
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        let Some(mut limit) = self.limit else { return };
        if rising > 0.0 && self.congestion < OPTIMUM {
            // Below the full pace by equal steps, above it by steps of what is there.
            let step = RISE_PER_SECOND * self.full.max(FLOOR);
            limit = if limit < self.full { limit + step * rising } else { limit * (1.0 + RISE_PER_SECOND * rising) };
            self.reason = PaceReason::Recovering;
        }
        let no_limit = if contract > 0.0 { contract } else { self.full.max(FLOOR) * FORGET_FACTOR };
        if limit >= no_limit {
            (self.limit, self.reason) = (None, PaceReason::Contract);
            return;
        }
        self.limit = Some(limit);
        self.credit = (self.credit + limit * passed).min((limit * BURST_SECONDS).max(1.0));
    }

    fn lower(&mut self, now: Duration, factor: f64, reason: PaceReason, contract: f64) {
        if now < self.hold_until {
            return;
        }
        let sent = self.sent.per_second(now).max(OBSERVED_MIN);
        let known = if contract > 0.0 { contract.min(sent) } else { sent };
        let before = self.limit.unwrap_or(known).min(known);
        self.full = if contract > 0.0 { contract } else { before.max(self.full * MEMORY_FACTOR) };
        self.limit = Some((before * factor).max(FLOOR));
        self.credit = self.credit.min(0.0);
        self.hold_until = now + HOLD;
        self.reason = reason;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as much as it may for some seconds from `from`, a look every 5 ms; returns what was sent and when it ended.
    fn run(
        throttle: &Throttle,
        from: Duration,
        seconds: u64,
        mut answered: impl FnMut(Duration, usize),
    ) -> (usize, Duration) {
        let mut sent = 0;
        for step in 0..seconds * 200 {
            let now = from + Duration::from_millis(step * 5);
            let granted = throttle.take(now, 5);
            sent += granted;
            answered(now, granted);
        }
        (sent, from + Duration::from_secs(seconds))
    }

    fn limit(throttle: &Throttle, now: Duration) -> f64 {
        throttle.view(now).0.unwrap_or(f64::INFINITY)
    }

    #[test]
    fn a_window_of_refusals_halves_the_pace_once() {
        let throttle = Throttle::new(0);
        let (sent, now) = run(&throttle, Duration::ZERO, 3, |_, _| {});
        assert_eq!(sent, 3_000, "nothing limits it");
        for _ in 0..50 {
            throttle.throttled(now);
        }
        assert!((490.0..=500.0).contains(&limit(&throttle, now)), "{}", limit(&throttle, now));
        assert_eq!(throttle.view(now).1, PaceReason::Throttled);
    }

    #[test]
    fn the_pace_is_held_for_a_second_and_back_to_nine_tenths_within_thirty() {
        let throttle = Throttle::new(1_000);
        let (_, mut now) = run(&throttle, Duration::ZERO, 2, |_, _| {});
        for _ in 0..30 {
            now = run(&throttle, now, 1, |at, granted| (0..granted).for_each(|_| throttle.throttled(at))).1;
        }
        assert!(limit(&throttle, now) < 60.0, "thirty seconds of refusals: {}", limit(&throttle, now));
        let (sent, after) = run(&throttle, now, 20, |_, _| {});
        assert!(limit(&throttle, after) >= 900.0, "{}", limit(&throttle, after));
        assert!((5_000..13_000).contains(&sent), "evenly, not at once: {sent}");
        let (_, after) = run(&throttle, after, 5, |_, _| {});
        assert_eq!(throttle.view(after), (None, PaceReason::Contract), "back to the contract and no more");
    }

    #[test]
    fn it_never_falls_below_one_part_a_second_and_counts_parts() {
        let throttle = Throttle::new(100);
        let mut now = Duration::ZERO;
        for _ in 0..20 {
            throttle.throttled(now);
            now += HOLD;
        }
        throttle.throttled(now);
        assert!((limit(&throttle, now) - 1.0).abs() < f64::EPSILON);
        assert_eq!((0..1_100).map(|ms| throttle.take(now + Duration::from_millis(ms), 10)).sum::<usize>(), 1);
        assert!(throttle.wait(now + HOLD) <= HOLD);
    }

    #[test]
    fn without_a_contract_the_memory_of_the_full_pace_survives_half_a_minute_of_refusals() {
        let throttle = Throttle::new(0);
        let (_, mut now) = run(&throttle, Duration::ZERO, 2, |_, _| {});
        for _ in 0..30 {
            throttle.throttled(now);
            now = run(&throttle, now, 1, |_, _| {}).1;
        }
        let (_, after) = run(&throttle, now, 30, |_, _| {});
        assert!(limit(&throttle, after) >= 900.0, "{}", limit(&throttle, after));
    }

    #[test]
    fn congestion_is_followed() {
        let throttle = Throttle::new(1_000);
        let say = |state: u8| move |throttle: &Throttle, at| throttle.congestion(at, state);
        let (_, mut now) = run(&throttle, Duration::ZERO, 2, |_, _| {});
        let hear = |throttle: &Throttle, now, seconds, state| {
            run(throttle, now, seconds, |at, granted| {
                if granted > 0 {
                    say(state)(throttle, at)
                }
            })
            .1
        };
        now = hear(&throttle, now, 5, 60);
        assert_eq!(throttle.view(now).0, None, "nothing to do at 60");
        now = hear(&throttle, now, 3, 95);
        let nearing = limit(&throttle, now);
        assert!((650.0..=820.0).contains(&nearing), "a tenth less for each second: {nearing}");
        now = hear(&throttle, now, 5, 85);
        assert!((limit(&throttle, now) - nearing).abs() < 1.0, "80 to 89 hold: {}", limit(&throttle, now));
        assert_eq!(throttle.view(now).1, PaceReason::Busy);
        now = hear(&throttle, now, 1, 100);
        assert!(limit(&throttle, now) <= nearing * 0.55, "100 halves: {}", limit(&throttle, now));
        now = hear(&throttle, now, 20, 10);
        assert!(limit(&throttle, now) >= 900.0, "{}", limit(&throttle, now));
    }

    #[test]
    fn what_was_not_sent_is_given_back() {
        let throttle = Throttle::new(100);
        throttle.throttled(Duration::ZERO);
        let now = HOLD;
        assert_eq!(throttle.take(now, 1), 1);
        assert_eq!(throttle.take(now, 1), 0);
        throttle.give_back(1);
        assert_eq!(throttle.take(now, 1), 1);
    }
}
