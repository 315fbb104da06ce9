//! Requests that are not kept in the time that anybody waits for it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use domain::request::Request;
use tokio::sync::oneshot;

use crate::error::RecordError;

const WAITS: u8 = 0;
const BEGUN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// Settles between a lane's writer and whoever waits for it what becomes of a request: it is either begun or withdrawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn(Arc<AtomicU8>);

impl Turn {
    /// The writer begins to keep the request; false if it was withdrawn.
    pub fn begin(&self) -> bool {
        self.leave_waiting_for(BEGUN)
    }

    /// Nobody waits for it any more: it is not to be kept. False if the writer has begun.
    pub fn withdraw(&self) -> bool {
        self.leave_waiting_for(WITHDRAWN)
    }

    fn leave_waiting_for(&self, next: u8) -> bool {
        let before = self.0.compare_exchange(WAITS, next, Ordering::AcqRel, Ordering::Acquire);
        before.is_ok() || before == Err(next)
    }
}

/// A request that the disk has and does not give back: whether it is kept will only be known later.
pub struct Late {
    request: Arc<Request>,
    told: oneshot::Receiver<Result<(), RecordError>>,
}

impl Late {
    pub(crate) fn new(request: Arc<Request>, told: oneshot::Receiver<Result<(), RecordError>>) -> Self {
        Self { request, told }
    }

    /// Waits for the end, however long that takes. Dropping the future changes nothing of it.
    ///
    /// # Errors
    /// [`RecordError`] when nothing was kept.
    pub async fn ended(self) -> Result<Arc<Request>, RecordError> {
        self.told.await.unwrap_or(Err(RecordError::Closed))?;
        Ok(self.request)
    }
}

impl fmt::Debug for Late {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Late").field(&self.request.id).finish()
    }
}

impl PartialEq for Late {
    fn eq(&self, other: &Self) -> bool {
        self.request.id == other.request.id
    }
}

impl Eq for Late {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_begun_or_withdrawn_and_stays_so() {
        let turn = Turn::default();
        assert!(turn.begin() && turn.begin() && !turn.withdraw());
        let turn = Turn::default();
        assert!(turn.withdraw() && turn.withdraw() && !turn.begin());
    }
}
