//! Moves what waits for one carrier to another because whoever operates the platform says so, whatever the routes say:
//! only a carrier that could not or must not send a message does not get it.

use domain::control::{Carrier, Control};
use domain::fact::{Fact, MessageFact};
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::limits::MOVED_AT_ONCE;
use domain::request::Waiting;
use store::{QuestionError, RecordError, Store};

use super::figures::Move;
use super::mover::is_tied;
use super::router::{Router, Trip};
use crate::enqueue::{Enqueue, Selection, can_carry, is_whole};

/// The stable word in the history of a message that was moved by order.
const BY_ORDER: &str = "order";

/// Moves messages from carrier to carrier by order. Cheap to clone.
#[derive(Clone)]
pub struct Transfer {
    router: Router,
    enqueue: Enqueue,
    store: Store,
}

/// What became of the messages that were selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    /// They wait for the other carrier now.
    pub moved: u64,
    /// Left alone, because a part of them is with a bind or with the operator.
    pub left: u64,
    /// Left alone, because the other carrier does not carry their sender or has no letters for their text, or their route asks for a direct connection
    /// and it has none.
    pub unfit: u64,
}

/// Why a transfer ended early. What was moved before stays moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// What waits can't be read.
    #[error("what waits can't be read: {0}")]
    Question(#[from] QuestionError),
    /// The other carrier can't be recorded.
    #[error("the other carrier can't be recorded: {0}")]
    Record(#[from] RecordError),
}

impl Transfer {
    /// Over these lines.
    #[must_use]
    pub fn new(router: Router, enqueue: Enqueue, store: Store) -> Self {
        Self { router, enqueue, store }
    }

    /// What [`transfer`](Self::transfer) would do right now.
    ///
    /// # Errors
    /// [`QuestionError`] when the store can't be asked.
    pub async fn count(&self, selection: Selection, to: &Carrier) -> Result<Transferred, QuestionError> {
        let mut counted = Transferred::default();
        for line in selection.lines(&self.store).await? {
            let (mut after, until) = (MessageId(0), self.store.ids().next(line.0));
            while let Some(page) = selection.page(&self.store, line, (&mut after, until), MOVED_AT_ONCE).await? {
                let movable = self.sort(&mut counted, line.0, &page, to);
                counted.moved += movable.len() as u64;
            }
        }
        Ok(counted)
    }

    /// Has the selected messages wait for `to`, with `reason` in their history. Each is taken out of its line first, so
    /// that no bind of its carrier can send what is recorded as moved; when that is durable, it is fetched for the other.
    /// Run it on a task of its own: a message taken out and then forgotten would wait until the next start.
    ///
    /// # Errors
    /// [`TransferError`]; what was moved before stays moved, and moving again is safe.
    pub async fn transfer(
        &self,
        selection: Selection,
        to: &Carrier,
        reason: &str,
    ) -> Result<Transferred, TransferError> {
        let mut done = Transferred::default();
        for line in selection.lines(&self.store).await? {
            let (mut after, until) = (MessageId(0), self.store.ids().next(line.0));
            while let Some(page) = selection.page(&self.store, line, (&mut after, until), MOVED_AT_ONCE).await? {
                let movable = self.sort(&mut done, line.0, &page, to);
                let moved = self.transfer_page(line, &movable, to, reason).await?;
                done.moved += moved;
                let made = Move { lane: line.0, from: selection.carrier, to: to.id, reason: BY_ORDER };
                self.router.figures().moved(made, moved);
                done.left += movable.len() as u64 - moved;
            }
        }
        Ok(done)
    }

    /// Those that can be moved; the others are counted.
    fn sort(&self, counted: &mut Transferred, lane: Lane, page: &[Waiting], to: &Carrier) -> Vec<MessageId> {
        let control = self.store.control();
        let mut movable = Vec::with_capacity(page.len());
        for waiting in page {
            if !is_whole(waiting) {
                counted.left += 1;
            } else if self.is_fit(&control, lane, waiting, to) {
                movable.push(waiting.id);
            } else {
                counted.unfit += 1;
            }
        }
        movable
    }

    fn is_fit(&self, control: &Control, lane: Lane, waiting: &Waiting, to: &Carrier) -> bool {
        let sender = &waiting.content.sender;
        let trip = Trip { phone: waiting.phone, sender, account: waiting.account, lane };
        to.admits_sender(sender)
            && can_carry(to, &waiting.content, waiting.id)
            && !is_tied(control, waiting.account, sender)
            && (to.direct || !self.router.asks_for_direct(control, &trip))
    }

    async fn transfer_page(
        &self,
        (lane, account): (Lane, AccountId),
        selected: &[MessageId],
        to: &Carrier,
        reason: &str,
    ) -> Result<u64, RecordError> {
        let withdrawn = self.enqueue.withdraw_all(lane, selected);
        let Some(lowest) = withdrawn.iter().min().copied() else { return Ok(0) };
        let at = self.store.ids().clock().now();
        let reason = format!("{BY_ORDER}: {reason}");
        let fact = |id: &MessageId| Fact::Message {
            id: *id,
            at,
            what: MessageFact::Rerouted { carrier: to.id, reason: reason.as_str().into() },
        };
        let recorded = self.store.record(lane, withdrawn.iter().map(fact).collect()).await;
        self.enqueue.withdrawals_ended((lane, account), &withdrawn, recorded.is_ok());
        recorded?;
        // Only now, and behind the line's own note of what it let go: a fetch that began before brings none of them.
        self.enqueue.left_in_store((lane, to.id), account, lowest);
        Ok(withdrawn.len() as u64)
    }
}
