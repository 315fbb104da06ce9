//! Operator message ids: the forms by which a receipt finds its part.
//!
//! Operators give an id in `submit_sm_resp` and often another spelling of it in the receipt:
//! hexadecimal against decimal, with or without leading zeros, in another case. The stored form is
//! made from the response; a receipt offers one or more forms, likeliest first.

use sha2::{Digest, Sha256};
use smallvec::SmallVec;

use crate::choice::choice;
use crate::id::CarrierId;

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
}

choice!(MessageIdFormat {
    Auto = "auto",
    Decimal = "decimal",
    Hexadecimal = "hexadecimal",
    HexadecimalInResponse = "hexadecimal-in-response",
});

impl MessageIdFormat {
    /// The stored form of an id given in a response.
    #[must_use]
    pub fn from_response(self, id: &str) -> Box<str> {
        let plain = plain(id);
        match self {
            Self::HexadecimalInResponse => convert(&plain, 16, 10).unwrap_or(plain).into(),
            Self::Auto | Self::Decimal | Self::Hexadecimal => plain.into(),
        }
    }

    /// The forms under which the part of a receipt's id may be stored, likeliest first.
    #[must_use]
    pub fn from_receipt(self, id: &str) -> SmallVec<[Box<str>; 2]> {
        let plain = plain(id);
        let mut forms = SmallVec::new();
        if self == Self::Auto {
            let other_bases = [convert(&plain, 10, 16), convert(&plain, 16, 10)];
            forms.push(plain.into());
            for form in other_bases.into_iter().flatten() {
                let form = form.into_boxed_str();
                if !forms.contains(&form) {
                    forms.push(form);
                }
            }
        } else {
            forms.push(plain.into());
        }
        forms
    }
}

/// A stable 63-bit key of (carrier, stored form): what the indexes hold.
#[must_use]
pub fn match_key(carrier: CarrierId, canonical_id: &str) -> i64 {
    let digest = Sha256::new().chain_update(carrier.0.to_le_bytes()).chain_update(canonical_id).finalize();
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(first) & i64::MAX
}

/// Lower case without surrounding blanks and, when it reads as a number, without leading zeros.
fn plain(id: &str) -> String {
    let lower = id.trim_matches(|character: char| character.is_whitespace() || character == '\0').to_ascii_lowercase();
    if lower.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let stripped = lower.trim_start_matches('0');
        return if stripped.is_empty() && !lower.is_empty() { "0".into() } else { stripped.into() };
    }
    lower
}

/// Writes a number of any length in another base; `None` if it is none in the first.
fn convert(digits: &str, from: u32, to: u32) -> Option<String> {
    if digits.is_empty() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(format: MessageIdFormat, response: &str, receipt: &str) -> bool {
        format.from_receipt(receipt).contains(&format.from_response(response))
    }

    #[test]
    fn spellings_seen_at_operators_match() {
        use MessageIdFormat::{Auto, Decimal, Hexadecimal, HexadecimalInResponse};
        for (format, response, receipt) in [
            (Auto, "12345", "12345"),
            (Auto, "0012345", "12345"),
            (Auto, "3ADE68B1", "987654321"),
            (Auto, "987654321", "3ade68b1"),
            (Auto, "B8F1C0DE-AAAA", "b8f1c0de-aaaa"),
            (Auto, "ffffffffffffffffffffffffffffffff", "340282366920938463463374607431768211455"),
            (Decimal, "00123", "123"),
            (Hexadecimal, "0A", "a"),
            (HexadecimalInResponse, "A", "0010"),
        ] {
            assert!(matches(format, response, receipt), "{format:?} {response} {receipt}");
        }
        assert!(!matches(Decimal, "10", "a"));
        assert!(!matches(Hexadecimal, "10", "16"));
    }

    #[test]
    fn keys_keep_carriers_apart() {
        assert_ne!(match_key(CarrierId(1), "7"), match_key(CarrierId(2), "7"));
        assert_eq!(match_key(CarrierId(1), "7"), match_key(CarrierId(1), "7"));
    }

    proptest::proptest! {
        #[test]
        fn bases_convert_there_and_back(number in 0_u128..) {
            let decimal = number.to_string();
            let hexadecimal = format!("{number:x}");
            proptest::prop_assert_eq!(convert(&decimal, 10, 16), Some(hexadecimal.clone()));
            proptest::prop_assert_eq!(convert(&hexadecimal, 16, 10), Some(decimal));
        }
    }
}
