//! Taking messages back before they are handed over.

use domain::fact::{Fact, MessageFact};
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::problem::Problem;
use domain::request::Request;
use domain::state::Status;
use store::question::MessageRecord;

use super::check::detail;
use super::grant::{Accept, storage_refusal};
use super::order::{Refusal, RefusalDetail};

/// What became of a cancel, message by message.
#[derive(Clone, Debug, Default)]
pub struct CancelOutcome {
    /// Taken back; an earlier cancel counts as well.
    pub cancelled: Vec<MessageRecord>,
    /// Not found, left already, or ended.
    pub refused: Vec<RefusalDetail>,
}

impl Accept {
    /// Cancels messages by externalId; a request's externalId cancels all its messages.
    ///
    /// It goes in two steps: first everything is taken out of the lines, so that nothing more leaves, then
    /// it is recorded, and what had left already is told as it stands.
    ///
    /// # Errors
    /// [`Refusal`] when the store can't be asked; then some may be cancelled, and asking again is safe.
    pub async fn cancel(&self, account: AccountId, external_ids: &[String]) -> Result<CancelOutcome, Refusal> {
        let mut outcome = CancelOutcome::default();
        for external_id in external_ids {
            let found =
                self.0.store.find(account, external_id).await.map_err(|error| storage_refusal(&error.into()))?;
            if found.is_empty() {
                let refused = detail(Problem::MessageNotFound, "externalId", external_id);
                outcome.refused.push(RefusalDetail { source: shortened(external_id), ..refused });
            }
            self.cancel_all(account, found, &mut outcome).await?;
        }
        Ok(outcome)
    }

    async fn cancel_all(
        &self,
        account: AccountId,
        found: Vec<MessageRecord>,
        outcome: &mut CancelOutcome,
    ) -> Result<(), Refusal> {
        let inner = &*self.0;
        // Out of the line first: from here on no bind can take them, so that what is recorded is true.
        let is_held_back = |id: &MessageId| inner.enqueue.withdraw(*id, account);
        let new = found.iter().filter(|record| record.status == Status::New).map(|record| record.id);
        let withdrawn: Vec<MessageId> = new.filter(is_held_back).collect();
        self.record_cancelled(account, &withdrawn).await.map_err(|error| storage_refusal(&error))?;
        for record in found {
            let now = inner.store.message(record.id).await.map_err(|error| storage_refusal(&error.into()))?;
            match now {
                Some(now) if now.status == Status::Cancelled => outcome.cancelled.push(now),
                now => {
                    let has_ended = now.is_none_or(|now| now.status.is_outcome());
                    let problem = if has_ended { Problem::NotCancellable } else { Problem::HandedOver };
                    let refused = detail(problem, "externalId", &record.external_id);
                    outcome.refused.push(RefusalDetail { source: shortened(&record.external_id), ..refused });
                }
            }
        }
        Ok(())
    }

    async fn record_cancelled(&self, account: AccountId, withdrawn: &[MessageId]) -> Result<(), store::RecordError> {
        let inner = &*self.0;
        let at = inner.store.ids().clock().now();
        let mut recorded = Ok(());
        for lane in Lane::ALL {
            let own = || withdrawn.iter().copied().filter(|id| id.lane() == lane);
            let facts: Vec<Fact> = own().map(|id| Fact::Message { id, at, what: MessageFact::Cancelled }).collect();
            if facts.is_empty() {
                continue;
            }
            let of_lane = inner.store.record(lane, facts).await;
            own().for_each(|id| inner.enqueue.withdrawal_ended(id, account, of_lane.is_ok()));
            recorded = recorded.and(of_lane);
        }
        recorded
    }

    /// Takes back codes to the same numbers that were not sent yet: a newer one makes them worthless.
    pub(super) fn take_back_older(&self, request: &Request) {
        let account = request.account;
        let older: Vec<MessageId> = request
            .messages
            .iter()
            .enumerate()
            .filter_map(|(index, message)| self.0.codes.replace(account, message.phone, request.message_id(index)))
            .filter(|id| self.0.enqueue.withdraw(*id, account))
            .collect();
        if older.is_empty() {
            return;
        }
        let accept = self.clone();
        tokio::spawn(async move {
            // What was sent already is left as it is by the rules of the states.
            if let Err(error) = accept.record_cancelled(account, &older).await {
                tracing::warn!(target: "accept", %error, "older codes could not be taken back; they are sent");
            }
        });
    }
}

fn shortened(external_id: &str) -> String {
    external_id.chars().take(80).collect()
}
