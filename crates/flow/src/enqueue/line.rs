//! One line: the messages of a lane that wait for a carrier.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::{Lane, Traffic};
use domain::limits;
use foldhash::fast::RandomState;
use parking_lot::{Mutex, RwLock};

use super::fair::FairQueue;
use super::job::{Entry, Job};
use super::moving::Unwanted;
use super::spill::Spill;

/// Wakes whoever sends for a line.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// A line. Binds take from it; what they could not hand over they give back.
pub struct Line {
    /// Its lane.
    pub lane: Lane,
    /// Its carrier.
    pub carrier: CarrierId,
    pub(super) state: Mutex<State>,
    wakers: RwLock<Vec<(u64, Waker)>>,
    /// Length of the queue, readable without the lock.
    length: AtomicUsize,
}

pub(super) type IdSet = HashSet<MessageId, RandomState>;

#[derive(Default)]
pub(super) struct State {
    pub(super) queue: FairQueue,
    /// To be tried again later, earliest first.
    pub(super) delayed: BinaryHeap<Reverse<Delayed>>,
    /// In the queue, delayed, unwanted, with a bind or being moved; with whose they are.
    pub(super) held: HashMap<MessageId, AccountId, RandomState>,
    /// How many of them each account has.
    held_by: HashMap<AccountId, usize, RandomState>,
    /// What accounts have in the store only.
    spills: BTreeMap<AccountId, Spill>,
    /// The account that was fetched for last, so that all get their turn.
    fetched_for: AccountId,
    /// While a fetch runs: let go since it began, so that its (older) answer does not bring them back.
    let_go: Option<IdSet>,
    /// Taken out, and the fact that says why is not durable yet: a fetch may still see them waiting.
    pub(super) withdrawn: IdSet,
    /// Refused by the carrier for reasons of its own: they look for another way.
    pub(super) unwanted: Vec<Unwanted>,
}

pub(super) struct Delayed {
    pub(super) due_at: UnixMillis,
    pub(super) entry: Entry,
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

    /// Puts new messages at the end; what does not fit stays in the store. A message that is more urgent
    /// than those of its account in the store goes past them.
    pub(super) fn push(&self, entries: impl Iterator<Item = Entry>) {
        let mut state = self.state.lock();
        for entry in entries {
            let account = entry.job.account;
            let follows = entry.job.content().traffic == Traffic::Bulk || self.lane == Lane::Priority;
            if (follows && state.spills.contains_key(&account)) || !state.has_room(account) {
                state.spill(account, entry.job.id);
            } else if state.hold(entry.job.id, account) {
                state.queue.push(entry);
            }
        }
        self.unlock_and_wake(state);
    }

    /// Everything of an account that the store has for this line is to be fetched.
    pub(super) fn fetch_all(&self, account: AccountId) {
        self.state.lock().spill(account, MessageId(1));
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
            && let Some(part) = state.queue.next()
        {
            parts.push(part);
        }
        self.note_length(&state);
    }

    /// Puts parts back where they belong by age: they are next of their account.
    pub fn give_back(&self, parts: Vec<(Arc<Job>, u8)>) {
        let mut state = self.state.lock();
        for (job, number) in parts {
            state.queue.put_back(Entry::part(job, number));
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
        self.state.lock().forget(id);
    }

    /// Takes a message out of the line, unless a bind has it. True when no bind can take it until
    /// [`Line::withdrawal_ended`].
    pub(super) fn withdraw(&self, id: MessageId) -> bool {
        let mut state = self.state.lock();
        if let Some(account) = state.held.get(&id).copied()
            && !state.remove_whole(id, account)
        {
            return false;
        }
        state.withdrawn.insert(id);
        self.note_length(&state);
        true
    }

    /// The fact that ended a withdrawn message is durable, or could not be recorded: then it waits again.
    pub(super) fn withdrawal_ended(&self, id: MessageId, account: AccountId, recorded: bool) {
        let mut state = self.state.lock();
        if !state.withdrawn.remove(&id) {
            return;
        }
        if let Some(let_go) = &mut state.let_go {
            let_go.insert(id);
        }
        if !recorded {
            state.spill(account, id);
        }
    }

    /// Wakes the senders if something that was kept for later is due.
    pub(super) fn wake_if_due(&self, now: UnixMillis) {
        let state = self.state.lock();
        if state.delayed.peek().is_some_and(|Reverse(delayed)| delayed.due_at <= now) {
            self.unlock_and_wake(state);
        }
    }

    /// Begins a fetch for an account that has room and something left in the store; accounts take turns.
    pub(super) fn begin_fetch(&self) -> Option<Fetch> {
        let mut state = self.state.lock();
        let after_last = state.spills.range((Excluded(state.fetched_for), Unbounded));
        let mut accounts = after_last.chain(&state.spills).map(|(account, _)| *account);
        let account = accounts.find(|account| state.room(*account) > state.held_by(*account))?;
        state.fetched_for = account;
        let limit = state.room(account).min(limits::REFILL_MESSAGES);
        let after = state.spills.get_mut(&account)?.begin();
        state.let_go = Some(IdSet::default());
        Some(Fetch { account, after, limit })
    }

    /// Ends a fetch: takes what is not held, and goes on from the last one next time.
    pub(super) fn end_fetch(&self, fetch: Fetch, entries: Vec<Entry>) {
        let mut state = self.state.lock();
        let exhausted = entries.len() < fetch.limit;
        let last = entries.last().map(|entry| entry.job.id);
        let let_go = state.let_go.take().unwrap_or_default();
        entries.into_iter().for_each(|entry| state.queue_fresh(entry, &let_go));
        if let Some(spill) = state.spills.get_mut(&fetch.account)
            && !spill.end(last, exhausted)
        {
            state.spills.remove(&fetch.account);
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
        for entry in entries {
            if state.has_room(entry.job.account) {
                state.queue_fresh(entry, &let_go);
            } else {
                state.spill(entry.job.account, entry.job.id);
            }
        }
        self.unlock_and_wake(state);
    }

    /// Whether a fetched message is new to the line: not here, and not let go since the fetch began.
    pub(super) fn is_new(&self, id: MessageId) -> bool {
        let state = self.state.lock();
        let let_go = state.let_go.as_ref().is_some_and(|let_go| let_go.contains(&id));
        !let_go && !state.withdrawn.contains(&id) && !state.held.contains_key(&id)
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
        let oldest = state.queue.heads().map(|entry| entry.job.due_at()).min();
        (state.queue.len() + state.delayed.len(), oldest, !state.spills.is_empty())
    }

    pub(super) fn unlock_and_wake(&self, state: parking_lot::MutexGuard<'_, State>) {
        let any = !state.queue.is_empty() || !state.delayed.is_empty();
        self.note_length(&state);
        drop(state);
        if any {
            self.wake();
        }
    }

    pub(super) fn note_length(&self, state: &State) {
        self.length.store(state.queue.len() + state.delayed.len(), Ordering::Relaxed);
    }
}

/// What is to be fetched from the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fetch {
    /// Whose messages.
    pub account: AccountId,
    /// Those after this one.
    pub after: MessageId,
    /// At most so many.
    pub limit: usize,
}

impl State {
    /// How many messages an account may have in memory beside those it has: as many as would fit
    /// beside everybody's. So there is always room for one more account, however many messages the
    /// others have, and the fewer there are, the more each may use (Choudhury and Hahne 1998).
    fn room(&self, account: AccountId) -> usize {
        let free = limits::LINE_MESSAGES_MAX.saturating_sub(self.held.len());
        free.saturating_sub(self.held_by(account))
    }

    pub(super) fn has_room(&self, account: AccountId) -> bool {
        self.room(account) > 0
    }

    fn held_by(&self, account: AccountId) -> usize {
        self.held_by.get(&account).copied().unwrap_or(0)
    }

    /// Notes that a message is here; false if it was.
    pub(super) fn hold(&mut self, id: MessageId, account: AccountId) -> bool {
        let is_new = self.held.insert(id, account).is_none();
        if is_new {
            *self.held_by.entry(account).or_default() += 1;
        }
        is_new
    }

    pub(super) fn release(&mut self, id: MessageId) {
        let Some(account) = self.held.remove(&id) else { return };
        if let Some(count) = self.held_by.get_mut(&account) {
            *count -= 1;
            if *count == 0 {
                self.held_by.remove(&account);
            }
        }
    }

    /// The line has nothing to do with the message any more.
    pub(super) fn forget(&mut self, id: MessageId) {
        self.release(id);
        if let Some(let_go) = &mut self.let_go {
            let_go.insert(id);
        }
    }

    /// Leaves a message in the store.
    pub(super) fn spill(&mut self, account: AccountId, id: MessageId) {
        self.spills.entry(account).or_insert_with(|| Spill::from(id)).note(id);
    }

    /// Lines up a fetched message, unless it is here or was let go since the fetch began.
    fn queue_fresh(&mut self, entry: Entry, let_go: &IdSet) {
        let id = entry.job.id;
        if entry.parts != 0
            && !let_go.contains(&id)
            && !self.withdrawn.contains(&id)
            && self.hold(id, entry.job.account)
        {
            self.queue.push(entry);
        }
    }

    /// Removes a message none of whose parts is with a bind or the operator.
    fn remove_whole(&mut self, id: MessageId, account: AccountId) -> bool {
        let whole =
            |entry: &Entry| entry.job.id == id && entry.parts.count_ones() == u32::from(entry.job.content().parts);
        let before = self.delayed.len();
        self.delayed.retain(|Reverse(delayed)| !whole(&delayed.entry));
        let removed = self.queue.remove(account, whole) || self.delayed.len() < before;
        if removed {
            self.release(id);
        }
        removed
    }

    fn promote_due(&mut self, now: UnixMillis) {
        while self.delayed.peek().is_some_and(|Reverse(delayed)| delayed.due_at <= now)
            && let Some(Reverse(delayed)) = self.delayed.pop()
        {
            self.queue.put_back(delayed.entry);
        }
    }
}
