//! What came in.

use std::time::Instant;

use serde_json::Value;

use super::verify::Verdict;

/// One event as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// When.
    pub at: Instant,
    /// The path that was called.
    pub path: String,
    /// `Request-Id` of the call.
    pub request_id: String,
    /// `webhook-id` of the call.
    pub webhook_id: String,
    /// `webhook-attempt` of the call; 0 if it does not say.
    pub attempt: u32,
    /// How many events came in the same call.
    pub events_in_call: usize,
    /// The event object.
    pub event: Value,
    /// Whether the call's signatures are right.
    pub verdict: Verdict,
    /// The HTTP status it was answered with, 0 for none.
    pub answered: u16,
}

impl Received {
    /// The `eventId`; empty without one.
    #[must_use]
    pub fn event_id(&self) -> &str {
        self.event["eventId"].as_str().unwrap_or_default()
    }

    /// The `externalId` of the message; empty without one.
    #[must_use]
    pub fn external_id(&self) -> &str {
        self.event["externalId"].as_str().unwrap_or_default()
    }

    /// The status it tells of, if it tells of one.
    #[must_use]
    pub fn status(&self) -> Option<i64> {
        self.event["status"].as_i64()
    }
}
