//! Application keys: how they are generated, recognised and kept.

use domain::random::Random;
use sha2::{Digest, Sha256};

/// Digits of the check number, and its place value system.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECK_DIGITS: usize = 6;
/// Below this length the ends of a key are too large a part of it to show four of each.
const LONG_KEY: usize = 32;

/// The digest under which a pair of `Authorization` and `Application-Key` is kept and found: SHA-256 over
/// both with a zero octet between them, which neither can contain.
#[must_use]
pub fn key_digest(authorization: &str, application_key: &str) -> [u8; 32] {
    Sha256::new().chain_update(authorization).chain_update([0]).chain_update(application_key).finalize().into()
}

/// Whether the last six characters are the base-62 CRC32 of the rest, as in every key generated here: lets
/// a scanner tell a leaked key from a random word. Keys brought from elsewhere have none, so it is no
/// condition for anything.
#[must_use]
pub fn has_check_digits(key: &str) -> bool {
    let Some(split) = key.len().checked_sub(CHECK_DIGITS).filter(|&split| split > 0) else { return false };
    key.is_ascii() && check_digits(&key[..split]) == key[split..]
}

/// A random key of `length` characters, the last six being check digits.
pub(super) fn generate(random: &Random, length: usize) -> String {
    let mut key = random.alphanumeric(length.saturating_sub(CHECK_DIGITS));
    key.push_str(&check_digits(&key));
    key
}

/// What may be shown of a key after its first showing.
pub(super) fn hint(key: &str) -> String {
    let shown = if key.len() < LONG_KEY { 2 } else { 4 };
    format!("{}…{}", key.get(..shown).unwrap_or_default(), key.get(key.len() - shown..).unwrap_or_default())
}

/// SHA-256 of one half of the pair, to notice that a given half changed.
pub(super) fn half_digest(half: &str) -> [u8; 32] {
    Sha256::digest(half).into()
}

fn check_digits(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; CHECK_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % BASE62.len()];
        rest /= BASE62.len();
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_the_halves_apart() {
        assert_ne!(key_digest("ab", "c"), key_digest("a", "bc"));
        // printf 'a\0b' | sha256sum
        let expected = "59b271ae1bbcb1d31d41929817f4b16f";
        let digest: String = key_digest("a", "b")[..16].iter().map(|octet| format!("{octet:02x}")).collect();
        assert_eq!(digest, expected);
    }

    #[test]
    fn generated_keys_carry_check_digits_and_others_do_not() {
        let key = generate(&Random::seeded(1), 128);
        assert_eq!(key.len(), 128);
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(has_check_digits(&key));
        // CRC32 of "123456789" is cbf43926 = 3421780262 = 3jZRME in base 62.
        assert_eq!(check_digits("123456789"), "3jZRME");
        let changed = format!("{}{}", if key.starts_with('A') { "B" } else { "A" }, &key[1..]);
        for other in [changed.as_str(), "", "000000", "short", "żżżżżżżż"] {
            assert!(!has_check_digits(other), "{other}");
        }
    }

    #[test]
    fn a_hint_shows_little_of_a_short_key() {
        assert_eq!(hint("abcdefghijklmnop"), "ab…op");
        assert_eq!(hint(&"abcd".repeat(8)), "abcd…abcd");
    }
}
