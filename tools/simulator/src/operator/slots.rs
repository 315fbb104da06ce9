//! What was sent and is not acknowledged, by the token it was sent with.

/// A table with tokens as indices, so that neither putting in nor taking out costs a search.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Option<T>>,
    free: Vec<u64>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// The token that the next [`Self::insert`] uses.
    pub(super) fn next_token(&self) -> u64 {
        self.free.last().copied().unwrap_or(self.slots.len() as u64)
    }

    pub(super) fn insert(&mut self, what: T) {
        match self.free.pop() {
            Some(token) => self.slots[token as usize] = Some(what),
            None => self.slots.push(Some(what)),
        }
    }

    pub(super) fn remove(&mut self, token: u64) -> Option<T> {
        let what = self.slots.get_mut(usize::try_from(token).ok()?)?.take();
        if what.is_some() {
            self.free.push(token);
        }
        what
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_one_thing_at_a_time() {
        let mut slots = Slots::default();
        assert_eq!(slots.next_token(), 0);
        slots.insert('a');
        slots.insert('b');
        assert_eq!(slots.remove(0), Some('a'));
        assert_eq!(slots.remove(0), None);
        assert_eq!(slots.remove(9), None);
        assert_eq!(slots.next_token(), 0);
        slots.insert('c');
        assert_eq!((slots.remove(0), slots.remove(1)), (Some('c'), Some('b')));
    }
}
