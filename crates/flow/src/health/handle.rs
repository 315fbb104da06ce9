//! The way to what is known of carriers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use domain::id::CarrierId;
use domain::lane::Lane;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::judge::Trouble;
use super::vital::Vital;

type Vitals = HashMap<CarrierId, Arc<Vital>, RandomState>;

/// The health of all carriers. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health(Arc<Inner>);

#[derive(Default)]
struct Inner {
    vitals: ArcSwap<Vitals>,
    adding: Mutex<()>,
    /// Rises whenever a share moves.
    moves: AtomicU64,
    moved: Notify,
}

/// How a carrier stands in one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Hundredths of the traffic that it is given where there is another way.
    pub share: u8,
    /// What is wrong with it, if its share is not full.
    pub trouble: Trouble,
}

impl Health {
    /// The signs of life of a carrier.
    #[must_use]
    pub fn vital(&self, carrier: CarrierId) -> Arc<Vital> {
        if let Some(vital) = self.0.vitals.load().get(&carrier) {
            return Arc::clone(vital);
        }
        let _one_at_a_time = self.0.adding.lock();
        let mut vitals = Vitals::clone(&self.0.vitals.load());
        let vital = Arc::clone(vitals.entry(carrier).or_default());
        self.0.vitals.store(Arc::new(vitals));
        vital
    }

    /// How a carrier stands; one that nothing is known of stands well.
    #[must_use]
    pub fn standing(&self, carrier: CarrierId, lane: Lane) -> Standing {
        let vitals = self.0.vitals.load();
        let known = vitals.get(&carrier);
        known.map_or(Standing { share: 100, trouble: Trouble::None }, |vital| Standing {
            share: vital.share(lane),
            trouble: vital.trouble(lane),
        })
    }

    /// Rises whenever a share moves.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.0.moves.load(Ordering::Acquire)
    }

    /// Resolves when a share moves.
    pub(crate) async fn moved(&self) {
        self.0.moved.notified().await;
    }

    pub(super) fn note_move(&self) {
        self.0.moves.fetch_add(1, Ordering::Release);
        self.0.moved.notify_waiters();
    }
}
