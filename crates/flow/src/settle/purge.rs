//! Ends messages that wait, because whoever operates the platform says so.

use domain::fact::{Fact, MessageFact};
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::limits::REFILL_MESSAGES;
use store::{QuestionError, RecordError};

use super::handle::Settle;
use crate::enqueue::{Selection, is_whole};

/// What became of the messages that were selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Ended as rejected.
    pub ended: u64,
    /// Left alone, because a part of them is with a bind or with the operator.
    pub left: u64,
}

/// Why a purge ended early. What was ended before stays ended.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// What waits can't be read.
    #[error("what waits can't be read: {0}")]
    Question(#[from] QuestionError),
    /// The outcome can't be recorded.
    #[error("the outcome can't be recorded: {0}")]
    Record(#[from] RecordError),
}

impl Settle {
    /// How many messages a selection holds right now.
    ///
    /// # Errors
    /// [`QuestionError`] when the store can't be asked.
    pub async fn count(&self, selection: Selection) -> Result<u64, QuestionError> {
        let (mut count, store) = (0, &self.0.store);
        for line in selection.lines(store).await? {
            let (mut after, until) = (MessageId(0), store.ids().next(line.0));
            while let Some(page) = selection.page(store, line, (&mut after, until), REFILL_MESSAGES).await? {
                count += page.iter().filter(|waiting| is_whole(waiting)).count() as u64;
            }
        }
        Ok(count)
    }

    /// Ends the selected messages as rejected, with `reason` in their history. Each is taken out of its line first, so that
    /// no bind can send what is recorded as ended. Run it on a task of its own: a message taken out and then forgotten
    /// would wait until the next start.
    ///
    /// # Errors
    /// [`PurgeError`]; what was ended before stays ended, and purging again is safe.
    pub async fn purge(&self, selection: Selection, reason: &str) -> Result<Purged, PurgeError> {
        let (mut purged, store) = (Purged::default(), &self.0.store);
        for line in selection.lines(store).await? {
            let (mut after, until) = (MessageId(0), store.ids().next(line.0));
            while let Some(page) = selection.page(store, line, (&mut after, until), REFILL_MESSAGES).await? {
                let whole: Vec<MessageId> =
                    page.iter().filter(|waiting| is_whole(waiting)).map(|waiting| waiting.id).collect();
                let ended = self.purge_page(line, &whole, reason).await?;
                purged.ended += ended;
                purged.left += page.len() as u64 - ended;
            }
        }
        Ok(purged)
    }

    async fn purge_page(
        &self,
        (lane, account): (Lane, AccountId),
        selected: &[MessageId],
        reason: &str,
    ) -> Result<u64, RecordError> {
        let withdrawn = self.0.enqueue.withdraw_all(lane, selected);
        let at = self.0.clock.now();
        let fact = |id: &MessageId| Fact::Message { id: *id, at, what: MessageFact::Purged { reason: reason.into() } };
        let recorded = self.0.store.record(lane, withdrawn.iter().map(fact).collect()).await;
        self.0.enqueue.withdrawals_ended((lane, account), &withdrawn, recorded.is_ok());
        recorded.map(|()| withdrawn.len() as u64)
    }
}
