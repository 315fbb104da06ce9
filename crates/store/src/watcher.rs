//! What the store tells the flow after each commit.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::event::Event;
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::money::Money;
use domain::request::Request;
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
    /// An event with a row of its own is to be told; one that nobody wants to be told is not announced.
    Event(Arc<Event>),
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
