//! Incoming messages of a span that has no indexes on disk yet.

use std::collections::BTreeSet;

use domain::id::MessageId;
use domain::incoming::IncomingMessage;
use domain::phone::Phone;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// The memory index of incoming messages; about 50 octets each, bounded by the size of a span.
#[derive(Default)]
pub(crate) struct IncomingIndex {
    of_account: HashMap<u32, Vec<i64>, FixedState>,
    from_phone: HashMap<u64, Vec<i64>, FixedState>,
    unhandled: BTreeSet<i64>,
    /// Parts that wait for their siblings, or whose message was told incomplete.
    parts: BTreeSet<i64>,
    /// Messages and parts taken in.
    count: u64,
}

impl IncomingIndex {
    /// Takes in a message.
    pub fn add(&mut self, id: i64, account: u32, phone: u64, handled: bool) {
        self.count += 1;
        self.of_account.entry(account).or_default().push(id);
        if phone > 0 {
            self.from_phone.entry(phone).or_default().push(id);
        }
        if !handled {
            self.unhandled.insert(id);
        }
    }

    /// Takes in a message that became durable.
    pub fn add_message(&mut self, message: &IncomingMessage) {
        let phone = message.phone.map_or(0, Phone::as_u64);
        self.add(message.id.0, message.account.map_or(0, |account| account.0), phone, message.handled);
    }

    /// Takes in a part.
    pub fn add_part(&mut self, id: MessageId) {
        if self.parts.insert(id.0) {
            self.count += 1;
        }
    }

    /// A part is in a whole message.
    pub fn part_joined(&mut self, id: MessageId) {
        self.parts.remove(&id.0);
    }

    /// Nothing more is to be done for a message.
    pub fn handled(&mut self, id: MessageId) {
        self.unhandled.remove(&id.0);
    }

    /// Messages and parts it took in.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// An account's messages, or those of one person, by id.
    pub fn find(&self, account: u32, phone: Option<u64>) -> Vec<i64> {
        let found = match phone {
            Some(phone) => self.from_phone.get(&phone),
            None => self.of_account.get(&account),
        };
        let mut ids = found.cloned().unwrap_or_default();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Messages for which something is still to be done, by id.
    pub fn unhandled(&self) -> Vec<i64> {
        self.unhandled.iter().copied().collect()
    }

    /// Parts that are not in a whole message, by id.
    pub fn parts(&self) -> Vec<i64> {
        self.parts.iter().copied().collect()
    }
}
