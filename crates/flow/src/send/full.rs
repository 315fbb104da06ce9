//! Handsets for which the operator keeps too many messages already (RMSGQFUL): nothing more goes to them
//! for a while, and the bind stays fast for all others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::clock::UnixMillis;
use domain::phone::Phone;
use foldhash::fast::RandomState;
use parking_lot::Mutex;

/// The status that is about one destination.
pub(super) const RMSGQFUL: u32 = 0x14;

/// Destinations remembered at a time; beyond that each message finds out for itself.
const DESTINATIONS_MAX: usize = 10_000;

/// Destinations of one carrier that wait.
#[derive(Debug, Default)]
pub(super) struct FullQueues {
    /// How many there are, for those who only look.
    count: AtomicUsize,
    until: Mutex<HashMap<Phone, UnixMillis, RandomState>>,
}

impl FullQueues {
    /// Nothing goes to `phone` before `until`.
    pub(super) fn hold(&self, phone: Phone, until: UnixMillis, now: UnixMillis) {
        let mut held = self.until.lock();
        if held.len() >= DESTINATIONS_MAX {
            held.retain(|_, until| *until > now);
        }
        if held.len() < DESTINATIONS_MAX {
            held.insert(phone, until);
        }
        self.count.store(held.len(), Ordering::Relaxed);
    }

    /// Until when nothing goes to `phone`; `None` when it may.
    pub(super) fn held_until(&self, phone: Phone, now: UnixMillis) -> Option<UnixMillis> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut held = self.until.lock();
        let until = *held.get(&phone)?;
        if until > now {
            return Some(until);
        }
        held.remove(&phone);
        self.count.store(held.len(), Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(number: usize) -> Phone {
        Phone::parse(&format!("48{:09}", 500_000_000 + number)).expect("a number")
    }

    #[test]
    fn a_full_handset_waits_and_no_other_does() {
        let queues = FullQueues::default();
        queues.hold(phone(1), UnixMillis(30_000), UnixMillis(0));
        assert_eq!(queues.held_until(phone(1), UnixMillis(29_999)), Some(UnixMillis(30_000)));
        assert_eq!(queues.held_until(phone(2), UnixMillis(0)), None);
        assert_eq!(queues.held_until(phone(1), UnixMillis(30_000)), None);
        assert_eq!(queues.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn its_memory_is_bounded_and_makes_room_for_what_is_newer() {
        let queues = FullQueues::default();
        for number in 0..=DESTINATIONS_MAX {
            queues.hold(phone(number), UnixMillis(30_000), UnixMillis(0));
        }
        assert_eq!(queues.held_until(phone(DESTINATIONS_MAX), UnixMillis(0)), None);
        queues.hold(phone(DESTINATIONS_MAX), UnixMillis(90_000), UnixMillis(60_000));
        assert!(queues.held_until(phone(DESTINATIONS_MAX), UnixMillis(60_000)).is_some());
    }
}
