//! Parts of which it is not known whether an operator took them, and the receipts that tell.
//!
//! The operator's id of such a part never came, so that its receipt can't be matched by id. It is matched
//! by carrier, recipient, sender and time instead, and only where a single part fits.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use domain::clock::UnixMillis;
use domain::id::{CarrierId, MessageId};
use domain::limits;
use domain::phone::Phone;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use smallvec::SmallVec;

/// A part of unknown outcome.
pub(crate) struct Doubt {
    /// The carrier that may have taken it.
    pub carrier: CarrierId,
    /// The message.
    pub id: MessageId,
    /// Part numbers from 1; several when they went in one piece.
    pub parts: RangeInclusive<u8>,
    /// Whom it went to.
    pub phone: Phone,
    /// The sender as it was submitted.
    pub sender: Box<str>,
    /// It was written after this.
    pub since: UnixMillis,
    /// From here on a receipt is not about it any more.
    pub until: UnixMillis,
    /// Called when a receipt was kept for it.
    pub resolved: Box<dyn FnOnce() + Send>,
}

type Key = (CarrierId, Phone);

#[derive(Default)]
pub(super) struct Doubts(Mutex<State>);

#[derive(Default)]
struct State {
    by_recipient: HashMap<Key, SmallVec<[Doubt; 1]>, RandomState>,
    count: usize,
}

impl Doubts {
    /// Takes a part in; beyond [`limits::DOUBTS_MAX`] it is left out.
    pub(super) fn add(&self, doubt: Doubt, now: UnixMillis) {
        let mut state = self.0.lock();
        if state.count >= limits::DOUBTS_MAX {
            state.drop_old(now);
        }
        if state.count < limits::DOUBTS_MAX {
            state.count += 1;
            state.by_recipient.entry((doubt.carrier, doubt.phone)).or_default().push(doubt);
        }
    }

    /// The one part that a receipt for `phone` from `sender` at `at` can be about.
    pub(super) fn take(&self, carrier: CarrierId, phone: Phone, sender: &str, at: UnixMillis) -> Option<Doubt> {
        let mut state = self.0.lock();
        if state.count == 0 {
            return None;
        }
        state.retain_of((carrier, phone), |doubt| at <= doubt.until);
        let doubts = state.by_recipient.get(&(carrier, phone))?;
        let fits = |doubt: &Doubt| &*doubt.sender == sender && doubt.since <= at;
        let mut fitting = (0..doubts.len()).filter(|&place| fits(&doubts[place]));
        let (Some(place), None) = (fitting.next(), fitting.next()) else { return None };
        let doubt = state.by_recipient.get_mut(&(carrier, phone)).map(|doubts| doubts.swap_remove(place));
        state.count -= usize::from(doubt.is_some());
        state.retain_of((carrier, phone), |_| true);
        doubt
    }

    /// The doubt about a part is over.
    pub(super) fn forget(&self, carrier: CarrierId, phone: Phone, (id, part): (MessageId, u8)) {
        self.0.lock().retain_of((carrier, phone), |doubt| (doubt.id, *doubt.parts.start()) != (id, part));
    }
}

impl State {
    fn retain_of(&mut self, key: Key, keep: impl Fn(&Doubt) -> bool) {
        let Some(doubts) = self.by_recipient.get_mut(&key) else { return };
        let before = doubts.len();
        doubts.retain(|doubt| keep(doubt));
        self.count -= before - doubts.len();
        if doubts.is_empty() {
            self.by_recipient.remove(&key);
        }
    }

    fn drop_old(&mut self, now: UnixMillis) {
        let keys: Vec<Key> = self.by_recipient.keys().copied().collect();
        keys.into_iter().for_each(|key| self.retain_of(key, |doubt| now <= doubt.until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);

    fn doubt(id: i64, phone: &str, sender: &str) -> Doubt {
        Doubt {
            carrier: CarrierId(1),
            id: MessageId(id),
            parts: 1..=1,
            phone: Phone::parse(phone).expect("a number"),
            sender: sender.into(),
            since: NOW,
            until: NOW.plus_ms(5_000),
            resolved: Box::new(|| {}),
        }
    }

    #[test]
    fn a_receipt_is_about_the_only_part_that_fits() {
        let doubts = Doubts::default();
        let phone = Phone::parse("48500100200").expect("a number");
        let take =
            |sender, after_ms| doubts.take(CarrierId(1), phone, sender, NOW.plus_ms(after_ms)).map(|doubt| doubt.id.0);
        assert_eq!(take("ACME", 0), None);
        doubts.add(doubt(1, "48500100200", "ACME"), NOW);
        doubts.add(doubt(2, "48500100200", "SHOP"), NOW);
        doubts.add(doubt(3, "48500100201", "ACME"), NOW);
        assert_eq!(take("ELSE", 0), None);
        assert_eq!(take("ACME", -1), None, "before it was sent");
        assert_eq!(take("ACME", 5_000), Some(1));
        assert_eq!(take("ACME", 5_000), None, "once");
        doubts.add(doubt(4, "48500100200", "SHOP"), NOW);
        assert_eq!(take("SHOP", 0), None, "two fit");
        doubts.forget(CarrierId(1), phone, (MessageId(4), 1));
        assert_eq!(take("SHOP", 0), Some(2));
        doubts.add(doubt(5, "48500100200", "SHOP"), NOW);
        assert_eq!(take("SHOP", 5_001), None, "too late");
        assert_eq!(doubts.0.lock().count, 1, "only the other recipient is left");
    }
}
