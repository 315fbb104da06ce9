//! Messages that wait, chosen by whoever operates the platform: in memory or left in the store.

use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::Lane;
use domain::request::Waiting;
use store::{QuestionError, Store};

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

impl Selection {
    /// The lanes and accounts in which something of the selection may wait.
    pub(crate) async fn lines(&self, store: &Store) -> Result<Vec<(Lane, AccountId)>, QuestionError> {
        let mut found = Vec::new();
        let wanted = |lane: &Lane| self.lane.is_none_or(|only| only == *lane);
        for lane in Lane::ALL.into_iter().filter(wanted) {
            for (carrier, account, _) in store.lines(lane).await? {
                let is_wanted = self.account.is_none_or(|only| only == account);
                if carrier == self.carrier && is_wanted {
                    found.push((lane, account));
                }
            }
        }
        Ok(found)
    }

    /// The messages of one of its [`lines`](Self::lines) that come next, by id; `None` when all that were accepted
    /// before `until` have been given.
    pub(crate) async fn page(
        &self,
        store: &Store,
        (lane, account): (Lane, AccountId),
        (after, until): (&mut MessageId, MessageId),
        limit: usize,
    ) -> Result<Option<Vec<Waiting>>, QuestionError> {
        let mut page = store.waiting(lane, (self.carrier, account), *after, limit).await?;
        page.retain(|waiting| waiting.id < until);
        let Some(last) = page.last() else { return Ok(None) };
        *after = last.id;
        Ok(Some(page))
    }
}

/// Whether no part of a message has left, or may have.
pub(crate) fn is_whole(waiting: &Waiting) -> bool {
    waiting.parts_taken.is_empty() && waiting.parts_intended.is_empty()
}
