//! What the store says of itself.

use std::sync::atomic::Ordering;

use super::engine::Engine;
use crate::question::Health;

impl Engine {
    /// A snapshot for metrics and health.
    pub fn health(&self) -> Health {
        let shared = &self.shared;
        let mut health = Health {
            accepts: shared.disk.accepts() && !shared.has_failed() && !shared.is_closing(),
            disk_free_octets: shared.disk.free_octets(),
            parked_receipts: shared.parked.len(),
            orphans_expired: shared.orphans_expired.load(Ordering::Relaxed),
            operator_ids_reused: shared.operator_ids_reused.load(Ordering::Relaxed),
            people: shared.people.counts(),
            ..Health::default()
        };
        for span in shared.spans.newest_first().iter() {
            let state = if span.is_sealed() { 2 } else { usize::from(span.is_closed()) };
            health.spans[state] += 1;
            if span.commits_pending.load(Ordering::Acquire) > 0 {
                health.wal_octets += span.log_octets.load(Ordering::Relaxed);
            }
        }
        for (lane, metrics) in shared.metrics.iter().enumerate() {
            let orders = &self.orders[lane];
            health.queued_batches[lane] = orders.max_capacity() - orders.capacity();
            health.commits[lane] = metrics.commits.load(Ordering::Relaxed);
            health.facts[lane] = metrics.facts.load(Ordering::Relaxed);
            health.commit_microseconds[lane] = metrics.histogram();
            health.commit_microseconds_sum[lane] = metrics.microseconds_sum.load(Ordering::Relaxed);
        }
        health
    }
}
