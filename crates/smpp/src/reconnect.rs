//! When to try again after a connection, a bind or a session has failed.

use std::time::Duration;

use crate::CommandStatus;
use crate::client::{BindError, ConnectError};
use crate::session::SessionEnd;

/// What went wrong, as far as the next attempt cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection, no answer, or a session that ended: try again soon.
    Connection,
    /// The operator says that we are bound already, mostly because it has not yet noticed that the last session died.
    AlreadyBound,
    /// The operator does not know us. Trying harder locks the account.
    Credentials,
    /// Any other refusal.
    Refused,
}

impl Failure {
    /// Sorts a refused bind by its status.
    #[must_use]
    pub const fn of_status(status: CommandStatus) -> Self {
        match status {
            CommandStatus::RINVPASWD | CommandStatus::RINVSYSID | CommandStatus::RINVSYSTYP => Self::Credentials,
            CommandStatus::RALYBND => Self::AlreadyBound,
            _ => Self::Refused,
        }
    }
}

impl From<&BindError> for Failure {
    fn from(error: &BindError) -> Self {
        match error {
            BindError::Refused(status) => Self::of_status(*status),
            BindError::TimedOut(_) | BindError::Handshake(_) => Self::Connection,
            // What cannot be written will not be writable next time either; a person has to correct it.
            BindError::Encode(_) => Self::Credentials,
        }
    }
}

impl From<&ConnectError> for Failure {
    fn from(_error: &ConnectError) -> Self {
        Self::Connection
    }
}

impl From<&SessionEnd> for Failure {
    fn from(_end: &SessionEnd) -> Self {
        Self::Connection
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextTry {
    /// Wait, then try again.
    After(Duration),
    /// Take the bind out of service and tell a person; trying again sooner than `not_before` does harm.
    Stop {
        /// How long to leave the account alone at least.
        not_before: Duration,
    },
}

/// The pauses between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReconnectOptions {
    /// Upper end of the first pause.
    pub first: Duration,
    /// Upper end of the longest pause.
    pub longest: Duration,
    /// The shortest pause, for operators that count attempts.
    pub floor: Duration,
    /// The shortest pause after `RALYBND`.
    pub already_bound_floor: Duration,
    /// The shortest pause after a refusal of the credentials.
    pub credentials_floor: Duration,
}

impl Default for ReconnectOptions {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            floor: Duration::from_millis(250),
            already_bound_floor: Duration::from_secs(10),
            credentials_floor: Duration::from_secs(300),
        }
    }
}

/// Counts failures in a row and says how long to wait: full jitter below a limit that doubles, so that many binds that
/// fell together do not come back together.
#[derive(Debug, Clone)]
pub struct Reconnect {
    options: ReconnectOptions,
    failures: u32,
}

impl Reconnect {
    /// A fresh count.
    #[must_use]
    pub const fn new(options: ReconnectOptions) -> Self {
        Self { options, failures: 0 }
    }

    /// Failures in a row so far.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Starts over after a bind that has held.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// What to do after `failure`. `random` is a number from 0 up to 1; others are taken as the nearest of these.
    pub fn failed(&mut self, failure: Failure, random: f64) -> NextTry {
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        let limit = self.options.first.saturating_mul(1 << doublings).min(self.options.longest);
        let random = if random.is_nan() { 1.0 } else { random.clamp(0.0, 1.0) };
        let jittered = limit.mul_f64(random).max(self.options.floor);
        match failure {
            Failure::Connection | Failure::Refused => NextTry::After(jittered),
            Failure::AlreadyBound => NextTry::After(self.options.already_bound_floor + jittered),
            Failure::Credentials => NextTry::Stop { not_before: self.options.credentials_floor },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_start_over() {
        let mut reconnect = Reconnect::new(ReconnectOptions::default());
        let pauses: Vec<u64> = (0..8)
            .map(|_| match reconnect.failed(Failure::Connection, 1.0) {
                NextTry::After(pause) => pause.as_secs(),
                NextTry::Stop { .. } => panic!("a lost connection is no reason to stop"),
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        reconnect.succeeded();
        assert_eq!(reconnect.failed(Failure::Connection, 0.5), NextTry::After(Duration::from_millis(500)));
        assert_eq!(reconnect.failed(Failure::Connection, 0.0), NextTry::After(Duration::from_millis(250)));
    }

    #[test]
    fn refusals_are_sorted_by_what_trying_again_would_do() {
        let mut reconnect = Reconnect::new(ReconnectOptions::default());
        for status in [0x0E, 0x0F, 0x53] {
            let failure = Failure::from(&BindError::Refused(CommandStatus(status)));
            let next = reconnect.failed(failure, 0.5);
            assert_eq!(next, NextTry::Stop { not_before: Duration::from_secs(300) }, "0x{status:02X}");
        }
        let bound = Failure::of_status(CommandStatus::RALYBND);
        assert!(matches!(reconnect.failed(bound, 0.0), NextTry::After(pause) if pause >= Duration::from_secs(10)));
        assert_eq!(Failure::of_status(CommandStatus::RBINDFAIL), Failure::Refused);
    }
}
