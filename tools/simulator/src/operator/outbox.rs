//! What waits to be sent over a session, ordered by time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// Things to be done at their time; those of one time in the order they were put in.
#[derive(Debug)]
pub(super) struct Outbox<T> {
    heap: BinaryHeap<Reverse<Item<T>>>,
    next: u64,
}

#[derive(Debug)]
struct Item<T> {
    at: Instant,
    order: u64,
    what: T,
}

impl<T> PartialEq for Item<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Item<T> {}

impl<T> PartialOrd for Item<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Item<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), next: 0 }
    }
}

impl<T> Outbox<T> {
    pub(super) fn push(&mut self, at: Instant, what: T) {
        self.next += 1;
        self.heap.push(Reverse(Item { at, order: self.next, what }));
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// When the next one is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(item)| item.at)
    }

    /// Takes one that is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<T> {
        if self.next_at()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(item)| item.what)
    }
}
