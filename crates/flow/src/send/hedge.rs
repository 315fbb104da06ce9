//! A code that an operator does not answer is sent by another bind too, once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use domain::limits;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::carrier::CarrierState;
use crate::enqueue::{Job, Line};

/// How long an answer may take before another bind tries.
const AFTER: Duration = Duration::from_millis(limits::HEDGE_AFTER_MS);
/// How often it is looked whether there is another bind by now.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

const IN_FLIGHT: u8 = 0;
const ENDED: u8 = 1;
const HANDED_ON: u8 = 2;

/// A code in flight, looked at again when its time is over.
#[derive(Debug)]
pub(super) struct Watched {
    job: Arc<Job>,
    number: u8,
    written_at: Instant,
    state: AtomicU8,
}

impl Watched {
    /// The end is known. True if this bind still answers for the part, false if it was handed on to another.
    pub(super) fn end(&self) -> bool {
        self.state.swap(ENDED, Ordering::AcqRel) != HANDED_ON
    }

    fn has_ended(&self) -> bool {
        self.state.load(Ordering::Acquire) != IN_FLIGHT || self.job.has_ended() || self.job.is_settled(self.number)
    }

    fn hand_on(&self) -> bool {
        self.state.compare_exchange(IN_FLIGHT, HANDED_ON, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The codes one bind has in flight.
pub(super) struct Hedge(Arc<Inner>);

struct Inner {
    line: Arc<Line>,
    carrier: Arc<CarrierState>,
    /// Of the bind.
    index: u16,
    /// Codes were handed on and nothing was answered since.
    is_silent: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Oldest first; some may have ended.
    watched: VecDeque<Arc<Watched>>,
    /// A look at the oldest is planned.
    is_planned: bool,
}

impl Hedge {
    pub(super) fn new(line: Arc<Line>, carrier: Arc<CarrierState>, index: u16) -> Self {
        Self(Arc::new(Inner { line, carrier, index, is_silent: AtomicBool::new(false), state: Mutex::default() }))
    }

    /// Watches a code that was just written.
    pub(super) fn watch(&self, job: &Arc<Job>, number: u8) -> Arc<Watched> {
        let state = AtomicU8::new(IN_FLIGHT);
        let watched = Arc::new(Watched { job: Arc::clone(job), number, written_at: Instant::now(), state });
        let mut state = self.0.state.lock();
        state.forget_ended();
        state.watched.push_back(Arc::clone(&watched));
        if !std::mem::replace(&mut state.is_planned, true) {
            tokio::spawn(Arc::clone(&self.0).look());
        }
        watched
    }

    /// The operator answers.
    pub(super) fn answered(&self) {
        if self.0.is_silent.load(Ordering::Relaxed) && self.0.is_silent.swap(false, Ordering::AcqRel) {
            self.0.carrier.set_silent(self.0.index, false);
        }
    }

    /// Whether codes were handed on and nothing was answered since.
    pub(super) fn is_silent(&self) -> bool {
        self.0.is_silent.load(Ordering::Relaxed)
    }
}

impl State {
    fn forget_ended(&mut self) {
        while self.watched.front().is_some_and(|oldest| oldest.has_ended()) {
            self.watched.pop_front();
        }
    }
}

impl Inner {
    /// Looks when the oldest is due, as long as there is one.
    async fn look(self: Arc<Self>) {
        let mut at = Instant::now() + AFTER;
        loop {
            sleep_until(at).await;
            match self.hand_on_due() {
                Some(next) => at = next,
                None => return,
            }
        }
    }

    /// Hands on what is due and says when to look next.
    fn hand_on_due(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.forget_ended();
        let is_due = |watched: &Arc<Watched>| watched.written_at + AFTER <= now;
        let may_hand_on = state.watched.iter().any(is_due) && self.carrier.has_other_live(self.index);
        if may_hand_on {
            let due = state.watched.iter().take_while(|watched| is_due(watched)).count();
            let due: Vec<_> =
                state.watched.drain(..due).filter(|watched| !watched.has_ended() && watched.hand_on()).collect();
            if !due.is_empty() {
                // From here on this bind gets no codes, so that it does not get these back.
                self.is_silent.store(true, Ordering::Release);
                self.carrier.set_silent(self.index, true);
                self.carrier.hedged.fetch_add(due.len() as u64, Ordering::Relaxed);
                self.line.give_back(due.iter().map(|watched| (Arc::clone(&watched.job), watched.number)).collect());
            }
        }
        state.forget_ended();
        let next = state.watched.front().map(|oldest| (oldest.written_at + AFTER).max(now + LOOK_AGAIN));
        state.is_planned = next.is_some();
        next
    }
}
