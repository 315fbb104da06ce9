//! What the store tells the flow after each commit.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::fact::EventId;
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::money::Money;
use domain::phone::Phone;
use domain::request::Request;
use domain::sender::Sender;
use domain::state::Status;

/// Learns what became durable. Called on the lane's writer thread after each commit and before those
/// who wait for the commit are released; it must only hand over (push into bounded memory), never block.
pub trait Watcher: Send + Sync + 'static {
    /// Everything one commit changed, in the order it was recorded.
    fn committed(&self, lane: Lane, committed: Vec<Committed>);
}

/// One durable change.
#[derive(Clone, Debug)]
pub enum Committed {
    /// All messages of the request now wait (or are scheduled).
    Accepted(Arc<Request>),
    /// A message's status moved.
    Moved(Moved),
}

/// A message's status moved up.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Which message.
    pub id: MessageId,
    /// Whose message.
    pub account: AccountId,
    /// The status before.
    pub from: Status,
    /// The status now.
    pub to: Status,
    /// When it moved.
    pub at: UnixMillis,
    /// What goes back to the account's balance: nothing of the message ever left.
    pub refund: Money,
    /// The delivery report to tell, written in the same commit; `None` where nobody wants one.
    pub event: Option<Arc<Event>>,
}

/// A delivery report to be told by webhook. It never changes, so every try carries the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Names the event; stable over all tries.
    pub id: EventId,
    /// Whose event.
    pub account: AccountId,
    /// The contract's externalId of the message.
    pub external_id: Box<str>,
    /// The recipient.
    pub phone: Phone,
    /// The message's sender.
    pub sender: Sender,
    /// The outcome told.
    pub status: Status,
    /// When it was reached.
    pub status_at: UnixMillis,
    /// Parts of the message.
    pub parts: u8,
    /// The operator's error code, empty if none.
    pub error: Box<str>,
    /// The request's own `webhookUrl`, instead of the account's endpoint.
    pub webhook_url: Option<Arc<str>>,
    /// Tries so far.
    pub attempts: u16,
    /// Not to be tried before.
    pub next_at: UnixMillis,
    /// The frozen call it belongs to, once a try failed.
    pub call: Option<MessageId>,
}
