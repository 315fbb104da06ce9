//! References by which handsets join the parts of long messages.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use domain::phone::Phone;
use domain::sender::Sender;
use foldhash::fast::RandomState;

/// Pairs of sender and recipient remembered per carrier; 8 octets each. Where more of them are sent long messages at a
/// time, the older ones are forgotten and a reference may come again, as it may without all this in one of 256 cases.
const PAIRS: usize = 16_384;
/// References remembered of a pair.
const REMEMBERED: u32 = 4;
const OCTET: u32 = 8;
const TAG_SHIFT: u32 = REMEMBERED * OCTET;

/// What a carrier's handsets may still be joining: the last references of each pair of sender and recipient.
///
/// An entry is a tag of the pair in the upper half and its last four references below, the newest lowest. References are
/// compared by their low octet, which is all that `udh8` carries; one that is not in use is stored as its pair's oldest.
pub(super) struct References {
    entries: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for References {
    fn default() -> Self {
        Self { entries: (0..PAIRS).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::default() }
    }
}

impl References {
    /// The reference for a message: the one made from its id, or the next that none of the pair's last messages has.
    pub(super) fn give(&self, sender: &Sender, phone: Phone, natural: u16) -> u16 {
        let hash = self.hasher.hash_one((sender.as_str(), phone.as_u64()));
        // The lowest bit keeps a tag from looking like an empty entry.
        let tag = (hash >> TAG_SHIFT) | 1;
        let Some(entry) = usize::try_from(hash).ok().and_then(|hash| self.entries.get(hash % PAIRS)) else {
            return natural;
        };
        let mut given = natural;
        let remember = |before: u64| {
            given = natural;
            let low = |reference: u16| u64::from(reference & 0xff);
            let known = before >> TAG_SHIFT == tag;
            let last: u64 =
                if known { before & ((1 << TAG_SHIFT) - 1) } else { low(natural.wrapping_sub(1)) * 0x0101_0101 };
            let is_taken = |reference| (0..REMEMBERED).any(|place| last >> (place * OCTET) & 0xff == low(reference));
            while is_taken(given) {
                given = given.wrapping_add(1);
            }
            let kept = (last << OCTET | low(given)) & ((1 << TAG_SHIFT) - 1);
            Some(tag << TAG_SHIFT | kept)
        };
        // The change never declines, so there is always a value before.
        _ = entry.fetch_update(Relaxed, Relaxed, remember);
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_messages_of_a_pair_never_share_a_reference() {
        let references = References::default();
        let (acme, other) = (Sender::parse("ACME").expect("a sender"), Sender::parse("OTHER").expect("a sender"));
        let phone = Phone::parse("48500100200").expect("a number");
        let mut last: Vec<u16> = Vec::new();
        for natural in [7, 7, 0x107, 7, 8, 7, 0x0fff, 0xffff, 0xffff, 0xffff] {
            let given = references.give(&acme, phone, natural);
            let recent = &last[last.len().saturating_sub(4)..];
            assert!(recent.iter().all(|recent| recent & 0xff != given & 0xff), "{given:#x} after {recent:x?}");
            last.push(given);
        }
        assert_eq!(last[..2], [7, 8], "the one from the id, if nobody has it");
        assert_eq!(references.give(&other, phone, 7), 7, "another sender's messages are joined apart");
        assert_eq!(references.give(&acme, Phone::parse("48500100201").expect("a number"), 7), 7);
    }
}
