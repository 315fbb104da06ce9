//! Asking the service: each lane with calls of its own, answers remembered, failures counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::clock::Clock;
use domain::lane::Lane;
use domain::phone::Phone;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::bounds::{PRIORITY_CALLS_MAX, STANDARD_CALLS_MAX};
use super::breaker::Breaker;
use super::cache::Cache;
use super::known::{Known, LookUpError};
use super::source::Source;

/// The service with everything that keeps it and us from harm.
pub(super) struct Calls {
    source: Source,
    pub(super) cache: Cache,
    pub(super) breaker: Breaker,
    clock: Clock,
    /// Calls that may be made, by lane.
    permits: [Arc<Semaphore>; 2],
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
}

impl Calls {
    pub(super) fn new(source: Source, cache: Cache, clock: Clock) -> Self {
        let permits = Lane::ALL.map(|lane| match lane {
            Lane::Priority => PRIORITY_CALLS_MAX,
            Lane::Standard => STANDARD_CALLS_MAX,
        });
        let permits = permits.map(|count| Arc::new(Semaphore::new(count)));
        let (answered, failed) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { source, cache, breaker: Breaker::default(), clock, permits, answered, failed }
    }

    /// What is remembered of a number; an inner `None`: that the service does not know it.
    pub(super) fn remembered(&self, phone: Phone) -> Option<Option<Arc<Known>>> {
        self.cache.get(phone, self.clock.now())
    }

    /// Waits for the right to make a call.
    pub(super) async fn permit(&self, lane: Lane) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits[lane.index()]).acquire_owned().await.ok()
    }

    /// Makes one call and remembers what it brings.
    pub(super) async fn ask(
        &self,
        phone: Phone,
        _permit: OwnedSemaphorePermit,
    ) -> Result<Option<Arc<Known>>, LookUpError> {
        let answer = self.source.ask(phone).await;
        let was_open = self.breaker.is_open();
        self.breaker.note(answer.is_ok(), Instant::now());
        match answer {
            Ok(known) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                if was_open {
                    tracing::info!(target: "route", "the number-portability service answers again");
                }
                let known = known.map(Arc::new);
                self.cache.put(phone, known.clone(), self.clock.now());
                Ok(known)
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                if !was_open && self.breaker.is_open() {
                    tracing::warn!(target: "route", %error, "number portability is left alone for a while: networks go by number ranges");
                }
                Err(error)
            }
        }
    }
}
