//! Taking messages back before they are handed over.

use domain::fact::{Fact, MessageFact};
use domain::id::AccountId;
use domain::problem::Problem;
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
    /// Not found, handed over already or ended.
    pub refused: Vec<RefusalDetail>,
}

impl Accept {
    /// Cancels messages by externalId; a request's externalId cancels all its messages.
    ///
    /// # Errors
    /// [`Refusal`] when the store can't be asked; then some may be cancelled, and asking again is safe.
    pub async fn cancel(&self, account: AccountId, external_ids: &[String]) -> Result<CancelOutcome, Refusal> {
        let mut outcome = CancelOutcome::default();
        for external_id in external_ids {
            let found =
                self.0.store.find(account, external_id).await.map_err(|error| storage_refusal(&error.into()))?;
            if found.is_empty() {
                outcome.refused.push(refused(Problem::MessageNotFound, external_id));
            }
            for record in found {
                self.cancel_one(account, record, &mut outcome).await?;
            }
        }
        Ok(outcome)
    }

    async fn cancel_one(
        &self,
        account: AccountId,
        record: MessageRecord,
        outcome: &mut CancelOutcome,
    ) -> Result<(), Refusal> {
        let inner = &*self.0;
        // Out of the line first: from here on no bind can take it, so that what is recorded is true.
        if record.status == Status::New && inner.enqueue.withdraw(record.id, account) {
            let at = inner.store.ids().clock().now();
            let fact = Fact::Message { id: record.id, at, what: MessageFact::Cancelled };
            let recorded = inner.store.record(record.id.lane(), vec![fact]).await;
            inner.enqueue.withdrawal_ended(record.id, account, recorded.is_ok());
            recorded.map_err(|error| storage_refusal(&error))?;
        }
        let now = inner.store.message(record.id).await.map_err(|error| storage_refusal(&error.into()))?;
        match now {
            Some(now) if now.status == Status::Cancelled => outcome.cancelled.push(now),
            _ => outcome.refused.push(refused(Problem::NotCancellable, &record.external_id)),
        }
        Ok(())
    }
}

fn refused(problem: Problem, external_id: &str) -> RefusalDetail {
    RefusalDetail { source: external_id.chars().take(80).collect(), ..detail(problem, "externalId", external_id) }
}
