//! Incoming messages that the operator's subscribers write by themselves.

use super::delivery::{Delivery, Digits, Part, incoming};
use super::dice::{Question, below};

/// Subscribers that write; each message comes from the next one.
const WRITERS: u64 = 1_000;
/// The first of them.
const FIRST_WRITER: u64 = 48_600_200_000;
/// A text of several parts.
const LONG: &str = "This text is so long that no handset can send it as one message. It comes in parts, and whoever \
    joins them has to put them in their order, whatever order the network brought them in. Only then it can be read. \
    Parts come twice at times, and a part that is missing may come an hour later or never: then what is there has to \
    be given to whoever waits for it, and it has to be said that something is missing.";

/// What an incoming message is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// One part.
    Short,
    /// Parts in their order.
    Long,
    /// Parts in any order, the first one twice.
    Shuffled,
    /// A part whose header can't be right, or that opens a group which never ends.
    Hostile,
}

impl Incoming {
    /// The deliveries of message `number` to `destination`.
    pub(super) fn write(self, seed: u64, number: u64, destination: &str) -> Vec<Delivery> {
        let source = (FIRST_WRITER + number % WRITERS).to_string();
        let reference = text::Reference::Bits8((number % 256) as u8);
        let (words, shuffle) = match self {
            Self::Short => ("Hello, this is a short one.", false),
            Self::Long => (LONG, false),
            Self::Shuffled => (LONG, true),
            Self::Hostile => return vec![hostile(number, &source, destination)],
        };
        // The texts are ours and fit.
        let mut parts = incoming(&source, destination, words, reference).unwrap_or_default();
        if shuffle {
            shuffle_parts(&mut parts, seed, number);
        }
        parts
    }
}

/// Any order, and the part that comes first once more at the end.
pub(super) fn shuffle_parts(parts: &mut Vec<Delivery>, seed: u64, number: u64) {
    for last in (1..parts.len()).rev() {
        let other = below(seed, number.wrapping_mul(31).wrapping_add(last as u64), Question::Order, last as u64 + 1);
        parts.swap(last, other as usize);
    }
    parts.extend(parts.first().cloned());
}

/// Headers as they must not be (3GPP TS 23.040 §9.2.3.24): `reference` stands for the one in each.
fn broken_header(kind: u64, reference: u8) -> Vec<u8> {
    match kind {
        0 => vec![0xff, 0x00, 0x03, reference, 0x02, 0x01],
        1 => vec![0x05, 0x00, 0x03, reference, 0x00, 0x01],
        2 => vec![0x05, 0x00, 0x03, reference, 0x02, 0x03],
        3 => vec![0x05, 0x00, 0x03, reference, 0x02, 0x00],
        4 => vec![0x05, 0x00, 0x09, reference, 0x02, 0x01],
        5 => Vec::new(),
        6 => vec![0x06, 0x08, 0x04, 0x00, reference, 0xff, 0x01],
        _ => vec![0x05, 0x00, 0x03, reference, 0xff, 0x01],
    }
}

fn hostile(number: u64, source: &str, destination: &str) -> Delivery {
    let mut octets = broken_header(number % 8, (number / 8 % 256) as u8);
    octets.extend_from_slice(b"odd");
    Delivery::Incoming(Box::new(Part {
        source: Digits::typed(source),
        destination: Digits::typed(destination),
        has_header: true,
        // Three octets are no whole number of UCS-2 units, and 0xF4 is 8-bit data.
        data_coding: [0x00, 0x08, 0xf4][(number % 3) as usize],
        octets,
        attempts: 0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(deliveries: &[Delivery]) -> Vec<Vec<u8>> {
        let part = |delivery: &Delivery| match delivery {
            Delivery::Incoming(part) => Some(part.octets.clone()),
            Delivery::Receipt(_) => None,
        };
        deliveries.iter().filter_map(part).collect()
    }

    #[test]
    fn shuffled_parts_are_the_parts_and_one_twice_and_follow_from_the_seed() {
        let long = octets(&Incoming::Long.write(1, 9, "48500100200"));
        assert_eq!(long.len(), 3);
        let shuffled = octets(&Incoming::Shuffled.write(1, 9, "48500100200"));
        assert_eq!(shuffled.len(), 4);
        assert_eq!(shuffled[0], shuffled[3]);
        assert!(long.iter().all(|part| shuffled.contains(part)));
        assert_eq!(shuffled, octets(&Incoming::Shuffled.write(1, 9, "48500100200")));
        let orders = (0..20).map(|number| octets(&Incoming::Shuffled.write(1, number, "1"))[0][5]);
        assert_eq!(orders.collect::<std::collections::HashSet<_>>().len(), 3, "each part comes first at times");
    }

    #[test]
    fn hostile_parts_are_of_many_kinds() {
        let kinds: std::collections::HashSet<_> =
            (0..48).flat_map(|number| octets(&Incoming::Hostile.write(1, number, "48500100200"))).collect();
        assert!(kinds.len() > 40, "{}", kinds.len());
    }
}
