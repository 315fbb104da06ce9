//! Prefixes of phone numbers: the entries for a number are found with one look-up per length of prefix in
//! use, however many prefixes there are.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::phone::Phone;

/// Longest prefix: a whole E.164 number.
pub const PREFIX_DIGITS_MAX: usize = 15;

/// Values by prefix; the empty prefix is for every number.
#[derive(Clone, Debug)]
pub struct PrefixMap<V> {
    /// By length and digits, see [`key`].
    entries: HashMap<u64, V, FixedState>,
    /// Bit n is set when there is a prefix of n digits.
    lengths: u16,
}

impl<V> Default for PrefixMap<V> {
    fn default() -> Self {
        Self { entries: HashMap::default(), lengths: 0 }
    }
}

/// Length and digits in one number: 15 digits take 50 bits.
fn key(length: u32, digits: u64) -> u64 {
    digits << 4 | u64::from(length)
}

impl<V> PrefixMap<V> {
    /// The value of `prefix`, made with `Default` when there is none; `None` when it is not a prefix: digits
    /// only, at most [`PREFIX_DIGITS_MAX`], the first not zero.
    pub fn entry(&mut self, prefix: &str) -> Option<&mut V>
    where
        V: Default,
    {
        let all_digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
        if prefix.len() > PREFIX_DIGITS_MAX || !all_digits || prefix.starts_with('0') {
            return None;
        }
        let digits = if prefix.is_empty() { 0 } else { prefix.parse().ok()? };
        self.lengths |= 1 << prefix.len();
        Some(self.entries.entry(key(u32::try_from(prefix.len()).ok()?, digits)).or_default())
    }

    /// The values of all prefixes of a number with the length of each, longest first.
    pub fn matches(&self, phone: Phone) -> impl Iterator<Item = (u32, &V)> {
        let number = phone.as_u64();
        let digits = number.checked_ilog10().map_or(1, |log| log + 1);
        let longest = digits.min(15);
        (0..=longest).rev().filter(|length| self.lengths & (1 << length) != 0).filter_map(move |length| {
            let prefix = number / 10_u64.pow(digits - length);
            self.entries.get(&key(length, prefix)).map(|value| (length, value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(digits: &str) -> Phone {
        Phone::parse(digits).expect("a number")
    }

    #[test]
    fn all_prefixes_of_a_number_are_found_longest_first() {
        let mut map = PrefixMap::<&str>::default();
        for (prefix, name) in
            [("48", "Poland"), ("", "world"), ("4850", "Orange"), ("48501", "longer"), ("49", "Germany")]
        {
            *map.entry(prefix).expect("a prefix") = name;
        }
        let found = |digits| map.matches(phone(digits)).map(|(length, name)| (length, *name)).collect::<Vec<_>>();
        assert_eq!(found("48501200300"), [(5, "longer"), (4, "Orange"), (2, "Poland"), (0, "world")]);
        assert_eq!(found("48601200300"), [(2, "Poland"), (0, "world")]);
        assert_eq!(found("4915112345678"), [(2, "Germany"), (0, "world")]);
        assert_eq!(found("123456789012345"), [(0, "world")]);
    }

    #[test]
    fn a_whole_number_is_a_prefix_and_nonsense_is_none() {
        let mut map = PrefixMap::<u8>::default();
        *map.entry("123456789012345").expect("a prefix") = 1;
        assert_eq!(map.matches(phone("123456789012345")).count(), 1);
        assert_eq!(map.matches(phone("12345678901234")).count(), 0);
        for nonsense in ["1234567890123456", "048", "4 8", "+48", "４８"] {
            assert!(map.entry(nonsense).is_none(), "{nonsense}");
        }
    }
}
