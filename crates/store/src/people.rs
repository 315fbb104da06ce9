//! The way in to what people write, and to what is known of them.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::id::AccountId;
use domain::incoming::{IncomingMessage, IncomingPart};
use domain::person::{OptOut, OptOutKey, PersonFact, Talk, TalkKey};
use domain::phone::Phone;

use crate::embedded::ask_incoming;
use crate::embedded::people::PersonOrder;
use crate::error::{QuestionError, RecordError};
use crate::handle::Store;
use crate::question::{ConversationPage, ConversationQuery, IncomingPage, IncomingQuery};

impl Store {
    /// One page of incoming messages. A message that was just kept is there.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn incoming(&self, query: IncomingQuery) -> Result<IncomingPage, QuestionError> {
        self.engine.patient.ask(move |shared| ask_incoming::search(shared, &query)).await
    }

    /// One page of what a number and a person wrote to each other.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn conversation(&self, query: ConversationQuery) -> Result<ConversationPage, QuestionError> {
        self.engine.patient.ask(move |shared| ask_incoming::conversation(shared, &query)).await
    }

    /// Incoming messages that came at or after `since` and for which something is still to be done.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn incoming_unhandled(
        &self,
        since: UnixMillis,
        limit: usize,
    ) -> Result<Vec<IncomingMessage>, QuestionError> {
        self.engine.patient.ask(move |shared| ask_incoming::unhandled(shared, since, limit)).await
    }

    /// Parts of long incoming messages that came at or after `since` and are not in a whole message, oldest
    /// first, with whether their message was told as far as it came. The newest `limit` of them.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn incoming_parts(
        &self,
        since: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(IncomingPart, bool)>, QuestionError> {
        self.engine.patient.ask(move |shared| ask_incoming::parts(shared, since, limit)).await
    }

    /// Records what is now known of people; it is on stable storage, and known to everybody who asks, when
    /// this returns `Ok`.
    ///
    /// # Errors
    /// [`RecordError::StorageFull`] when the disk is full, [`RecordError::Closed`] when the store is.
    pub async fn record_people(&self, facts: Vec<PersonFact>) -> Result<(), RecordError> {
        let orders = self.engine.people.lock().clone().ok_or(RecordError::Closed)?;
        let (order, told) = PersonOrder::new(facts);
        orders.send(order).await.map_err(|_| RecordError::Closed)?;
        drop(orders);
        told.await.unwrap_or(Err(RecordError::Closed))
    }

    /// Whether somebody wants nothing from this sender of the account; cheap.
    #[must_use]
    pub fn is_opted_out(&self, account: AccountId, sender: &str, phone: Phone) -> bool {
        self.engine.shared.people.is_opted_out(account, sender, phone)
    }

    /// An account's opt-out list after `after`, by number and sender.
    #[must_use]
    pub fn opt_outs(&self, account: AccountId, after: Option<&OptOutKey>, limit: usize) -> Vec<OptOut> {
        self.engine.shared.people.opt_outs(account, after, limit)
    }

    /// A person's entries on an account's opt-out list.
    #[must_use]
    pub fn opt_outs_of(&self, account: AccountId, phone: Phone) -> Vec<OptOut> {
        self.engine.shared.people.opt_outs_of(account, phone)
    }

    /// Where somebody stands in a talk with a bot; cheap.
    #[must_use]
    pub fn talk(&self, key: &TalkKey) -> Option<Arc<Talk>> {
        self.engine.shared.people.talk(key)
    }

    /// An account's talks after `after`, by number and person.
    #[must_use]
    pub fn talks(&self, account: AccountId, after: Option<&TalkKey>, limit: usize) -> Vec<Arc<Talk>> {
        self.engine.shared.people.talks(account, after, limit)
    }

    /// Talks that end by themselves at or before `now`; cheap.
    #[must_use]
    pub fn talks_due(&self, now: UnixMillis, limit: usize) -> Vec<Arc<Talk>> {
        self.engine.shared.people.talks_due(now, limit)
    }
}
