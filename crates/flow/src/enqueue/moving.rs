//! Moving messages from one line to another: a message is in one line at a time.
//!
//! Who moves takes messages out of a line ([`Line::take_whole`], [`Line::take_unwanted`]). They stay held by
//! it, so that no fetch brings them back meanwhile, and get a place in the other ([`Line::reserve`]). When the
//! new carrier is durable, [`hand_over`] gives them over under the locks of both.

use std::cmp::Reverse;
use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::id::MessageId;
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::job::{Entry, Job};
use super::line::{Delayed, IdSet, Line, State};

/// A message that was taken out of a line, with all its parts.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The message.
    pub entry: Entry,
    /// Not to be tried before, if it was kept for later.
    pub due_at: Option<UnixMillis>,
}

/// A message that the line's carrier refused for reasons of its own.
#[derive(Debug)]
pub(crate) struct Unwanted {
    /// The message with the parts that were refused.
    pub entry: Entry,
    /// What the operator answered last.
    pub command_status: u32,
    /// Where it is to be written anew for the same carrier: the form it adopts. 0 = it looks for another carrier.
    pub forms: u8,
}

impl Line {
    /// The carrier refused a part for reasons of its own: the message looks for another way.
    pub fn unwanted(&self, job: Arc<Job>, number: u8, command_status: u32) {
        self.gather(job, number, command_status, 0);
    }

    /// The carrier refused a part for the form it was written in: when all parts are back, the message waits here again
    /// and is written in this form too.
    pub fn rewrite(&self, job: Arc<Job>, number: u8, command_status: u32, forms: u8) {
        self.gather(job, number, command_status, forms);
    }

    fn gather(&self, job: Arc<Job>, number: u8, command_status: u32, forms: u8) {
        let mut state = self.state.lock();
        let known = state.unwanted.iter_mut().find(|unwanted| Arc::ptr_eq(&unwanted.entry.job, &job));
        let entry = Entry::part(job, number);
        match known {
            Some(unwanted) => {
                unwanted.entry.parts |= entry.parts;
                unwanted.forms |= forms;
            }
            None => state.unwanted.push(Unwanted { entry, command_status, forms }),
        }
    }

    /// Takes out what the carrier refused and none of whose parts is with it any more.
    pub(crate) fn take_unwanted(&self) -> Vec<Unwanted> {
        let mut state = self.state.lock();
        let settled = |unwanted: &mut Unwanted| {
            let entry = &unwanted.entry;
            entry.is_whole() || entry.job.is_partly_taken() || entry.job.has_ended()
        };
        if state.unwanted.is_empty() { Vec::new() } else { state.unwanted.extract_if(.., settled).collect() }
    }

    /// Takes out all messages that are here with all their parts, the oldest first.
    pub(crate) fn take_whole(&self) -> Vec<Whole> {
        let mut state = self.state.lock();
        let whole = state.take_whole(|_| true);
        self.note_length(&state);
        whole
    }

    /// Takes messages out of the line and removes from `ids` those that a bind or somebody who moves them has. No bind
    /// can take the others until [`Line::withdrawal_ended`].
    pub(super) fn withdraw_all(&self, ids: &mut IdSet) {
        let mut state = self.state.lock();
        for Whole { entry, .. } in state.take_whole(|id| ids.contains(&id)) {
            state.release(entry.job.id);
        }
        ids.retain(|id| !state.held.contains_key(id));
        state.withdrawn.extend(ids.iter());
        self.note_length(&state);
    }

    /// These were not withdrawn after all, because a bind has them.
    pub(super) fn withdrawals_refused(&self, ids: &IdSet) {
        if !ids.is_empty() {
            self.state.lock().withdrawn.retain(|id| !ids.contains(id));
        }
    }

    /// Puts back what was taken out and stays after all, where it belongs by age.
    pub(crate) fn put_back(&self, messages: Vec<Whole>) {
        let mut state = self.state.lock();
        for Whole { entry, due_at } in messages {
            match due_at {
                Some(due_at) => state.delayed.push(Reverse(Delayed { due_at, entry })),
                None => state.queue.put_back(entry),
            }
        }
        self.unlock_and_wake(state);
    }
}

impl State {
    fn take_whole(&mut self, is_meant: impl Fn(MessageId) -> bool) -> Vec<Whole> {
        // Parts that came back one by one make a whole only together.
        let mut scattered: HashMap<MessageId, u16, RandomState> = HashMap::default();
        let delayed = self.delayed.iter().map(|Reverse(delayed)| &delayed.entry);
        for entry in self.queue.iter().chain(delayed).filter(|entry| !entry.is_whole()) {
            *scattered.entry(entry.job.id).or_default() |= entry.parts;
        }
        let mut taken: Vec<Whole> = Vec::new();
        let mut take = |entry: &Entry, due_at: Option<UnixMillis>| {
            if !is_meant(entry.job.id) {
                return false;
            }
            if entry.is_whole() {
                taken.push(Whole { entry: entry.clone(), due_at });
                return true;
            }
            let Some(parts) = scattered.get_mut(&entry.job.id) else { return false };
            let together = Entry { job: Arc::clone(&entry.job), parts: *parts };
            match *parts {
                GATHERED => true,
                _ if together.is_whole() => {
                    *parts = GATHERED;
                    taken.push(Whole { entry: together, due_at: None });
                    true
                }
                _ => false,
            }
        };
        self.queue.take_out(|entry| take(entry, None));
        self.delayed.retain(|Reverse(delayed)| !take(&delayed.entry, Some(delayed.due_at)));
        taken
    }
}

/// Instead of the parts of a scattered message: it has been taken out as a whole.
const GATHERED: u16 = 0;

impl Line {
    /// Holds places for messages whose move to this line is about to become durable, so that a fetch does
    /// not bring them too. Returns how many there was room for, from the first on.
    pub(crate) fn reserve(&self, messages: &[Whole]) -> usize {
        let mut state = self.state.lock();
        let mut places = 0;
        for whole in messages {
            let job = &whole.entry.job;
            if !state.has_room(job.account) {
                break;
            }
            state.hold(job.id, job.account);
            places += 1;
        }
        places
    }

    /// The move did not become durable.
    pub(crate) fn give_up_places(&self, messages: &[Whole]) {
        let mut state = self.state.lock();
        messages.iter().for_each(|whole| state.release(whole.entry.job.id));
    }
}

/// Gives messages that were taken out of `from` to `to`, where the first `places` of them have a place: their
/// new carrier is durable. A pause they were kept for was the old carrier's and ends with it.
pub(crate) fn hand_over(from: &Line, to: &Line, messages: Vec<Entry>, places: usize) {
    let mut leaving = from.state.lock();
    let mut entering = to.state.lock();
    for (index, entry) in messages.into_iter().enumerate() {
        let id = entry.job.id;
        leaving.forget(id);
        if entering.withdrawn.contains(&id) {
            entering.release(id);
        } else if index < places {
            entering.queue.put_back(entry);
        } else {
            entering.spill(entry.job.account, id);
        }
    }
    from.note_length(&leaving);
    drop(leaving);
    to.unlock_and_wake(entering);
}
