//! Events: what an account is told, by webhook or when it asks for everything since a cursor.
//!
//! An event is written in the commit that makes it true and never changes afterwards, so every try and
//! every answer carries the same. There are two places for it in the store:
//!
//! - A **delivery report** is the step that moved its message; see [`crate::state`].
//! - Every **other kind** is a row of its own, recorded as [`Fact::Event`](crate::fact::Fact::Event).
//!
//! # How to add a kind of event
//!
//! 1. Give it a name in [`EventKind`] and a variant with its fields in [`Payload`], named after the
//!    contract's object.
//! 2. Have the store write it: one arm in `store/src/embedded/payload.rs`.
//! 3. Write its JSON object: one arm in `flow/src/tell/body.rs`.
//! 4. Where it happens, make an [`Event`] with [`Event::new`] and record it **in the same call** as what
//!    happened, with an id from the same millisecond or the same row (`EventId::of_row`): both then lie in
//!    the same span and become durable in one commit.
//!
//! Nothing else is to be done: the commit decides whether somebody wants to be told, the watcher hands it
//! to the tell stage, retries, dead letters, replay and `GET /v2.1/events` work for every kind.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::clock::UnixMillis;
use crate::control::EventKind;
use crate::fact::EventId;
use crate::id::{AccountId, MessageId};
use crate::phone::Phone;
use crate::sender::Sender;
use crate::state::Status;

/// Something an account is told. Its content never changes; the last three fields follow the telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Names the event; the same on every try.
    pub id: EventId,
    /// Whose event.
    pub account: AccountId,
    /// Where it goes instead of the account's endpoint: the request's `webhookUrl`.
    pub webhook_url: Option<Arc<str>>,
    /// What is told.
    pub payload: Payload,
    /// Tries so far.
    pub attempts: u16,
    /// Not to be tried before.
    pub next_at: UnixMillis,
    /// The frozen call it belongs to, once a try failed.
    pub call: Option<CallId>,
}

/// What is told, by kind; fields are those of the contract's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// `sms.status`: a message reached an outcome.
    Status(StatusReport),
    /// `sms.incoming`: somebody wrote to a number of the account.
    Incoming(IncomingReport),
    /// `sms.click`: somebody opened a short link.
    Click(ClickReport),
}

/// A delivery report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// The contract's externalId of the message.
    pub external_id: Box<str>,
    /// The recipient.
    pub phone: Phone,
    /// The message's sender.
    pub sender: Sender,
    /// The outcome.
    pub status: Status,
    /// When it was reached.
    pub status_at: UnixMillis,
    /// Parts of the message.
    pub parts: u8,
    /// The operator's error code, empty if none.
    pub error: Box<str>,
}

/// An incoming message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingReport {
    /// Who wrote: digits with `+` where it is a number, else as the operator gave it.
    pub phone: Box<str>,
    /// The short code or long number that was written to.
    pub number: Box<str>,
    /// The keyword it began with, empty if none.
    pub keyword: Box<str>,
    /// The whole text.
    pub message: Box<str>,
    /// When its first part came.
    pub received_at: UnixMillis,
    /// Parts it has, whether or not they came.
    pub parts: u8,
    /// Whether all parts came.
    pub complete: bool,
    /// Numbers of the parts that did not come.
    pub missing: Box<[u8]>,
    /// It is this part of a message that was told before without it.
    pub late_part: Option<u8>,
    /// Of a long message: what it and its late parts have in common.
    pub group: Option<MessageId>,
}

/// A click on a short link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickReport {
    /// The contract's externalId of the message with the link.
    pub external_id: Box<str>,
    /// The recipient the link was made for.
    pub phone: Phone,
    /// Where the link leads.
    pub url: Box<str>,
    /// When it was opened.
    pub clicked_at: UnixMillis,
}

impl Event {
    /// An event nobody was told of yet.
    #[must_use]
    pub fn new(id: EventId, account: AccountId, webhook_url: Option<Arc<str>>, payload: Payload) -> Self {
        Self { id, account, webhook_url, payload, attempts: 0, next_at: UnixMillis(0), call: None }
    }

    /// What kind of event it is: decides which endpoint is told.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.payload.kind()
    }

    /// When it happened.
    #[must_use]
    pub fn at(&self) -> UnixMillis {
        match &self.payload {
            Payload::Status(report) => report.status_at,
            Payload::Incoming(report) => report.received_at,
            Payload::Click(report) => report.clicked_at,
        }
    }
}

impl Payload {
    /// What kind of event it is.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Status(_) => EventKind::Status,
            Self::Incoming(_) => EventKind::Incoming,
            Self::Click(_) => EventKind::Click,
        }
    }
}

/// Names a webhook call (`Request-Id`, `webhook-id`): a digest of the events in it.
///
/// The same events in the same order always have the same name, and no other array has it: what a crash
/// makes us tell again comes under the name it had, without a note to disk before every call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub [u8; 16]);

impl CallId {
    /// The name of a call with these events in this order.
    #[must_use]
    pub fn of(events: impl IntoIterator<Item = EventId>) -> Self {
        let mut digest = Sha256::new();
        for event in events {
            let mut octets = [0; 10];
            octets[..8].copy_from_slice(&event.message.0.to_be_bytes());
            octets[8..].copy_from_slice(&event.step.to_be_bytes());
            digest.update(octets);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&digest.finalize()[..16]);
        Self(id)
    }
}

impl fmt::Display for CallId {
    /// 32 lowercase hexadecimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageId;

    #[test]
    fn the_name_of_a_call_follows_from_its_events_and_their_order() {
        let (a, b) = (EventId { message: MessageId(64), step: 1 }, EventId { message: MessageId(128), step: 1 });
        let name = CallId::of([a, b]);
        assert_eq!(name, CallId::of(vec![a, b]));
        let others = [vec![a], vec![b], vec![b, a], vec![a, b, b], vec![EventId { step: 2, ..a }, b], vec![]];
        assert!(others.into_iter().all(|other| CallId::of(other) != name));
        assert_eq!((name.to_string().len(), name.to_string()), (32, format!("{name:?}")));
    }
}
