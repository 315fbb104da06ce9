//! Answers of the service, remembered for a while.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::phone::Phone;
use quick_cache::sync::Cache as Bounded;

use super::known::Known;

/// What was answered; nothing when the service does not know the number.
type Answer = Option<Arc<Known>>;

/// Never more than a number of answers; what is asked for often stays.
pub(super) struct Cache {
    answers: Bounded<Phone, (UnixMillis, Answer)>,
    life_ms: i64,
    unknown_life_ms: i64,
}

impl Cache {
    pub(super) fn new(answers_max: usize, life_ms: i64, unknown_life_ms: i64) -> Self {
        Self { answers: Bounded::new(answers_max), life_ms, unknown_life_ms }
    }

    /// What was answered of a number, if that can still be believed.
    pub(super) fn get(&self, phone: Phone, now: UnixMillis) -> Option<Answer> {
        self.answers.get(&phone).filter(|(until, _)| now < *until).map(|(_, answer)| answer)
    }

    pub(super) fn put(&self, phone: Phone, answer: Answer, now: UnixMillis) {
        let life_ms = if answer.is_some() { self.life_ms } else { self.unknown_life_ms };
        self.answers.insert(phone, (now.plus_ms(life_ms), answer));
    }

    /// Answers in memory.
    pub(super) fn len(&self) -> usize {
        self.answers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_bounded_and_grow_old() {
        let (cache, now) = (Cache::new(100, 1_000, 50), UnixMillis(1_800_000_000_000));
        let phone = |number: u64| Phone::from_u64(48_500_000_000 + number).expect("a number");
        let known = Arc::new(Known { network: "26001".parse().expect("a network"), ported: None, imsi: None });
        for number in 0..10_000 {
            cache.put(phone(number), Some(Arc::clone(&known)), now);
            assert!(cache.len() <= 100);
        }
        cache.put(phone(1), Some(Arc::clone(&known)), now);
        assert_eq!(cache.get(phone(1), now.plus_ms(999)), Some(Some(known)));
        assert_eq!(cache.get(phone(1), now.plus_ms(1_000)), None);
        cache.put(phone(2), None, now);
        assert_eq!(cache.get(phone(2), now.plus_ms(49)), Some(None), "it is known that nothing is known");
        assert_eq!(cache.get(phone(2), now.plus_ms(50)), None);
    }
}
