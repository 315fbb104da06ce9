//! The API's side of the house.

use std::future::Future;
use std::sync::Arc;

use domain::control::Control;
use domain::id::AccountId;
use flow::accept::{CancelOutcome, Granted, Order, Preview, Refusal};
use store::question::{SearchPage, SearchQuery};

use crate::envelope::Rejection;

/// Everything the API calls. Methods must not block.
pub trait Backend: Send + Sync + 'static {
    /// The current control data.
    fn control(&self) -> Arc<Control>;

    /// Accepts an order; durable when `Ok`.
    fn send(&self, order: Order) -> impl Future<Output = Result<Granted, Refusal>> + Send;

    /// What an order would do.
    ///
    /// # Errors
    /// [`Refusal`] as the order itself would get.
    fn preview(&self, order: &Order) -> Result<Preview, Refusal>;

    /// Cancels messages by externalId.
    fn cancel(
        &self,
        account: AccountId,
        external_ids: &[String],
    ) -> impl Future<Output = Result<CancelOutcome, Refusal>> + Send;

    /// One page of an account's messages.
    fn search(&self, query: SearchQuery) -> impl Future<Output = Result<SearchPage, Rejection>> + Send;
}
