//! The API's side of the house.

use std::future::Future;
use std::sync::Arc;

use domain::control::{Account, Control, Endpoint, EventKind};
use domain::fact::EventId;
use domain::id::AccountId;
use domain::person::{OptOut, OptOutKey, PersonFact, Talk, TalkKey};
use flow::accept::{CancelOutcome, Granted, Order, Preview, Refusal};
use flow::explain::Account as Explained;
use flow::portability::NumberFacts;
use flow::tell::{Answer as WebhookAnswer, EndpointView};
use store::question::{AttemptPage, AttemptQuery, EventCursor, EventPage, EventRecord, SearchPage, SearchQuery};
use store::question::{ClickPage, ClickQuery};
use store::question::{ConversationPage, ConversationQuery, IncomingPage, IncomingQuery};

use crate::envelope::Rejection;

/// Everything the API calls. Methods must not block.
pub trait Backend: Send + Sync + 'static {
    /// The current control data.
    fn control(&self) -> Arc<Control>;

    /// Accepts an order; durable when `Ok`.
    fn send(&self, order: Order) -> impl Future<Output = Result<Granted, Refusal>> + Send;

    /// What an order would do; refused as the order itself would be.
    fn preview(&self, order: &Order) -> impl Future<Output = Result<Preview, Refusal>> + Send;

    /// What is known of a number.
    fn look_up(&self, account: &Account, number: &str) -> impl Future<Output = Result<NumberFacts, Refusal>> + Send;

    /// Cancels messages by externalId.
    fn cancel(
        &self,
        account: AccountId,
        external_ids: &[String],
    ) -> impl Future<Output = Result<CancelOutcome, Refusal>> + Send;

    /// An account's events after a cursor, in the order in which they were written.
    fn events(
        &self,
        account: AccountId,
        after: EventCursor,
        limit: usize,
    ) -> impl Future<Output = Result<EventPage, Rejection>> + Send;

    /// An account's events that were given up, by id.
    fn dead_letters(
        &self,
        account: AccountId,
        after: EventId,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<EventRecord>, Rejection>> + Send;

    /// The account's events among `ids`.
    fn events_by_id(
        &self,
        account: AccountId,
        ids: Vec<EventId>,
    ) -> impl Future<Output = Result<Vec<EventRecord>, Rejection>> + Send;

    /// Has events told again; durable when `Ok`.
    fn replay(&self, events: Vec<EventId>) -> impl Future<Output = Result<(), Rejection>> + Send;

    /// One page of incoming messages.
    fn incoming(&self, query: IncomingQuery) -> impl Future<Output = Result<IncomingPage, Rejection>> + Send;

    /// One page of what a number and a person wrote to each other.
    fn conversation(
        &self,
        query: ConversationQuery,
    ) -> impl Future<Output = Result<ConversationPage, Rejection>> + Send;

    /// An account's opt-out list after `after`.
    fn opt_outs(&self, account: AccountId, after: Option<&OptOutKey>, limit: usize) -> Vec<OptOut>;

    /// The entries of one person, whatever the sender in `key`.
    fn opt_outs_of(&self, key: &OptOutKey) -> Vec<OptOut>;

    /// An account's talks with bots after `after`, by number and person.
    fn talks(&self, account: AccountId, after: Option<&TalkKey>, limit: usize) -> Vec<Arc<Talk>>;

    /// One of them.
    fn talk(&self, key: &TalkKey) -> Option<Arc<Talk>>;

    /// Records what is now known of people; durable when `Ok`.
    fn record_people(&self, facts: Vec<PersonFact>) -> impl Future<Output = Result<(), Rejection>> + Send;

    /// The account's webhook endpoints.
    fn endpoints(&self, account: AccountId) -> Vec<EndpointView>;

    /// Calls an endpoint once; the text says why it may not be called at all.
    fn try_out(&self, endpoint: &Endpoint) -> impl Future<Output = Result<WebhookAnswer, String>> + Send;

    /// Has endpoints called again that are off; says how many there were.
    fn turn_on(&self, account: AccountId, kind: EventKind, url: Option<String>) -> impl Future<Output = usize> + Send;

    /// An account's attempts to call webhooks, newest first.
    fn attempts(&self, query: AttemptQuery) -> impl Future<Output = Result<AttemptPage, Rejection>> + Send;

    /// Everything that is known of an account's messages with that externalId.
    fn explain(
        &self,
        account: AccountId,
        external_id: &str,
    ) -> impl Future<Output = Result<Vec<Explained>, Rejection>> + Send;

    /// One page of an account's messages.
    fn search(&self, query: SearchQuery) -> impl Future<Output = Result<SearchPage, Rejection>> + Send;

    /// One page of clicks on an account's short links; only on those of messages with `external_id`, where
    /// one is given.
    fn clicks(
        &self,
        query: ClickQuery,
        external_id: Option<&str>,
    ) -> impl Future<Output = Result<ClickPage, Rejection>> + Send;
}
