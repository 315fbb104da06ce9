//! Where links lead, as far as it was looked up lately.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use domain::link::LinkId;
use quick_cache::sync::Cache;
use store::question::LinkTarget;

use super::bounds::{CLICKS_PER_TARGET_MAX, TARGET_LIFE, TARGETS_MAX};

/// A link that was looked up.
#[derive(Debug)]
pub(super) struct Target {
    pub link: LinkTarget,
    /// The `Location` of the answer.
    pub location: Arc<str>,
    looked_up: Instant,
    clicks: AtomicU32,
}

impl Target {
    pub(super) fn new(link: LinkTarget, location: String) -> Self {
        Self { link, location: location.into(), looked_up: Instant::now(), clicks: AtomicU32::new(0) }
    }

    /// Whether one more click is to be recorded.
    pub(super) fn takes_click(&self) -> bool {
        let count = |clicks: u32| (clicks < CLICKS_PER_TARGET_MAX).then_some(clicks + 1);
        self.clicks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count).is_ok()
    }
}

/// Bounded; what is asked for often stays.
pub(super) struct Targets(Cache<LinkId, Arc<Target>>);

impl Targets {
    pub(super) fn new() -> Self {
        Self(Cache::new(TARGETS_MAX))
    }

    /// A target that is believed still.
    pub(super) fn get(&self, link: LinkId) -> Option<Arc<Target>> {
        self.0.get(&link).filter(|target| target.looked_up.elapsed() < TARGET_LIFE)
    }

    pub(super) fn insert(&self, link: LinkId, target: &Arc<Target>) {
        self.0.insert(link, Arc::clone(target));
    }
}
