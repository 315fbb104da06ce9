//! What a client asked for and what it was granted: one accepted API request with its messages.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;
use text::Encoding;

use crate::clock::UnixMillis;
use crate::id::{AccountId, CarrierId, KeyId, MessageId};
use crate::lane::Traffic;
use crate::link::ShortLinks;
use crate::money::Money;
use crate::phone::Phone;
use crate::sender::Sender;

/// An accepted send request. What its messages share is kept once.
///
/// The request is named by the id of its first place: the message to `phoneNumbers[n]` has the id
/// `id.offset(n)`, so that refused recipients leave gaps; see [`Request::message_id`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Id of the first place, whether or not a message stands there.
    pub id: MessageId,
    /// Whose request it is.
    pub account: AccountId,
    /// The application key it came with.
    pub key: KeyId,
    /// `meta.uniqId` of the answer and of the log lines.
    pub uniq_id: Box<str>,
    /// The client's own reference as given (without the `-0001` of several recipients).
    pub external_id: Option<Box<str>>,
    /// The `Idempotency-Key` header, for requests without an `external_id`.
    pub idempotency_key: Option<Box<str>>,
    /// First 16 octets of SHA-256 over what was asked: equal requests have equal fingerprints.
    pub fingerprint: [u8; 16],
    /// What its messages are for.
    pub traffic: Traffic,
    /// Origin shown to the recipient.
    pub sender: Sender,
    /// The text as it was asked for; with short links it is sent as [`Request::text_at`] says.
    pub text: Box<str>,
    /// With `shortLink`: where its links are.
    pub links: Option<Arc<ShortLinks>>,
    /// How the text travels.
    pub encoding: Encoding,
    /// Parts each message needs.
    pub parts: u8,
    /// Message class 0: shown at once and not stored (contract `type` 1).
    pub flash: bool,
    /// Where this request's delivery reports go instead of the account's endpoint.
    pub webhook_url: Option<Box<str>>,
    /// Version of the control data that its ways and prices were planned with.
    pub control_version: u64,
    /// When it was accepted.
    pub accepted_at: UnixMillis,
    /// No message is to be sent before; equals `accepted_at` unless scheduled.
    pub due_at: UnixMillis,
    /// `scheduleTime` as asked, Unix seconds, 0 = now.
    pub schedule_time: i64,
    /// A message that is due at `due_at` is not to be sent after; the others as much later as they are due.
    pub expires_at: UnixMillis,
    /// ISO 4217 number of the prices.
    pub currency: u16,
    /// One entry per recipient, in the order of the request, repeats and refused ones left out.
    pub messages: Vec<NewMessage>,
    /// Recipients that were not accepted, kept so that a repeated request gets the same answer.
    pub refused: Vec<RefusedRecipient>,
}

/// One recipient of an accepted request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewMessage {
    /// Place in `phoneNumbers` as asked, from 0: `id.position_after(request.id)`.
    pub position: u16,
    /// Whom it goes to.
    pub phone: Phone,
    /// Price of the whole message.
    pub price: Money,
    /// The carrier that route planning chose at acceptance: the line it waits in.
    pub carrier: CarrierId,
    /// How long after the request's `due_at` it is due: recipients of a large request may be spread over
    /// time. Milliseconds.
    pub delay_ms: i64,
}

/// A recipient that was refused while others of the same request were accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRecipient {
    /// What was passed.
    pub value: Box<str>,
    /// The problem's stable code, such as `E-4-010`.
    pub code: Box<str>,
}

impl Request {
    /// Id of the message at `index` of [`Request::messages`].
    #[must_use]
    pub fn message_id(&self, index: usize) -> MessageId {
        self.id.offset(self.messages.get(index).map_or(u32::MAX, |message| u32::from(message.position)))
    }

    /// When the message at `index` of [`Request::messages`] is due.
    #[must_use]
    pub fn due_at(&self, index: usize) -> UnixMillis {
        self.due_at.plus_ms(self.messages.get(index).map_or(0, |message| message.delay_ms))
    }

    /// The contract's `externalId` of the message at `index` of [`Request::messages`]: as given for one
    /// number, with `-0001`, `-0002`, … in the order of `phoneNumbers` for several; made from the id when
    /// the client gave none.
    #[must_use]
    pub fn external_id_at(&self, index: usize) -> String {
        let position = self.messages.get(index).map_or(0, |message| usize::from(message.position));
        external_id(self.external_id.as_deref(), self.message_id(index), position, self.asked_recipients())
    }

    /// The text as the recipient of the message at `index` of [`Request::messages`] gets it.
    #[must_use]
    pub fn text_at(&self, index: usize) -> Cow<'_, str> {
        text_for(&self.text, self.links.as_deref(), self.message_id(index))
    }

    /// How many recipients were asked for, repeats and refused ones included.
    #[must_use]
    pub fn asked_recipients(&self) -> usize {
        self.messages.len() + self.refused.len()
    }

    /// Price of all messages together.
    #[must_use]
    pub fn price(&self) -> Money {
        self.messages.iter().fold(Money(0), |sum, message| sum.plus(message.price))
    }
}

/// The contract's `externalId` of the message at `position` (place in `phoneNumbers` from 0); see
/// [`Request::external_id_at`].
#[must_use]
pub fn external_id(given: Option<&str>, id: MessageId, position: usize, asked_recipients: usize) -> String {
    match given {
        Some(given) if asked_recipients == 1 => given.to_owned(),
        Some(given) => format!("{given}-{:04}", position + 1),
        None => id.to_reference(),
    }
}

/// A request's text as the recipient of `message` gets it.
#[must_use]
pub fn text_for<'a>(text: &'a str, links: Option<&ShortLinks>, message: MessageId) -> Cow<'a, str> {
    match links {
        Some(links) if !links.places.is_empty() => Cow::Owned(links.text_for(text, message)),
        _ => Cow::Borrowed(text),
    }
}

/// What sending one message needs; shared between the waiting line and the bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The message.
    pub id: MessageId,
    /// Whose message it is.
    pub account: AccountId,
    /// Whom it goes to.
    pub phone: Phone,
    /// The carrier it waits for.
    pub carrier: CarrierId,
    /// Not to be sent before.
    pub due_at: UnixMillis,
    /// What the messages of one request share.
    pub content: Arc<Content>,
    /// Numbers (from 1) of the parts an operator has taken already; empty for a fresh message.
    pub parts_taken: SmallVec<[u8; 4]>,
    /// Numbers of the parts that were about to be written, without a word of what became of it.
    pub parts_intended: SmallVec<[u8; 4]>,
}

/// Text and conditions shared by the messages of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What it is for.
    pub traffic: Traffic,
    /// The application key it was sent with, or [`KeyId::BOT`] and the like.
    pub key: KeyId,
    /// Origin shown to the recipient.
    pub sender: Sender,
    /// The text, for all recipients where it has no short links.
    pub text: Box<str>,
    /// What makes it the text of each recipient; `None` where all get the same.
    pub links: Option<Arc<ShortLinks>>,
    /// How it travels.
    pub encoding: Encoding,
    /// Parts it needs.
    pub parts: u8,
    /// Message class 0.
    pub flash: bool,
    /// When it was accepted.
    pub accepted_at: UnixMillis,
    /// No message is to be sent before.
    pub due_at: UnixMillis,
    /// A message that is due at `due_at` is not to be sent after; the others as much later as they are due.
    pub expires_at: UnixMillis,
}

impl From<&Request> for Content {
    fn from(request: &Request) -> Self {
        Self {
            traffic: request.traffic,
            key: request.key,
            sender: request.sender.clone(),
            text: request.text.clone(),
            links: request.links.clone().filter(|links| !links.places.is_empty()),
            encoding: request.encoding,
            parts: request.parts,
            flash: request.flash,
            accepted_at: request.accepted_at,
            due_at: request.due_at,
            expires_at: request.expires_at,
        }
    }
}
