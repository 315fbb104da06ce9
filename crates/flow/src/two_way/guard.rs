//! Who gets no more answers for a while: machines that answer machines, and people who write without end.

use domain::clock::UnixMillis;
use domain::id::AccountId;
use domain::limits::{
    ANSWERS_PER_PAIR_MAX, ANSWERS_PER_PERSON_MAX, GUARDED_PEOPLE_MAX, PAIR_WINDOW_MS, PERSON_WINDOW_MS,
    SAME_TEXT_IN_A_ROW_MAX,
};
use domain::phone::Phone;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use std::hash::BuildHasher;

/// Why somebody gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The same text again and again: a machine.
    SameText,
    /// The two numbers have written to each other too often: a machine that varies its text.
    Pair,
    /// Too many answers to one person, over all numbers of the account.
    Person,
}

#[derive(Debug, Default)]
struct Window {
    since: UnixMillis,
    count: u32,
}

impl Window {
    fn has_room(&self, now: UnixMillis, window_ms: i64, most: u32) -> bool {
        self.is_over(now, window_ms) || self.count < most
    }

    fn is_over(&self, now: UnixMillis, window_ms: i64) -> bool {
        !(0..window_ms).contains(&now.since_ms(self.since))
    }

    fn count(&mut self, now: UnixMillis, window_ms: i64) {
        if self.is_over(now, window_ms) {
            *self = Self { since: now, count: 0 };
        }
        self.count += 1;
    }
}

#[derive(Debug, Default)]
struct Pair {
    answers: Window,
    text: u64,
    in_a_row: u32,
    heard: UnixMillis,
}

/// Counts answers. Kept in memory only: after a restart everybody begins anew.
#[derive(Debug, Default)]
pub struct Guard {
    pairs: HashMap<(AccountId, Box<str>, Phone), Pair, RandomState>,
    people: HashMap<(AccountId, Phone), Window, RandomState>,
    hasher: RandomState,
}

impl Guard {
    /// Somebody wrote to a number: may that be answered?
    pub fn hear(
        &mut self,
        account: AccountId,
        number: &str,
        phone: Phone,
        text: &str,
        now: UnixMillis,
    ) -> Result<(), Silence> {
        self.make_room(now);
        let text = self.hasher.hash_one(text);
        let pair = self.pairs.entry((account, number.into(), phone)).or_default();
        let goes_on = pair.text == text && now.since_ms(pair.heard) < PAIR_WINDOW_MS;
        pair.in_a_row = if goes_on { pair.in_a_row.saturating_add(1) } else { 1 };
        (pair.text, pair.heard) = (text, now);
        if pair.in_a_row > SAME_TEXT_IN_A_ROW_MAX {
            return Err(Silence::SameText);
        }
        if !pair.answers.has_room(now, PAIR_WINDOW_MS, ANSWERS_PER_PAIR_MAX) {
            return Err(Silence::Pair);
        }
        let person = self.people.entry((account, phone)).or_default();
        if person.has_room(now, PERSON_WINDOW_MS, ANSWERS_PER_PERSON_MAX) { Ok(()) } else { Err(Silence::Person) }
    }

    /// An answer goes out.
    pub fn answer(&mut self, account: AccountId, number: &str, phone: Phone, now: UnixMillis) {
        self.pairs.entry((account, number.into(), phone)).or_default().answers.count(now, PAIR_WINDOW_MS);
        self.people.entry((account, phone)).or_default().count(now, PERSON_WINDOW_MS);
    }

    /// At the bound those who have been quiet are forgotten, and if that is not enough, everybody.
    fn make_room(&mut self, now: UnixMillis) {
        if self.pairs.len() < GUARDED_PEOPLE_MAX && self.people.len() < GUARDED_PEOPLE_MAX {
            return;
        }
        self.pairs.retain(|_, pair| now.since_ms(pair.heard) < PAIR_WINDOW_MS);
        self.people.retain(|_, window| !window.is_over(now, PERSON_WINDOW_MS));
        if self.pairs.len() >= GUARDED_PEOPLE_MAX {
            self.pairs.clear();
        }
        if self.people.len() >= GUARDED_PEOPLE_MAX {
            self.people.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: AccountId = AccountId(1);

    fn phone(number: u64) -> Phone {
        Phone::from_u64(number).expect("a number")
    }

    #[test]
    fn a_machine_that_repeats_itself_is_left_alone() {
        let (mut guard, who) = (Guard::default(), phone(48_600_100_200));
        for second in 0..20 {
            let heard = guard.hear(ACCOUNT, "2424", who, "I am out of office", UnixMillis(second * 20_000));
            if second < i64::from(SAME_TEXT_IN_A_ROW_MAX) {
                assert_eq!(heard, Ok(()), "{second}");
                guard.answer(ACCOUNT, "2424", who, UnixMillis(second * 20_000));
            } else {
                assert_eq!(heard, Err(Silence::SameText), "{second}");
            }
        }
        assert_eq!(guard.hear(ACCOUNT, "2424", who, "Hello, is anybody there?", UnixMillis(500_000)), Ok(()));
    }

    #[test]
    fn two_machines_end_their_talk_and_a_person_is_answered_again_later() {
        let (mut guard, who) = (Guard::default(), phone(48_600_100_200));
        let mut answered = 0;
        for turn in 0..1_000 {
            let now = UnixMillis(turn * 1_000);
            if guard.hear(ACCOUNT, "2424", who, &format!("your ticket is {turn}"), now).is_ok() {
                answered += 1;
                guard.answer(ACCOUNT, "2424", who, now);
            }
        }
        assert_eq!(answered, ANSWERS_PER_PAIR_MAX);
        let later = UnixMillis(1_000_000 + PAIR_WINDOW_MS);
        assert_eq!(guard.hear(ACCOUNT, "2424", who, "hello", later), Ok(()));
        assert_eq!(guard.hear(ACCOUNT, "2424", phone(48_600_100_201), "hello", UnixMillis(1)), Ok(()));
    }

    #[test]
    fn one_person_can_not_spend_the_account_over_many_numbers() {
        let (mut guard, who) = (Guard::default(), phone(48_600_100_200));
        for turn in 0..ANSWERS_PER_PERSON_MAX {
            assert_eq!(guard.hear(ACCOUNT, &format!("{}", 2_000 + turn), who, "x", UnixMillis(0)), Ok(()));
            guard.answer(ACCOUNT, &format!("{}", 2_000 + turn), who, UnixMillis(0));
        }
        assert_eq!(guard.hear(ACCOUNT, "9999", who, "x", UnixMillis(0)), Err(Silence::Person));
        assert_eq!(guard.hear(AccountId(2), "9999", who, "x", UnixMillis(0)), Ok(()), "accounts do not mix");
    }

    #[test]
    fn memory_is_bounded() {
        let mut guard = Guard::default();
        for number in 0..(GUARDED_PEOPLE_MAX as u64 + 1_000) {
            let _ = guard.hear(ACCOUNT, "2424", phone(48_000_000_000 + number), "x", UnixMillis(0));
        }
        assert!(guard.pairs.len() <= GUARDED_PEOPLE_MAX && guard.people.len() <= GUARDED_PEOPLE_MAX);
    }
}
