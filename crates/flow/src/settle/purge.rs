//! Ends messages that wait, because whoever operates the platform says so.

use domain::fact::{Fact, MessageFact};
use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::Lane;
use domain::limits::REFILL_MESSAGES;
use domain::request::Waiting;
use store::{QuestionError, RecordError};

use super::handle::Settle;

/// Which of the messages that wait and are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The carrier they wait for.
    pub carrier: CarrierId,
    /// Their lane; `None` = both.
    pub lane: Option<Lane>,
    /// Whose they are; `None` = anybody's.
    pub account: Option<AccountId>,
}

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
        let mut count = 0;
        for (lane, account) in self.lines_of(selection).await? {
            let mut after = MessageId(0);
            while let Some(page) = self.page(lane, (selection.carrier, account), &mut after).await? {
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
        let mut purged = Purged::default();
        for (lane, account) in self.lines_of(selection).await? {
            let mut after = MessageId(0);
            while let Some(page) = self.page(lane, (selection.carrier, account), &mut after).await? {
                let whole: Vec<MessageId> =
                    page.iter().filter(|waiting| is_whole(waiting)).map(|waiting| waiting.id).collect();
                let ended = self.purge_page((lane, account), &whole, reason).await?;
                purged.ended += ended;
                purged.left += page.len() as u64 - ended;
            }
        }
        Ok(purged)
    }

    /// The lanes and accounts in which something of the selection may wait.
    async fn lines_of(&self, selection: Selection) -> Result<Vec<(Lane, AccountId)>, QuestionError> {
        let mut found = Vec::new();
        let wanted = |lane: &Lane| selection.lane.is_none_or(|only| only == *lane);
        for lane in Lane::ALL.into_iter().filter(wanted) {
            for (carrier, account, _) in self.0.store.lines(lane).await? {
                let is_wanted = selection.account.is_none_or(|only| only == account);
                if carrier == selection.carrier && is_wanted {
                    found.push((lane, account));
                }
            }
        }
        Ok(found)
    }

    /// The messages that come next, by id; `None` at the end.
    async fn page(
        &self,
        lane: Lane,
        line: (CarrierId, AccountId),
        after: &mut MessageId,
    ) -> Result<Option<Vec<Waiting>>, QuestionError> {
        let page = self.0.store.waiting(lane, line, *after, REFILL_MESSAGES).await?;
        let Some(last) = page.last() else { return Ok(None) };
        *after = last.id;
        Ok(Some(page))
    }

    async fn purge_page(
        &self,
        (lane, account): (Lane, AccountId),
        selected: &[MessageId],
        reason: &str,
    ) -> Result<u64, RecordError> {
        let enqueue = &self.0.enqueue;
        let withdrawn: Vec<MessageId> = selected.iter().copied().filter(|id| enqueue.withdraw(*id, account)).collect();
        let at = self.0.clock.now();
        let fact = |id: &MessageId| Fact::Message { id: *id, at, what: MessageFact::Purged { reason: reason.into() } };
        let recorded = self.0.store.record(lane, withdrawn.iter().map(fact).collect()).await;
        for id in &withdrawn {
            enqueue.withdrawal_ended(*id, account, recorded.is_ok());
        }
        recorded.map(|()| withdrawn.len() as u64)
    }
}

/// A message of which a part has left is past purging.
fn is_whole(waiting: &Waiting) -> bool {
    waiting.parts_taken.is_empty()
}
