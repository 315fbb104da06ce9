//! Things to be done at their time.

use std::collections::{BTreeMap, VecDeque};

/// Things by the millisecond they are due; those of one millisecond in the order they were put in.
///
/// Receipts of a load come in great numbers and a few delays, so that few distinct times hold many things: adding and
/// taking cost next to nothing, unlike in a heap of single things.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    by_time: BTreeMap<u64, VecDeque<T>>,
    count: usize,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { by_time: BTreeMap::new(), count: 0 }
    }
}

impl<T> Agenda<T> {
    pub(super) fn push(&mut self, at_ms: u64, what: T) {
        self.by_time.entry(at_ms).or_default().push_back(what);
        self.count += 1;
    }

    /// Puts something back so that it is the first to be taken again.
    pub(super) fn push_front(&mut self, what: T) {
        let first = self.by_time.first_key_value().map_or(0, |(&at_ms, _)| at_ms);
        self.by_time.entry(first.min(1)).or_default().push_front(what);
        self.count += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// When the next one is due.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.by_time.first_key_value().map(|(&at_ms, _)| at_ms)
    }

    /// When the first one after `now_ms` is due.
    pub(super) fn next_after(&self, now_ms: u64) -> Option<u64> {
        self.by_time.range(now_ms + 1..).next().map(|(&at_ms, _)| at_ms)
    }

    /// Takes one that is due.
    pub(super) fn pop_due(&mut self, now_ms: u64) -> Option<T> {
        let mut first = self.by_time.first_entry()?;
        if *first.key() > now_ms {
            return None;
        }
        let what = first.get_mut().pop_front();
        if first.get().is_empty() {
            first.remove();
        }
        self.count -= usize::from(what.is_some());
        what
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_by_time_then_by_order() {
        let mut agenda = Agenda::default();
        for (at_ms, what) in [(5, 'c'), (3, 'a'), (5, 'd'), (3, 'b'), (9, 'e')] {
            agenda.push(at_ms, what);
        }
        assert_eq!((agenda.len(), agenda.next_at(), agenda.next_after(5)), (5, Some(3), Some(9)));
        assert_eq!(agenda.pop_due(2), None);
        let mut taken: String = std::iter::from_fn(|| agenda.pop_due(5)).collect();
        assert_eq!(taken, "abcd");
        agenda.push_front('x');
        taken.extend(std::iter::from_fn(|| agenda.pop_due(100)));
        assert_eq!(taken, "abcdxe");
        assert_eq!((agenda.len(), agenda.next_at()), (0, None));
    }
}
