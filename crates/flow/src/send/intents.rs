//! Parts that must not be sent twice: what is about to be written is made durable first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::control::Carrier;
use domain::lane::Lane;
use parking_lot::Mutex;
use smpp::session::SessionHandle;

use crate::enqueue::{Job, Line};
use crate::settle::Settle;

type Part = (Arc<Job>, u8);

/// The intents of one bind. What is in here has its slot in the window and its share of the rate.
pub(super) struct Intents {
    settle: Settle,
    carrier: Arc<Carrier>,
    lines: [Arc<Line>; 2],
    session: SessionHandle,
    state: Arc<Mutex<State>>,
    /// Parts that have a slot and are not written, by lane.
    counts: Arc<[AtomicUsize; 2]>,
}

#[derive(Default)]
struct State {
    /// Durable: to be written.
    ready: VecDeque<Part>,
    /// The session is over.
    ended: bool,
}

impl Intents {
    pub(super) fn new(settle: Settle, carrier: Arc<Carrier>, lines: [Arc<Line>; 2], session: SessionHandle) -> Self {
        Self { settle, carrier, lines, session, state: Arc::default(), counts: Arc::default() }
    }

    /// Parts of a lane that have a slot and are not written.
    pub(super) fn count(&self, lane: Lane) -> usize {
        self.counts[lane.index()].load(Ordering::Relaxed)
    }

    /// Makes the intent of all `parts` durable in one batch; then they are [`Intents::next`].
    pub(super) fn intend(&self, lane: Lane, parts: Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        self.counts[lane.index()].fetch_add(parts.len(), Ordering::Relaxed);
        let names: Vec<_> = parts.iter().map(|(job, number)| (job.id, *number)).collect();
        let (state, line, session) =
            (Arc::clone(&self.state), Arc::clone(&self.lines[lane.index()]), self.session.clone());
        let (settle, counts) = (self.settle.clone(), Arc::clone(&self.counts));
        self.settle.intended(self.carrier.id, lane, &names, move |is_durable| {
            let mut state = state.lock();
            parts.iter().for_each(|(job, number)| job.set_intended(*number, is_durable));
            if is_durable && !state.ended {
                state.ready.extend(parts);
                drop(state);
                session.wake();
            } else {
                drop(state);
                counts[lane.index()].fetch_sub(parts.len(), Ordering::Relaxed);
                take_back(&settle, &line, parts);
            }
        });
    }

    /// A part that may be written now.
    pub(super) fn next(&self) -> Option<Part> {
        if self.counts.iter().all(|count| count.load(Ordering::Relaxed) == 0) {
            return None;
        }
        let part = self.state.lock().ready.pop_front()?;
        self.counts[part.0.id.lane().index()].fetch_sub(1, Ordering::Relaxed);
        Some(part)
    }

    /// A part from [`Intents::next`] that found no room after all.
    pub(super) fn put_back(&self, part: Part) {
        self.counts[part.0.id.lane().index()].fetch_add(1, Ordering::Relaxed);
        self.state.lock().ready.push_front(part);
    }
}

/// What was not written waits again, for any bind.
impl Drop for Intents {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        state.ended = true;
        let ready = std::mem::take(&mut state.ready);
        drop(state);
        for part in ready {
            let line = &self.lines[part.0.id.lane().index()];
            take_back(&self.settle, line, vec![part]);
        }
    }
}

/// Parts that were not written: their intent is taken back before anybody else can intend them.
pub(super) fn take_back(settle: &Settle, line: &Line, parts: Vec<Part>) {
    parts.iter().for_each(|(job, number)| forget(settle, job, *number));
    line.give_back(parts);
}

/// A part is not written now: its intent, if there is one, is taken back.
pub(super) fn forget(settle: &Settle, job: &Job, number: u8) {
    if job.is_intended(number) {
        job.set_intended(number, false);
        settle.not_sent(job.id, number);
    }
}
