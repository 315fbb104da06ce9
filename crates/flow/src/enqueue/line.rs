//! One line: the messages of a lane that wait for a carrier.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::clock::UnixMillis;
use domain::id::{CarrierId, MessageId};
use domain::lane::Lane;
use domain::limits;
use foldhash::fast::RandomState;
use parking_lot::{Mutex, RwLock};

use super::job::{Entry, Job};
use super::spill::Spill;

/// Wakes whoever sends for a line.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// A line. Binds take from it; what they could not hand over they give back.
pub struct Line {
    /// Its lane.
    pub lane: Lane,
    /// Its carrier.
    pub carrier: CarrierId,
    state: Mutex<State>,
    wakers: RwLock<Vec<(u64, Waker)>>,
    /// Length of the queue, readable without the lock.
    length: AtomicUsize,
}

type IdSet = HashSet<MessageId, RandomState>;

#[derive(Default)]
struct State {
    queue: VecDeque<Entry>,
    /// To be tried again later, earliest first.
    delayed: BinaryHeap<Reverse<Delayed>>,
    /// In the queue, delayed or with a bind.
    held: IdSet,
    spill: Option<Spill>,
    /// While a fetch runs: let go since it began, so that its (older) answer does not bring them back.
    let_go: Option<IdSet>,
    /// Taken out, and the fact that says why is not durable yet: a fetch may still see them waiting.
    withdrawn: IdSet,
}

struct Delayed {
    due_at: UnixMillis,
    entry: Entry,
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Delayed {}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due_at, self.entry.job.id).cmp(&(other.due_at, other.entry.job.id))
    }
}

impl Line {
    pub(super) fn new(lane: Lane, carrier: CarrierId) -> Self {
        let (state, wakers) = (Mutex::default(), RwLock::default());
        Self { lane, carrier, state, wakers, length: AtomicUsize::new(0) }
    }

    /// Puts new messages at the end; what does not fit stays in the store.
    pub(super) fn push(&self, entries: impl Iterator<Item = Entry>) {
        let mut state = self.state.lock();
        for entry in entries {
            let id = entry.job.id;
            if state.spill.is_some() || state.held.len() >= limits::LINE_MESSAGES_MAX {
                state.spill.get_or_insert_with(|| Spill::from(id)).note(id);
            } else if state.held.insert(id) {
                state.queue.push_back(entry);
            }
        }
        self.unlock_and_wake(state);
    }

    /// Everything of this line that the store has is to be fetched.
    pub(super) fn fetch_all(&self) {
        self.state.lock().spill.get_or_insert_with(|| Spill::from(MessageId(1))).note(MessageId(1));
    }

    /// Whether there is nothing to take, as far as is known without the lock.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length.load(Ordering::Relaxed) == 0
    }

    /// Moves up to `room` parts out, expired messages included: the caller looks at the time.
    pub fn take(&self, room: usize, now: UnixMillis, parts: &mut Vec<(Arc<Job>, u8)>) {
        let mut state = self.state.lock();
        state.promote_due(now);
        let wanted = parts.len() + room;
        while parts.len() < wanted
            && let Some(entry) = state.queue.front_mut()
        {
            match entry.next_part() {
                Some(number) => parts.push((Arc::clone(&entry.job), number)),
                None => {
                    state.queue.pop_front();
                }
            }
            if state.queue.front().is_some_and(|entry| entry.parts == 0) {
                state.queue.pop_front();
            }
        }
        self.note_length(&state);
    }

    /// Puts parts back at the front, in their order: they are next.
    pub fn give_back(&self, parts: Vec<(Arc<Job>, u8)>) {
        let mut state = self.state.lock();
        for (job, number) in parts.into_iter().rev() {
            match state.queue.front_mut() {
                Some(front) if Arc::ptr_eq(&front.job, &job) => front.parts |= Entry::part(job, number).parts,
                _ => state.queue.push_front(Entry::part(job, number)),
            }
        }
        self.unlock_and_wake(state);
    }

    /// Keeps a part for later.
    pub fn retry_at(&self, job: Arc<Job>, number: u8, due_at: UnixMillis) {
        let mut state = self.state.lock();
        state.delayed.push(Reverse(Delayed { due_at, entry: Entry::part(job, number) }));
        self.note_length(&state);
    }

    /// The line has nothing to do with the message any more: it is with the operator, or it has ended.
    pub fn let_go(&self, id: MessageId) {
        let mut state = self.state.lock();
        state.held.remove(&id);
        if let Some(let_go) = &mut state.let_go {
            let_go.insert(id);
        }
    }

    /// Takes a message out of the line, unless a bind has it. True when no bind can take it until
    /// [`Line::withdrawal_ended`].
    pub(super) fn withdraw(&self, id: MessageId) -> bool {
        let mut state = self.state.lock();
        if state.held.contains(&id) && !state.remove_whole(id) {
            return false;
        }
        state.withdrawn.insert(id);
        self.note_length(&state);
        true
    }

    /// The fact that ended a withdrawn message is durable, or could not be recorded: then it waits again.
    pub(super) fn withdrawal_ended(&self, id: MessageId, recorded: bool) {
        let mut state = self.state.lock();
        if !state.withdrawn.remove(&id) {
            return;
        }
        if let Some(let_go) = &mut state.let_go {
            let_go.insert(id);
        }
        if !recorded {
            state.spill.get_or_insert_with(|| Spill::from(id)).note(id);
        }
    }

    /// Wakes the senders if something that was kept for later is due.
    pub(super) fn wake_if_due(&self, now: UnixMillis) {
        let state = self.state.lock();
        if state.delayed.peek().is_some_and(|Reverse(delayed)| delayed.due_at <= now) {
            self.unlock_and_wake(state);
        }
    }

    /// Begins a fetch if the line has room and something is left in the store.
    pub(super) fn begin_fetch(&self) -> Option<MessageId> {
        let mut state = self.state.lock();
        if state.held.len() >= limits::LINE_REFILL_BELOW {
            return None;
        }
        let after = state.spill.as_mut()?.begin();
        state.let_go = Some(IdSet::default());
        Some(after)
    }

    /// Ends a fetch: takes what is not held, and goes on from the last one next time.
    pub(super) fn end_fetch(&self, entries: Vec<Entry>, exhausted: bool) {
        let mut state = self.state.lock();
        let last = entries.last().map(|entry| entry.job.id);
        let let_go = state.let_go.take().unwrap_or_default();
        state.queue_fresh(entries, &let_go);
        if let Some(spill) = &mut state.spill
            && !spill.end(last, exhausted)
        {
            state.spill = None;
        }
        self.unlock_and_wake(state);
    }

    /// Begins to note what is let go while scheduled messages are read.
    pub(super) fn begin_release(&self) {
        self.state.lock().let_go = Some(IdSet::default());
    }

    /// Takes scheduled messages whose time has come; without room they are left to the next fetch.
    pub(super) fn end_release(&self, entries: Vec<Entry>) {
        let mut state = self.state.lock();
        let let_go = state.let_go.take().unwrap_or_default();
        if state.held.len() + entries.len() <= limits::LINE_MESSAGES_MAX {
            state.queue_fresh(entries, &let_go);
        } else {
            for entry in entries {
                let id = entry.job.id;
                state.spill.get_or_insert_with(|| Spill::from(id)).note(id);
            }
        }
        self.unlock_and_wake(state);
    }

    /// A fetch failed: it is tried again from the same place.
    pub(super) fn abandon_fetch(&self) {
        self.state.lock().let_go = None;
    }

    /// Registers a sender; it is woken when there is something to take.
    pub fn attach(&self, name: u64, waker: Waker) {
        self.wakers.write().push((name, waker));
    }

    /// Forgets a sender.
    pub fn detach(&self, name: u64) {
        self.wakers.write().retain(|(attached, _)| *attached != name);
    }

    /// Wakes the senders.
    pub fn wake(&self) {
        for (_, waker) in self.wakers.read().iter() {
            waker();
        }
    }

    /// Messages in memory and not with a bind, the time the oldest of them was accepted, and whether
    /// more are in the store.
    #[must_use]
    pub fn depth(&self) -> (usize, Option<UnixMillis>, bool) {
        let state = self.state.lock();
        let oldest = state.queue.front().map(|entry| entry.job.content().due_at);
        (state.queue.len() + state.delayed.len(), oldest, state.spill.is_some())
    }

    fn unlock_and_wake(&self, state: parking_lot::MutexGuard<'_, State>) {
        let any = !state.queue.is_empty() || !state.delayed.is_empty();
        self.note_length(&state);
        drop(state);
        if any {
            self.wake();
        }
    }

    fn note_length(&self, state: &State) {
        self.length.store(state.queue.len() + state.delayed.len(), Ordering::Relaxed);
    }
}

impl State {
    /// Lines up fetched messages, except those that are here or were let go since the fetch began.
    fn queue_fresh(&mut self, entries: Vec<Entry>, let_go: &IdSet) {
        for entry in entries {
            let id = entry.job.id;
            if !let_go.contains(&id) && !self.withdrawn.contains(&id) && self.held.insert(id) {
                self.queue.push_back(entry);
            }
        }
    }

    /// Removes a message none of whose parts is with a bind or the operator.
    fn remove_whole(&mut self, id: MessageId) -> bool {
        let whole =
            |entry: &Entry| entry.job.id == id && entry.parts.count_ones() == u32::from(entry.job.content().parts);
        let before = self.queue.len() + self.delayed.len();
        self.queue.retain(|entry| !whole(entry));
        self.delayed.retain(|Reverse(delayed)| !whole(&delayed.entry));
        let removed = self.queue.len() + self.delayed.len() < before;
        if removed {
            self.held.remove(&id);
        }
        removed
    }

    fn promote_due(&mut self, now: UnixMillis) {
        while self.delayed.peek().is_some_and(|Reverse(delayed)| delayed.due_at <= now)
            && let Some(Reverse(delayed)) = self.delayed.pop()
        {
            self.queue.push_front(delayed.entry);
        }
    }
}
