//! The way in for those who tell events: what is to be told, what became of it, and what is known of endpoints.

use domain::event::Event;
use domain::fact::EventId;
use domain::id::AccountId;
use domain::lane::Lane;
use domain::webhook::{Attempt, EndpointName, EndpointTrouble, Missed};

use crate::embedded::ask_events;
use crate::embedded::shared::Shared;
use crate::error::QuestionError;
use crate::handle::Store;
use crate::question::{AttemptPage, AttemptQuery, EventCursor, EventPage, EventRecord};

impl Store {
    /// Events neither told nor given up, after `after`, by id.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn untold(&self, lane: Lane, after: EventId, limit: usize) -> Result<Vec<Event>, QuestionError> {
        self.engine.prompt.ask(move |shared| ask_events::untold(shared, lane, after, limit)).await
    }

    /// An account's events after `after`, whether they were told or not, in the order in which they were
    /// written; at most `limit`.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn events(
        &self,
        account: AccountId,
        after: EventCursor,
        limit: usize,
    ) -> Result<EventPage, QuestionError> {
        self.engine.patient.ask(move |shared| ask_events::events(shared, account, after, limit)).await
    }

    /// An account's events that were given up, after `after`, by id; at most `limit`.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn dead_letters(
        &self,
        account: AccountId,
        after: EventId,
        limit: usize,
    ) -> Result<Vec<EventRecord>, QuestionError> {
        self.engine.patient.ask(move |shared| ask_events::dead_letters(shared, account, after, limit)).await
    }

    /// The account's events among `ids`; what is not kept any more or belongs to somebody else is left out.
    ///
    /// # Errors
    /// [`QuestionError`] when the answer lies in damaged data or the store is too busy.
    pub async fn events_by_id(&self, account: AccountId, ids: Vec<EventId>) -> Result<Vec<EventRecord>, QuestionError> {
        self.engine.patient.ask(move |shared| ask_events::by_id(shared, account, &ids)).await
    }

    /// Endpoints that do nothing but fail, or are not called any more.
    ///
    /// # Errors
    /// [`QuestionError`] when the store is too busy or the disk refuses.
    pub async fn endpoint_troubles(&self) -> Result<Vec<EndpointTrouble>, QuestionError> {
        self.engine.patient.ask(|shared| shared.webhooks.troubles()).await
    }

    /// Remembers the trouble of an endpoint in place of what was known of it.
    ///
    /// # Errors
    /// [`QuestionError`] when the store is too busy or the disk refuses.
    pub async fn keep_endpoint_trouble(&self, trouble: EndpointTrouble) -> Result<(), QuestionError> {
        self.engine.patient.ask(move |shared| shared.webhooks.keep_trouble(&trouble)).await
    }

    /// Forgets the trouble of an endpoint.
    ///
    /// # Errors
    /// [`QuestionError`] when the store is too busy or the disk refuses.
    pub async fn end_endpoint_trouble(&self, name: EndpointName) -> Result<(), QuestionError> {
        self.engine.patient.ask(move |shared| shared.webhooks.end_trouble(&name)).await
    }

    /// Keeps attempts to call webhooks for a look at them, and counts those that could not be kept. What is too old
    /// goes, and beyond the room there is the oldest of the account that has the most.
    ///
    /// # Errors
    /// [`QuestionError`] when the store is too busy or the disk refuses.
    pub async fn keep_attempts(&self, attempts: Vec<Attempt>, missed: Vec<Missed>) -> Result<(), QuestionError> {
        let keep = move |shared: &Shared| shared.webhooks.keep_attempts(&attempts, &missed, shared.clock.now());
        self.engine.patient.ask(keep).await
    }

    /// An account's attempts to call webhooks, newest first.
    ///
    /// # Errors
    /// [`QuestionError`] when the store is too busy or the disk refuses.
    pub async fn attempts(&self, query: AttemptQuery) -> Result<AttemptPage, QuestionError> {
        self.engine.patient.ask(move |shared| shared.webhooks.attempts(&query)).await
    }
}
