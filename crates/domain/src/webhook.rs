//! What is remembered of webhook endpoints beside their events: their trouble, and the latest attempts.

use std::sync::Arc;

use crate::clock::UnixMillis;
use crate::control::EventKind;
use crate::event::CallId;
use crate::fact::EventId;
use crate::id::AccountId;

/// Names an endpoint: an account's own for a kind of event, or one that requests named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointName {
    /// Whose endpoint.
    pub account: AccountId,
    /// What it is told.
    pub kind: EventKind,
    /// The URL that requests named; `None` for the account's own.
    pub url: Option<Arc<str>>,
}

/// Why an endpoint is not called any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffReason {
    /// It answered 410.
    Gone,
    /// It did nothing but fail for days.
    Failing,
}

impl OffReason {
    /// A stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// Finds a reason by its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Gone, Self::Failing].into_iter().find(|reason| reason.as_str() == word)
    }
}

/// An endpoint that does nothing but fail, or is not called any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointTrouble {
    /// Which endpoint.
    pub name: EndpointName,
    /// Its main URL then: trouble with one URL says nothing of another.
    pub url: Box<str>,
    /// The first failure since the last success.
    pub since: UnixMillis,
    /// Failures since then.
    pub failures: u32,
    /// Since when it is not called any more, and why.
    pub off: Option<(UnixMillis, OffReason)>,
}

/// Attempts of an account that could not be kept: there were more at once than the store can bear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Whose attempts.
    pub account: AccountId,
    /// How many.
    pub attempts: u64,
}

/// One try of a call, for whoever looks into why an endpoint fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which endpoint.
    pub name: EndpointName,
    /// The URL that was called.
    pub url: Box<str>,
    /// The call.
    pub call: CallId,
    /// How many tries of it there were, this one included.
    pub number: u16,
    /// When it began.
    pub at: UnixMillis,
    /// How long it took.
    pub latency_ms: u32,
    /// HTTP status, 0 if none came.
    pub http_status: u16,
    /// What went wrong, empty on success.
    pub failure: Box<str>,
    /// The headers that were sent, one `name: value` a line; what proves who we are by a password is left out.
    pub headers: Box<str>,
    /// The events in the body, in their order.
    pub events: Vec<EventId>,
    /// Octets of the body.
    pub body_octets: u32,
    /// The beginning of the answer's body, at most 1 KiB.
    pub answer: Box<[u8]>,
}
