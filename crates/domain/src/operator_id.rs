//! Operator message ids: the forms by which a receipt finds its part.
//!
//! Operators give an id in `submit_sm_resp` and often another spelling of it in the receipt:
//! hexadecimal against decimal, with or without leading zeros, in another case. The stored form is
//! made from the response; a receipt offers its likeliest form, and others when that finds nothing.

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::choice::choice;
use crate::id::CarrierId;
use crate::limits::OPERATOR_ID_CONVERTED_DIGITS_MAX;

/// How a carrier writes its ids (`message_id_format` of the setup file).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MessageIdFormat {
    /// As given first, then the other base.
    #[default]
    Auto,
    /// Decimal in the response and in the receipt.
    Decimal,
    /// Hexadecimal in the response and in the receipt.
    Hexadecimal,
    /// Hexadecimal in the response, decimal in the receipt.
    HexadecimalInResponse,
    /// Decimal in the response, hexadecimal in the receipt.
    DecimalInResponse,
}

choice!(MessageIdFormat {
    Auto = "auto",
    Decimal = "decimal",
    Hexadecimal = "hexadecimal",
    HexadecimalInResponse = "hexadecimal-in-response",
    DecimalInResponse = "decimal-in-response",
});

impl MessageIdFormat {
    /// The stored form of an id given in a response.
    #[must_use]
    pub fn from_response(self, id: &str) -> Box<str> {
        let plain = plain(id);
        let converted = match self {
            Self::HexadecimalInResponse => convert(&plain, 16, 10),
            Self::DecimalInResponse => convert(&plain, 10, 16),
            Self::Auto | Self::Decimal | Self::Hexadecimal => None,
        };
        converted.map_or(plain, Into::into)
    }

    /// Further forms under which the part of a receipt may be stored, `likeliest` being what [`plain`] made
    /// of the receipt's id: the other base, where the format leaves that open. Such a form counts only if no
    /// other one finds another message.
    #[must_use]
    pub fn further(self, likeliest: &str) -> SmallVec<[Box<str>; 2]> {
        if self == Self::Auto { other_bases(likeliest) } else { SmallVec::new() }
    }
}

/// The characters of an id as an operator gave it. Ids are opaque: an octet beyond ASCII becomes the character
/// of that number, so that different octets never become the same text.
#[must_use]
pub fn text(octets: &[u8]) -> Box<str> {
    match std::str::from_utf8(octets) {
        Ok(text) if text.is_ascii() => text.into(),
        _ => octets.iter().map(|&octet| char::from(octet)).collect::<String>().into(),
    }
}

/// A form in both other bases, where it can be read so and that makes a difference.
#[must_use]
pub fn other_bases(plain: &str) -> SmallVec<[Box<str>; 2]> {
    let converted = [convert(plain, 10, 16), convert(plain, 16, 10)];
    converted.into_iter().flatten().filter(|form| form != plain).map(String::into_boxed_str).collect()
}

/// Characters at the end of an id that its key keeps as they are.
const KEY_TAIL: usize = 3;
/// Bits of each of them: a stored form is ASCII, but for rare ids.
const KEY_TAIL_BITS: u32 = 7;

/// A stable 63-bit key of (carrier, stored form): what the indexes hold.
///
/// Most operators count their ids up. So that what is handed over together lies together in an index on disk, and a
/// commit touches a few pages of it instead of one for every message, the key ends with the id's last characters as
/// they are; what comes before them is hashed. Ids that differ at the end only never share a key.
#[must_use]
pub fn match_key(carrier: CarrierId, canonical_id: &str) -> i64 {
    let octets = canonical_id.as_bytes();
    let (head, tail) = match octets.split_last_chunk::<KEY_TAIL>() {
        Some((head, tail)) if tail.is_ascii() => (head, &tail[..]),
        _ => (octets, &[][..]),
    };
    let digest = Sha256::new().chain_update(carrier.0.to_le_bytes()).chain_update(head).finalize();
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    let hashed = u64::from_le_bytes(first) >> (KEY_TAIL_BITS * 3 + 1);
    let kept = tail.iter().fold(0, |kept, octet| kept << KEY_TAIL_BITS | u64::from(*octet));
    (hashed << (KEY_TAIL_BITS * 3) | kept).cast_signed()
}

/// The form by which ids are compared: lower case, without surrounding blanks, and without leading zeros where
/// nothing but hexadecimal digits and dashes follows (numbers, UUIDs).
#[must_use]
pub fn plain(id: &str) -> Box<str> {
    let trimmed = id.trim_matches(|character: char| character.is_whitespace() || character == '\0');
    let is_number = trimmed.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let significant = if is_number { trimmed.trim_start_matches('0') } else { trimmed };
    // Nothing but zeros is the number zero.
    let kept = if significant.is_empty() && !trimmed.is_empty() { "0" } else { significant };
    let mut form: Box<str> = kept.into();
    form.make_ascii_lowercase();
    form
}

/// Writes a number in another base, at any length that an operator may use; `None` if it is none in the first.
fn convert(digits: &str, from: u32, to: u32) -> Option<String> {
    if digits.is_empty() || digits.len() > OPERATOR_ID_CONVERTED_DIGITS_MAX {
        return None;
    }
    let mut number: Vec<u32> = Vec::with_capacity(digits.len() + 16); // little-endian digits in base `to`
    for character in digits.chars() {
        let mut carry = character.to_digit(from)?;
        for digit in &mut number {
            let value = *digit * from + carry;
            *digit = value % to;
            carry = value / to;
        }
        while carry > 0 {
            number.push(carry % to);
            carry /= to;
        }
    }
    if number.is_empty() {
        number.push(0);
    }
    number.iter().rev().map(|&digit| char::from_digit(digit, to)).collect()
}

/// How an id in a receipt may have come from the id in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Likeness {
    /// Octet for octet the same.
    AsIs,
    /// Hexadecimal in the answer, decimal in the receipt.
    HexadecimalToDecimal,
    /// Decimal in the answer, hexadecimal in the receipt.
    DecimalToHexadecimal,
    /// The same but for leading zeros.
    WithoutZeros,
    /// The same but for upper and lower case.
    CaseFolded,
}

impl Likeness {
    /// All of them with the words they are shown by.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::AsIs, "as-is"),
        (Self::HexadecimalToDecimal, "hexadecimal-to-decimal"),
        (Self::DecimalToHexadecimal, "decimal-to-hexadecimal"),
        (Self::WithoutZeros, "without-zeros"),
        (Self::CaseFolded, "case-folded"),
    ];

    /// Whether the id of a receipt comes from the id of an answer in this way.
    #[must_use]
    pub fn holds(self, answer: &str, receipt: &str) -> bool {
        let same_number = |from, to| {
            let (answer, receipt) = (plain(answer), plain(receipt));
            convert(&answer, from, to).is_some_and(|converted| *converted == *receipt)
        };
        match self {
            Self::AsIs => answer == receipt,
            Self::HexadecimalToDecimal => same_number(16, 10),
            Self::DecimalToHexadecimal => same_number(10, 16),
            Self::WithoutZeros => answer.trim_start_matches('0') == receipt.trim_start_matches('0'),
            Self::CaseFolded => answer.eq_ignore_ascii_case(receipt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(format: MessageIdFormat, response: &str, receipt: &str) -> bool {
        let (stored, likeliest) = (format.from_response(response), plain(receipt));
        stored == likeliest || format.further(&likeliest).contains(&stored)
    }

    #[test]
    fn spellings_seen_at_operators_match() {
        use MessageIdFormat::{Auto, Decimal, DecimalInResponse, Hexadecimal, HexadecimalInResponse};
        for (format, response, receipt) in [
            (Auto, "12345", "12345"),
            (Auto, "0012345", "12345"),
            (Auto, "3ADE68B1", "987654321"),
            (Auto, "987654321", "3ade68b1"),
            (Auto, "B8F1C0DE-AAAA", "b8f1c0de-aaaa"),
            (Auto, "0b8f1c0d-8b86-d011-b42d-00c04fc964ff", "B8F1C0D-8B86-D011-B42D-00C04FC964FF"),
            (Auto, "ffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455"),
            (Decimal, "00123", "123"),
            (Hexadecimal, "0A", "a"),
            (HexadecimalInResponse, "A", "0010"),
            (DecimalInResponse, "0010", "A"),
            (Auto, "000", "0"),
        ] {
            assert!(matches(format, response, receipt), "{format:?} {response} {receipt}");
        }
        assert!(!matches(Decimal, "10", "a"));
        assert!(!matches(Hexadecimal, "10", "16"));
        assert!(!matches(DecimalInResponse, "a", "10"));
    }

    #[test]
    fn ids_are_opaque_octets_of_any_length() {
        assert_ne!(text(b"a\xFF"), text(b"a\xFE"));
        assert_eq!(&*text(b"0042"), "0042");
        let long = "9".repeat(OPERATOR_ID_CONVERTED_DIGITS_MAX + 1);
        assert!(matches(MessageIdFormat::Auto, &long, &long), "too long to be read as a number, but not to be matched");
        assert!(other_bases(&long).is_empty());
        let longest = "9".repeat(OPERATOR_ID_CONVERTED_DIGITS_MAX);
        assert_eq!(other_bases(&longest).len(), 2);
    }

    #[test]
    fn the_way_from_answer_to_receipt_is_recognised() {
        let seen = |answer, receipt| -> Vec<&str> {
            let holds = |(likeness, _): &&(Likeness, &str)| likeness.holds(answer, receipt);
            Likeness::ALL.iter().filter(holds).map(|(_, name)| *name).collect()
        };
        assert_eq!(seen("f4240", "1000000"), ["hexadecimal-to-decimal"]);
        assert_eq!(seen("1000000", "F4240"), ["decimal-to-hexadecimal"]);
        assert_eq!(seen("0042x", "42x"), ["without-zeros"]);
        assert_eq!(seen("ABC-z", "abc-z"), ["case-folded"]);
        assert_eq!(seen("x1", "x1"), ["as-is", "without-zeros", "case-folded"]);
        assert!(seen("x1", "x2").is_empty());
    }

    #[test]
    fn keys_keep_carriers_apart() {
        assert_ne!(match_key(CarrierId(1), "7"), match_key(CarrierId(2), "7"));
        assert_eq!(match_key(CarrierId(1), "7"), match_key(CarrierId(1), "7"));
    }

    #[test]
    fn ids_that_are_counted_up_have_keys_side_by_side() {
        let keys: Vec<i64> = (41_000..42_000).map(|id| match_key(CarrierId(1), &format!("{id}"))).collect();
        assert!(keys.is_sorted_by(|one, next| one < next), "in order and distinct");
        assert!(keys[999] - keys[0] < 1 << 21, "nothing else comes between them");
        assert!(keys.iter().all(|key| *key >= 0));
        let elsewhere = match_key(CarrierId(1), "42000");
        assert!(elsewhere.abs_diff(keys[999]) > 1 << 21, "another thousand lies somewhere else");
    }

    #[test]
    fn short_ids_and_ids_beyond_ascii_have_keys_of_their_own() {
        let ids = ["", "0", "7", "00", "07", "abc", "1abc", "é", "abé", "aébc", "x\u{ff}\u{fe}", "x\u{ff}\u{fd}"];
        let keys: std::collections::HashSet<i64> = ids.iter().map(|id| match_key(CarrierId(1), id)).collect();
        assert_eq!(keys.len(), ids.len());
    }

    proptest::proptest! {
        #[test]
        fn a_different_end_makes_a_different_key(head in "[0-9a-f]{0,40}", one in "[ -~]{3}", other in "[ -~]{3}") {
            let key = |tail: &str| match_key(CarrierId(9), &format!("{head}{tail}"));
            proptest::prop_assert_eq!(key(&one) == key(&other), one == other);
        }

        #[test]
        fn bases_convert_there_and_back(number in 0_u128..) {
            let decimal = number.to_string();
            let hexadecimal = format!("{number:x}");
            proptest::prop_assert_eq!(convert(&decimal, 10, 16), Some(hexadecimal.clone()));
            proptest::prop_assert_eq!(convert(&hexadecimal, 16, 10), Some(decimal));
        }
    }
}
