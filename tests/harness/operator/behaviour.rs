//! How the operator behaves; can be changed while it runs.

use std::time::Duration;

/// Behaviour of the operator.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// From reading a submit_sm to writing its answer.
    pub round_trip: Duration,
    /// From the answer to the receipt.
    pub receipt_after: Duration,
    /// Whether receipts are sent at all; those held back go out when this turns true.
    pub receipts: bool,
    /// Every other receipt is due at once, before the answer.
    pub early: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            round_trip: Duration::from_millis(5),
            receipt_after: Duration::from_millis(20),
            receipts: true,
            early: false,
        }
    }
}

/// The final word about a number: those ending in 8 are unreachable.
#[must_use]
pub fn receipt_word(destination: &str) -> &'static str {
    if destination.ends_with('8') { "UNDELIV" } else { "DELIVRD" }
}
