//! Receipts whose message is not known yet, by the ids they may match.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::fact::ParkedReceipt;
use domain::id::MessageId;
use domain::limits::PARKED_RECEIPTS_IN_MEMORY_MAX;
use domain::operator_id::match_key;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parking_lot::Mutex;
use smallvec::SmallVec;

/// Where parked receipts are found.
#[derive(Default)]
pub(crate) struct ParkedIndex {
    inner: Mutex<Inner>,
    /// All parked receipts, in memory or not.
    count: AtomicUsize,
}

#[derive(Default)]
struct Inner {
    by_key: HashMap<i64, SmallVec<[i64; 1]>, FixedState>,
    keys_of: BTreeMap<i64, SmallVec<[i64; 2]>>,
    /// Some are only in the files.
    overflowed: bool,
}

/// What the index knows of an id.
pub(crate) enum Found {
    /// These, and no others.
    All(SmallVec<[i64; 1]>),
    /// The files have to be asked.
    AskFiles,
}

impl ParkedIndex {
    /// Takes in a receipt.
    pub fn add(&self, parked: &ParkedReceipt) {
        let mut inner = self.inner.lock();
        self.count.fetch_add(1, Ordering::AcqRel);
        if inner.keys_of.len() >= PARKED_RECEIPTS_IN_MEMORY_MAX {
            inner.overflowed = true;
            return;
        }
        let keys: SmallVec<[i64; 2]> =
            parked.canonical_ids.iter().map(|form| match_key(parked.carrier, form)).collect();
        for key in &keys {
            inner.by_key.entry(*key).or_default().push(parked.id.0);
        }
        inner.keys_of.insert(parked.id.0, keys);
    }

    /// A receipt was matched, or is too old.
    pub fn remove(&self, id: MessageId) {
        let mut inner = self.inner.lock();
        let keys = inner.keys_of.remove(&id.0);
        if keys.is_none() && !inner.overflowed {
            return;
        }
        let _ = self.count.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| count.checked_sub(1));
        for key in keys.into_iter().flatten() {
            if let Some(ids) = inner.by_key.get_mut(&key) {
                ids.retain(|candidate| *candidate != id.0);
                if ids.is_empty() {
                    inner.by_key.remove(&key);
                }
            }
        }
    }

    /// Receipts that may match the key of [`match_key`].
    pub fn find(&self, key: i64) -> Found {
        let inner = self.inner.lock();
        match inner.by_key.get(&key) {
            _ if inner.overflowed => Found::AskFiles,
            Some(ids) => Found::All(ids.clone()),
            None => Found::All(SmallVec::new()),
        }
    }

    /// Receipts older than `before`.
    pub fn older_than(&self, before: MessageId) -> Vec<MessageId> {
        let inner = self.inner.lock();
        inner.keys_of.range(..before.0).map(|(id, _)| MessageId(*id)).collect()
    }

    /// The next receipts after `after`, oldest first, as far as memory holds them.
    pub fn after(&self, after: MessageId, limit: usize) -> Vec<MessageId> {
        let inner = self.inner.lock();
        let later = inner.keys_of.range((Bound::Excluded(after.0), Bound::Unbounded));
        later.take(limit).map(|(id, _)| MessageId(*id)).collect()
    }

    /// Whether a receipt is still parked; true as well where memory can't tell.
    pub fn may_hold(&self, id: MessageId) -> bool {
        let inner = self.inner.lock();
        inner.overflowed || inner.keys_of.contains_key(&id.0)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}
