//! The low-priority thread that seals spans, renews filters and verifies files.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::lane::Lane;
use tokio::sync::mpsc;

use super::database::Fault;
use super::limits::{SEAL_WAIT_MAX_MS, UNSEALED_SPANS_MAX};
use super::queue::Order;
use super::retention;
use super::seal;
use super::shared::Shared;
use super::span::Span;

/// How often the sealer looks round.
const TICK: Duration = Duration::from_millis(100);
/// Ticks between two looks for what is too old to keep.
const SWEEP_TICKS: u32 = 100;
/// Niceness of its thread: messages come first.
const NICENESS: i32 = 15;

/// Seals spans that have come to rest.
pub(crate) struct Sealer {
    shared: Arc<Shared>,
    orders: [mpsc::Sender<Order>; 2],
}

impl Sealer {
    /// A sealer for both lanes.
    pub fn new(shared: Arc<Shared>, orders: [mpsc::Sender<Order>; 2]) -> Self {
        Self { shared, orders }
    }

    /// Works until the store closes.
    pub fn run(self) {
        // Without the right to be nice it is merely less nice.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
        let tick = TICK.min(Duration::from_millis(self.shared.options.hooks.seal_quiet_ms.unsigned_abs().max(5)));
        let sweep_every = tick * SWEEP_TICKS;
        let mut swept = Instant::now();
        while self.shared.pause(tick) {
            while let Some(span) = self.next_to_seal() {
                let orders = &self.orders[span.name.lane.index()];
                let sealed = seal::seal(&self.shared, &span, orders);
                if !self.note(&span, sealed) || self.shared.is_closing() {
                    break;
                }
                span.verified.store(true, Ordering::Release);
            }
            self.look_after_sealed();
            if swept.elapsed() >= sweep_every {
                retention::sweep(&self.shared);
                swept = Instant::now();
            }
        }
    }

    /// The oldest span that is closed and at rest, or that has waited long enough.
    fn next_to_seal(&self) -> Option<Arc<Span>> {
        if self.shared.is_closing() {
            return None;
        }
        for lane in Lane::ALL {
            let spans = self.shared.spans.of_lane(lane);
            let waiting: Vec<_> = spans
                .into_iter()
                .filter(|span| span.is_closed() && !span.is_sealed() && span.damage().is_none())
                .collect();
            let hooks = &self.shared.options.hooks;
            let too_many = waiting.len() > UNSEALED_SPANS_MAX;
            let has_room = waiting.len() <= hooks.unsealed_waiting_max;
            let is_at_rest =
                |span: &Arc<Span>| span.idle_ms() >= hooks.seal_quiet_ms && !(has_room && span.waiting() > 0);
            let is_due = |span: &&Arc<Span>| too_many || is_at_rest(span) || span.closed_ms() >= SEAL_WAIT_MAX_MS;
            if let Some(span) = waiting.iter().find(is_due) {
                return Some(Arc::clone(span));
            }
        }
        None
    }

    fn look_after_sealed(&self) {
        for span in self.shared.spans.newest_first().iter() {
            if self.shared.is_closing() {
                return;
            }
            if span.damage().is_some() {
                continue;
            }
            if !span.verified.swap(true, Ordering::AcqRel) {
                let orders = &self.orders[span.name.lane.index()];
                let verified = if span.is_sealed() {
                    seal::verify(&self.shared, span, orders)
                } else {
                    self.verify_unsealed(span)
                };
                self.note(span, verified);
            }
            if span.is_sealed() && span.filters.needs_rebuild() {
                let renewed = seal::refresh_filters(&self.shared, span);
                self.note(span, renewed);
            }
        }
        self.free_filters();
    }

    /// A span that was written to before this start: its pages have no sums yet, so its structure is checked.
    fn verify_unsealed(&self, span: &Span) -> Result<(), Fault> {
        let checked = self.shared.connections.with_fault(span, seal::whole_file);
        checked.unwrap_or(Ok(()))
    }

    /// Lets go of the oldest filters when there are too many in memory.
    fn free_filters(&self) {
        for span in self.shared.spans.newest_first().iter().rev() {
            if !self.shared.filter_budget.is_over() {
                return;
            }
            span.filters.unload(&self.shared.filter_budget);
        }
    }

    /// Acts on a fault; true if there was none.
    fn note(&self, span: &Span, result: Result<(), Fault>) -> bool {
        match result {
            Ok(()) => return true,
            Err(Fault::Disk(text)) => self.shared.disk_failed(&span.short_name, &text),
            Err(Fault::Full) => {
                self.shared.disk.found_full();
            }
            Err(Fault::Corrupt(place) | Fault::BadRow(place)) => {
                span.set_damaged(&place);
            }
            Err(Fault::Interrupted) => {}
            Err(Fault::Other(reason)) => {
                tracing::warn!(target: "store", file = &*span.short_name, reason, "a span could not be sealed or checked, it is tried again");
            }
        }
        false
    }
}
