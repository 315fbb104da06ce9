//! The order in which messages of a line leave: class by class, and fairly between accounts.
//!
//! Codes and transactional messages go before bulk, which keeps a floor. Within a class accounts take
//! turns (deficit round robin, Shreedhar and Varghese 1995): a turn is worth a number of parts, and what
//! a long message takes beyond it is paid back in the next one. Parts of a message leave one after the
//! other, so that handsets can join them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use domain::id::AccountId;
use domain::lane::Traffic;
use domain::limits;
use foldhash::fast::RandomState;

use super::job::{Entry, Job};

/// Parts an account may send in its turn: the longest message, so that every turn moves something.
const TURN_PARTS: i32 = limits::PARTS_PER_MESSAGE_MAX as i32;
/// One part in so many goes to bulk, however much else there is to send.
pub(crate) const BULK_FLOOR: u32 = 20;

/// A part on its way out.
pub(super) type Part = (Arc<Job>, u8);

/// Messages that can be sent now.
#[derive(Default)]
pub(super) struct FairQueue {
    /// Codes and transactional messages.
    urgent: Class,
    bulk: Class,
    /// Parts of the urgent class since bulk had one.
    since_bulk: u32,
}

impl FairQueue {
    /// Messages in it.
    pub fn len(&self) -> usize {
        self.urgent.length + self.bulk.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a message behind those of its account.
    pub fn push(&mut self, entry: Entry) {
        self.class_of(&entry.job).push(entry);
    }

    /// Puts parts back where they belong by age among the messages of their account.
    pub fn put_back(&mut self, entry: Entry) {
        self.class_of(&entry.job).put_back(entry);
    }

    /// The next part.
    pub fn next(&mut self) -> Option<Part> {
        let bulk_is_due = self.since_bulk + 1 >= BULK_FLOOR && self.bulk.length > 0;
        if !bulk_is_due && let Some(part) = self.urgent.next() {
            self.since_bulk = self.since_bulk.saturating_add(1);
            return Some(part);
        }
        self.since_bulk = 0;
        self.bulk.next()
    }

    /// Removes the messages of an account for which `unwanted` says so; whether there were any.
    pub fn remove(&mut self, account: AccountId, unwanted: impl Fn(&Entry) -> bool) -> bool {
        let before = self.len();
        self.urgent.remove(account, &unwanted);
        self.bulk.remove(account, &unwanted);
        self.len() < before
    }

    /// All messages, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        [&self.urgent, &self.bulk].into_iter().flat_map(|class| class.shares.values().flatten())
    }

    /// Takes out the messages for which `take` says so.
    pub fn take_out(&mut self, mut take: impl FnMut(&Entry) -> bool) {
        self.urgent.take_out(&mut take);
        self.bulk.take_out(&mut take);
    }

    /// The messages that are next of each account.
    pub fn heads(&self) -> impl Iterator<Item = &Entry> {
        [&self.urgent, &self.bulk].into_iter().flat_map(|class| class.shares.values().filter_map(VecDeque::front))
    }

    fn class_of(&mut self, job: &Job) -> &mut Class {
        if job.content().traffic == Traffic::Bulk { &mut self.bulk } else { &mut self.urgent }
    }
}

/// One class: a queue per account, and whose turn it is.
#[derive(Default)]
struct Class {
    shares: HashMap<AccountId, VecDeque<Entry>, RandomState>,
    /// Accounts with messages, and what is left of their turn in parts; the first one has it.
    turns: VecDeque<(AccountId, i32)>,
    /// Messages of all accounts.
    length: usize,
}

impl Class {
    fn push(&mut self, entry: Entry) {
        self.share(entry.job.account).push_back(entry);
        self.length += 1;
    }

    fn put_back(&mut self, entry: Entry) {
        let share = self.share(entry.job.account);
        let id = entry.job.id;
        let is_last = share.back().is_none_or(|last| last.job.id < id);
        let place = if is_last { None } else { share.iter().position(|other| other.job.id >= id) };
        let place = place.unwrap_or(share.len());
        match share.get_mut(place) {
            Some(other) if other.job.id == id => other.parts |= entry.parts,
            _ => {
                share.insert(place, entry);
                self.length += 1;
            }
        }
    }

    /// The queue of an account, which has a turn from now on.
    fn share(&mut self, account: AccountId) -> &mut VecDeque<Entry> {
        self.shares.entry(account).or_insert_with(|| {
            self.turns.push_back((account, TURN_PARTS));
            VecDeque::new()
        })
    }

    fn next(&mut self) -> Option<Part> {
        loop {
            let (account, left) = self.turns.front_mut()?;
            let account = *account;
            let Some(share) = self.shares.get_mut(&account) else {
                self.turns.pop_front();
                continue;
            };
            let part = share.front_mut().and_then(Entry::pop_part);
            *left -= i32::from(part.is_some());
            if share.front().is_some_and(|entry| entry.parts == 0) {
                share.pop_front();
                self.length -= 1;
                if share.is_empty() {
                    self.shares.remove(&account);
                    self.turns.pop_front();
                } else if *left <= 0 {
                    *left += TURN_PARTS;
                    self.turns.rotate_left(1);
                }
            }
            if part.is_some() {
                return part;
            }
        }
    }

    fn take_out(&mut self, take: &mut impl FnMut(&Entry) -> bool) {
        for share in self.shares.values_mut() {
            let before = share.len();
            share.retain(|entry| !take(entry));
            self.length -= before - share.len();
        }
        self.shares.retain(|_, share| !share.is_empty());
        self.turns.retain(|(account, _)| self.shares.contains_key(account));
    }

    fn remove(&mut self, account: AccountId, unwanted: &impl Fn(&Entry) -> bool) {
        let Some(share) = self.shares.get_mut(&account) else { return };
        let before = share.len();
        share.retain(|entry| !unwanted(entry));
        self.length -= before - share.len();
        if share.is_empty() {
            self.shares.remove(&account);
            self.turns.retain(|(of, _)| *of != account);
        }
    }
}
