//! What must be found fast in a span that has no indexes on disk yet.
//!
//! Bounded by the size of a span: about 100 octets a message. Rebuilt by one scan at start,
//! dropped when the span is sealed.

use std::collections::{BTreeMap, BTreeSet};

use domain::fact::EventId;
use domain::id::{AccountId, MessageId};
use domain::limits::OPERATOR_ID_HOLDERS_MAX;
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};
use smallvec::SmallVec;

use super::incoming_index::IncomingIndex;

/// Keys of the maps are hashes already or spread by the map's hasher.
type Keyed<V> = HashMap<u64, V, FixedState>;

const NO_ENTRY: u32 = u32::MAX;
const MINUTE_MS: i64 = 60_000;

/// The memory index of one unsealed span.
#[derive(Default)]
pub(crate) struct HotIndex {
    ids: Vec<i64>,
    phones: Vec<u64>,
    /// The entry before with the same number.
    previous: Vec<u32>,
    /// Last entry of each number.
    last_of_phone: HashTable<u32>,
    of_account: HashMap<u32, Vec<u32>, FixedState>,
    references: Keyed<i64>,
    operator_keys: Keyed<i64>,
    /// Parts other than the first, of operator keys.
    operator_parts: Keyed<u8>,
    /// Earlier holders of operator keys that were given again, newest last.
    operator_earlier: Keyed<SmallVec<[(i64, u8); 1]>>,
    scheduled: BTreeSet<(i64, i64)>,
    /// Open messages by the minute they have to be looked at.
    expiry: BTreeMap<i64, Vec<u32>>,
    untold: BTreeSet<EventId>,
    /// Incoming messages.
    pub incoming: IncomingIndex,
    dead: BTreeSet<EventId>,
    /// Every event in the order of its place.
    log: Vec<Logged>,
}

/// An event's place among all events of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Logged {
    pub position: i64,
    pub account: AccountId,
    pub event: EventId,
}

/// An accepted message on its way into the index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewEntry {
    pub id: i64,
    pub account: AccountId,
    pub phone: u64,
    /// 0 = at once.
    pub due_at: i64,
    pub expires_at: i64,
    /// Whether it may still expire.
    pub open: bool,
    /// Whether it waits.
    pub waits: bool,
}

fn phone_hash(phone: u64) -> u64 {
    use std::hash::BuildHasher;
    FixedState::default().hash_one(phone)
}

impl HotIndex {
    /// Messages in the index.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Takes in a message.
    pub fn add_message(&mut self, entry: NewEntry) {
        let Ok(ordinal) = u32::try_from(self.ids.len()) else { return };
        self.ids.push(entry.id);
        self.phones.push(entry.phone);
        let phones = &self.phones;
        let same = |candidate: &u32| phones[*candidate as usize] == entry.phone;
        let hash_of = |candidate: &u32| phone_hash(phones[*candidate as usize]);
        let previous = match self.last_of_phone.entry(phone_hash(entry.phone), same, hash_of) {
            hashbrown::hash_table::Entry::Occupied(mut occupied) => std::mem::replace(occupied.get_mut(), ordinal),
            hashbrown::hash_table::Entry::Vacant(vacant) => {
                vacant.insert(ordinal);
                NO_ENTRY
            }
        };
        self.previous.push(previous);
        self.of_account.entry(entry.account.0).or_default().push(ordinal);
        if entry.open {
            self.expiry.entry(entry.expires_at.div_euclid(MINUTE_MS)).or_default().push(ordinal);
        }
        if entry.waits && entry.due_at > 0 {
            self.scheduled.insert((entry.due_at, entry.id));
        }
    }

    /// Takes in a reference of a request; see [`super::hash::reference_key`].
    pub fn add_reference(&mut self, key: u64, request: MessageId) {
        self.references.insert(key, request.0);
    }

    /// Takes in the key of a part that an operator took; true if another message holds it already.
    pub fn add_operator_key(&mut self, key: i64, id: MessageId, part: u8) -> bool {
        let key = key.cast_unsigned();
        let before = self.operator_keys.insert(key, id.0);
        let part_before =
            if part > 1 { self.operator_parts.insert(key, part) } else { self.operator_parts.remove(&key) };
        let Some(before) = before.filter(|before| *before != id.0) else { return false };
        let earlier = self.operator_earlier.entry(key).or_default();
        if earlier.len() >= OPERATOR_ID_HOLDERS_MAX {
            earlier.remove(0);
        }
        earlier.push((before, part_before.unwrap_or(1)));
        true
    }

    /// A scheduled message left the waiting state.
    pub fn remove_scheduled(&mut self, due_at: i64, id: MessageId) {
        self.scheduled.remove(&(due_at, id.0));
    }

    /// An event is to be told, for the first time or again.
    pub fn add_untold(&mut self, event: EventId) {
        self.untold.insert(event);
        self.dead.remove(&event);
    }

    /// An event was told.
    pub fn remove_untold(&mut self, event: EventId) {
        self.untold.remove(&event);
    }

    /// An event was given up.
    pub fn add_dead(&mut self, event: EventId) {
        self.untold.remove(&event);
        self.dead.insert(event);
    }

    /// Events that were given up after `after`, by id.
    pub fn dead_after(&self, after: EventId, limit: usize) -> Vec<EventId> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.dead.range((Excluded(after), Unbounded)).take(limit).copied().collect()
    }

    /// Takes in the place of an event.
    pub fn log(&mut self, logged: Logged) {
        // Commits give rising places; what a start reads comes in the order of the messages.
        let at = match self.log.last() {
            Some(last) if last.position > logged.position => {
                self.log.partition_point(|known| known.position < logged.position)
            }
            _ => self.log.len(),
        };
        self.log.insert(at, logged);
    }

    /// Takes in all places of a file at once, in any order.
    pub fn log_all(&mut self, mut logged: Vec<Logged>) {
        logged.sort_unstable_by_key(|one| one.position);
        self.log = logged;
    }

    /// The last place taken, 0 if there is none.
    pub fn last_position(&self) -> i64 {
        self.log.last().map_or(0, |last| last.position)
    }

    /// Places after `after` up to `end`, in their order.
    pub fn logged_between(&self, after: i64, end: i64) -> impl Iterator<Item = &Logged> {
        let first = self.log.partition_point(|known| known.position <= after);
        self.log[first..].iter().take_while(move |known| known.position <= end)
    }

    /// Events to be told after `after`, by id.
    pub fn untold_after(&self, after: EventId, limit: usize) -> Vec<EventId> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.untold.range((Excluded(after), Unbounded)).take(limit).copied().collect()
    }

    /// Scheduled messages due before `before`, after `after`, by (due time, id).
    pub fn scheduled_between(&self, after: (i64, i64), before: i64, limit: usize) -> Vec<(i64, i64)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let due = self.scheduled.range((Excluded(after), Unbounded)).take_while(|(due_at, _)| *due_at < before);
        due.take(limit).copied().collect()
    }

    /// The request with that reference.
    pub fn reference(&self, key: u64) -> Option<MessageId> {
        self.references.get(&key).copied().map(MessageId)
    }

    /// All parts with that operator key, newest first; more than one where an operator gives ids again.
    pub fn operator_key_holders(&self, key: i64) -> SmallVec<[(MessageId, u8); 1]> {
        let earlier = self.operator_earlier.get(&key.cast_unsigned()).into_iter().flatten().rev();
        let earlier = earlier.map(|(id, part)| (MessageId(*id), *part));
        self.operator_key(key).into_iter().chain(earlier).collect()
    }

    /// Whether an operator gave that key to more than one message here.
    pub fn is_reused(&self, key: i64) -> bool {
        !self.operator_earlier.is_empty() && self.operator_earlier.contains_key(&key.cast_unsigned())
    }

    /// The part that got that operator key last.
    pub fn operator_key(&self, key: i64) -> Option<(MessageId, u8)> {
        let id = *self.operator_keys.get(&key.cast_unsigned())?;
        Some((MessageId(id), self.operator_parts.get(&key.cast_unsigned()).copied().unwrap_or(1)))
    }

    /// Messages to a number, newest first, at most `limit`.
    pub fn to_phone(&self, phone: u64, limit: usize) -> Vec<i64> {
        let mut ids = Vec::new();
        let found = self.last_of_phone.find(phone_hash(phone), |candidate| self.phones[*candidate as usize] == phone);
        let mut next = found.copied().unwrap_or(NO_ENTRY);
        while next != NO_ENTRY && ids.len() < limit {
            ids.push(self.ids[next as usize]);
            next = self.previous[next as usize];
        }
        ids
    }

    /// How many messages an account has here.
    pub fn account_messages(&self, account: AccountId) -> usize {
        self.of_account.get(&account.0).map_or(0, Vec::len)
    }

    /// An account's messages, by id.
    pub fn of_account(&self, account: AccountId) -> Vec<i64> {
        let ordinals = self.of_account.get(&account.0).map_or(&[][..], Vec::as_slice);
        let mut ids: Vec<i64> = ordinals.iter().map(|ordinal| self.ids[*ordinal as usize]).collect();
        ids.sort_unstable();
        ids
    }

    /// An account's messages after `after`, by id; `None` when there are more than `limit`.
    pub fn of_account_after(&self, account: AccountId, after: i64, limit: usize) -> Option<Vec<i64>> {
        let ordinals = self.of_account.get(&account.0).map_or(&[][..], Vec::as_slice);
        let mut ids = Vec::new();
        for id in ordinals.iter().map(|ordinal| self.ids[*ordinal as usize]).filter(|id| *id > after) {
            if ids.len() == limit {
                return None;
            }
            ids.push(id);
        }
        ids.sort_unstable();
        Some(ids)
    }

    /// Takes out the messages that have to be looked at by `now`, at most `limit`. What is still open
    /// has to be given back with [`HotIndex::look_again`].
    pub fn take_expiring(&mut self, now: i64, limit: usize) -> Vec<i64> {
        let mut taken = Vec::new();
        while taken.len() < limit {
            let Some(mut bucket) = self.expiry.first_entry().filter(|bucket| *bucket.key() * MINUTE_MS <= now) else {
                break;
            };
            let ordinals = bucket.get_mut();
            let from = ordinals.len().saturating_sub(limit - taken.len());
            taken.extend(ordinals.drain(from..).map(|ordinal| self.ids[ordinal as usize]));
            if ordinals.is_empty() {
                bucket.remove();
            }
        }
        taken
    }

    /// Has a message looked at again at `at`.
    pub fn look_again(&mut self, id: i64, at: i64) {
        // Entries are in the order of commits, so nearly sorted by id.
        let guess = self.ids.binary_search(&id).ok().or_else(|| self.ids.iter().position(|candidate| *candidate == id));
        if let Some(ordinal) = guess.and_then(|ordinal| u32::try_from(ordinal).ok()) {
            self.expiry.entry(at.div_euclid(MINUTE_MS)).or_default().push(ordinal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: i64, phone: u64, expires_at: i64) -> NewEntry {
        NewEntry { id, account: AccountId(1), phone, due_at: 0, expires_at, open: true, waits: true }
    }

    #[test]
    fn messages_to_a_number_come_newest_first() {
        let mut index = HotIndex::default();
        for id in 1..=1000 {
            index.add_message(entry(id, 48_000_000_000 + (id % 10).cast_unsigned(), 0));
        }
        assert_eq!(index.to_phone(48_000_000_003, 3), [993, 983, 973]);
        assert_eq!(index.to_phone(48_000_000_003, 1000).len(), 100);
        assert!(index.to_phone(48_000_000_011, 10).is_empty());
    }

    #[test]
    fn expiring_messages_are_taken_once_and_come_again_when_asked() {
        let mut index = HotIndex::default();
        for id in 1..=10 {
            index.add_message(entry(id, 1, id * MINUTE_MS));
        }
        assert_eq!(index.take_expiring(3 * MINUTE_MS, 2), [1, 2]);
        assert_eq!(index.take_expiring(3 * MINUTE_MS, 100), [3]);
        assert!(index.take_expiring(3 * MINUTE_MS, 100).is_empty());
        index.look_again(2, 0);
        assert_eq!(index.take_expiring(3 * MINUTE_MS, 100), [2]);
    }

    #[test]
    fn an_operator_that_gives_a_key_again_is_noticed() {
        let mut index = HotIndex::default();
        assert!(!index.add_operator_key(7, MessageId(1), 1));
        assert!(!index.add_operator_key(7, MessageId(1), 2), "the same message");
        assert!(!index.is_reused(7));
        assert!(index.add_operator_key(7, MessageId(2), 1));
        assert_eq!(index.operator_key_holders(7).as_slice(), [(MessageId(2), 1), (MessageId(1), 2)]);
        for id in 3..100 {
            index.add_operator_key(7, MessageId(id), 1);
        }
        assert_eq!(index.operator_key_holders(7).len(), OPERATOR_ID_HOLDERS_MAX + 1);
        assert_eq!(index.operator_key(7), Some((MessageId(99), 1)));
        assert!(index.is_reused(7) && !index.is_reused(8));
    }
}
