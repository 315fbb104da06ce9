//! Requests that are not kept in the time that anybody waits for it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use domain::request::Request;
use tokio::sync::{Notify, oneshot};

use crate::error::RecordError;

/// A request is waited for up to a twentieth longer than it should.
const LOOKS_PER_WAIT: u32 = 20;

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

/// How long requests are waited for. A timer for each of them would cost more than the wait is worth: nearly all are kept
/// within milliseconds. So all look at the time when they are told to.
pub(crate) struct Patience {
    within: Duration,
    look: Notify,
}

impl Patience {
    /// With the longest wait.
    pub fn new(within: Duration) -> Self {
        Self { within, look: Notify::new() }
    }

    /// How often [`Patience::look`] has to be called.
    pub fn tick(&self) -> Duration {
        self.within / LOOKS_PER_WAIT
    }

    /// Has everybody who waits look at the time.
    pub fn look(&self) {
        self.look.notify_waiters();
    }

    /// What a receiver is told; `None` if it is told nothing for too long.
    pub async fn wait<T>(&self, told: &mut oneshot::Receiver<T>) -> Option<Result<T, oneshot::error::RecvError>> {
        let began = Instant::now();
        loop {
            tokio::select! {
                biased;
                told = &mut *told => return Some(told),
                () = self.look.notified() => if began.elapsed() >= self.within { return None },
            }
        }
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

    #[tokio::test]
    async fn patience_ends_when_it_is_looked_at_and_not_before() {
        let patience = Patience::new(Duration::from_millis(50));
        let (tell, mut told) = oneshot::channel();
        let looking = async {
            loop {
                tokio::time::sleep(patience.tick()).await;
                patience.look();
            }
        };
        let began = Instant::now();
        let waited = tokio::select! {
            waited = patience.wait(&mut told) => waited,
            () = looking => unreachable!("it never ends"),
        };
        assert!(waited.is_none() && began.elapsed() >= Duration::from_millis(50), "{waited:?}");
        tell.send(7).expect("it is still listened to");
        assert_eq!(patience.wait(&mut told).await, Some(Ok(7)), "without any look");
    }

    #[test]
    fn a_request_is_begun_or_withdrawn_and_stays_so() {
        let turn = Turn::default();
        assert!(turn.begin() && turn.begin() && !turn.withdraw());
        let turn = Turn::default();
        assert!(turn.withdraw() && turn.withdraw() && !turn.begin());
    }
}
