//! Operator ids that were learnt for messages of sealed spans, for the receipts that follow soon.
//!
//! When more comes in than operators take, messages are handed over after their span was sealed. Their
//! receipts would each need a look into a file; this remembers the latest of them.

use std::collections::VecDeque;

use domain::id::MessageId;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parking_lot::Mutex;

use super::limits::LATE_OPERATOR_KEYS_MAX;

/// The latest operator keys of messages in sealed spans, oldest out first.
#[derive(Default)]
pub(crate) struct LateKeys(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    parts: HashMap<i64, (MessageId, u8), FixedState>,
    /// Keys in the order they came, once for each time.
    order: VecDeque<i64>,
}

impl LateKeys {
    /// Takes in a key; where an operator uses an id again, the newer message wins.
    pub fn add(&self, key: i64, id: MessageId, part: u8) {
        let mut inner = self.0.lock();
        inner.parts.insert(key, (id, part));
        inner.order.push_back(key);
        if inner.order.len() > LATE_OPERATOR_KEYS_MAX
            && let Some(oldest) = inner.order.pop_front()
        {
            // A key that came twice is forgotten with its first coming: then the files are asked.
            inner.parts.remove(&oldest);
        }
    }

    /// The part that a key belongs to, if that was learnt lately.
    pub fn find(&self, key: i64) -> Option<(MessageId, u8)> {
        self.0.lock().parts.get(&key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_keys_make_room_and_the_newer_message_wins() {
        let keys = LateKeys::default();
        keys.add(-1, MessageId(7), 1);
        keys.add(-1, MessageId(8), 2);
        assert_eq!(keys.find(-1), Some((MessageId(8), 2)));
        for key in 0..i64::try_from(LATE_OPERATOR_KEYS_MAX).expect("a small bound") {
            keys.add(key, MessageId(key + 100), 1);
        }
        assert_eq!(keys.find(-1), None);
        assert_eq!(keys.find(0), Some((MessageId(100), 1)));
        let inner = keys.0.lock();
        assert!(inner.parts.len() <= LATE_OPERATOR_KEYS_MAX && inner.order.len() <= LATE_OPERATOR_KEYS_MAX);
    }
}
