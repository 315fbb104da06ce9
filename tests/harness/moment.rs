//! The wall clock, for comparing with what other programs wrote down.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since 1970 by the clock of the machine.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "compared with the clock of strace, which no clock of ours can stand in for"
)]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
