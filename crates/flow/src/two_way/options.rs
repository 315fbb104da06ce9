//! What can be set.

use domain::limits::{JOIN_MINUTES_MAX, JOIN_MINUTES_MIN};
use serde::{Deserialize, Serialize};

/// What can be set of two-way messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How long the parts of a long incoming message are awaited, in minutes; then it is told as far as it came.
    pub join_minutes: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { join_minutes: 10 }
    }
}

impl Options {
    /// Checks the values.
    ///
    /// # Errors
    /// A sentence naming the key and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        if (JOIN_MINUTES_MIN..=JOIN_MINUTES_MAX).contains(&self.join_minutes) {
            return Ok(());
        }
        Err(format!("two_way.join_minutes is {}, allowed: {JOIN_MINUTES_MIN} to {JOIN_MINUTES_MAX}", self.join_minutes))
    }

    /// The same in milliseconds.
    #[must_use]
    pub fn join_ms(&self) -> i64 {
        i64::from(self.join_minutes) * 60_000
    }
}
