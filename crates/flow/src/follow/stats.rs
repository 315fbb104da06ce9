//! What became of opened links, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::click::Agent;

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Stats {
    agents: [AtomicU64; Agent::ALL.len()],
    /// Codes that name no link that is kept.
    pub unknown: AtomicU64,
    /// Clicks that were recorded behind their redirect, because the disk was slow.
    pub late: AtomicU64,
    /// Clicks that were not recorded, because the disk was full or the store failed.
    pub lost: AtomicU64,
    /// Clicks beyond what is recorded of one link in a short time.
    pub limited: AtomicU64,
}

impl Stats {
    /// Links opened by that kind of agent.
    #[must_use]
    pub fn opened(&self, agent: Agent) -> u64 {
        self.agents[usize::from(agent.code())].load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, agent: Agent) {
        self.agents[usize::from(agent.code())].fetch_add(1, Ordering::Relaxed);
    }
}
