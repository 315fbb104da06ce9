//! What this stage needs of the store.

use std::pin::Pin;
use std::sync::Arc;

use domain::control::Control;
use domain::event::Event;
use domain::fact::{EventId, Fact, WebhookCall};
use domain::lane::Lane;
use domain::webhook::{Attempt, EndpointName, EndpointTrouble, Missed};
use store::Store;

use super::error::OutboxError;

/// A future behind a pointer, for traits that are used through one.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What this stage needs of the store.
pub trait Outbox: Send + Sync + 'static {
    /// The current control data.
    fn control(&self) -> Arc<Control>;

    /// Makes the ends of calls durable, in this order.
    fn record(&self, lane: Lane, calls: Vec<WebhookCall>) -> BoxFuture<'_, Result<(), OutboxError>>;

    /// Endpoints that do nothing but fail, or are not called any more, from an earlier run.
    fn troubles(&self) -> BoxFuture<'_, Result<Vec<EndpointTrouble>, OutboxError>>;

    /// Remembers the trouble of an endpoint over a restart.
    fn keep_trouble(&self, trouble: EndpointTrouble) -> BoxFuture<'_, Result<(), OutboxError>>;

    /// Forgets the trouble of an endpoint.
    fn end_trouble(&self, name: EndpointName) -> BoxFuture<'_, Result<(), OutboxError>>;

    /// Keeps attempts for a look at them, and counts those that could not be kept.
    fn keep_attempts(&self, attempts: Vec<Attempt>, missed: Vec<Missed>) -> BoxFuture<'_, Result<(), OutboxError>>;

    /// Makes it durable that events are to be told again, whatever became of them before.
    fn replay(&self, lane: Lane, events: Vec<EventId>) -> BoxFuture<'_, Result<(), OutboxError>>;

    /// Events neither told nor given up, by [`EventId`], beginning after `after`; fewer than `limit` at the end.
    fn untold(&self, lane: Lane, after: EventId, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, OutboxError>>;
}

impl Outbox for Store {
    fn control(&self) -> Arc<Control> {
        Store::control(self)
    }

    fn record(&self, lane: Lane, calls: Vec<WebhookCall>) -> BoxFuture<'_, Result<(), OutboxError>> {
        let facts = calls.into_iter().map(Fact::Called).collect();
        Box::pin(async move { Store::record(self, lane, facts).await.map_err(|error| OutboxError(error.to_string())) })
    }

    fn troubles(&self) -> BoxFuture<'_, Result<Vec<EndpointTrouble>, OutboxError>> {
        Box::pin(async move { Store::endpoint_troubles(self).await.map_err(|error| OutboxError(error.to_string())) })
    }

    fn keep_trouble(&self, trouble: EndpointTrouble) -> BoxFuture<'_, Result<(), OutboxError>> {
        Box::pin(async move {
            Store::keep_endpoint_trouble(self, trouble).await.map_err(|error| OutboxError(error.to_string()))
        })
    }

    fn end_trouble(&self, name: EndpointName) -> BoxFuture<'_, Result<(), OutboxError>> {
        Box::pin(async move {
            Store::end_endpoint_trouble(self, name).await.map_err(|error| OutboxError(error.to_string()))
        })
    }

    fn keep_attempts(&self, attempts: Vec<Attempt>, missed: Vec<Missed>) -> BoxFuture<'_, Result<(), OutboxError>> {
        Box::pin(async move {
            Store::keep_attempts(self, attempts, missed).await.map_err(|error| OutboxError(error.to_string()))
        })
    }

    fn replay(&self, lane: Lane, events: Vec<EventId>) -> BoxFuture<'_, Result<(), OutboxError>> {
        let facts = vec![Fact::Replayed(events)];
        Box::pin(async move { Store::record(self, lane, facts).await.map_err(|error| OutboxError(error.to_string())) })
    }

    fn untold(&self, lane: Lane, after: EventId, limit: usize) -> BoxFuture<'_, Result<Vec<Event>, OutboxError>> {
        Box::pin(async move {
            Store::untold(self, lane, after, limit).await.map_err(|error| OutboxError(error.to_string()))
        })
    }
}
