//! `meta.uniqId`: names a request in its answer, in the log and in the dashboard.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::random::Random;

const BITS: u32 = 40;
const MASK: u64 = (1 << BITS) - 1;
/// Odd, so that multiplying by it maps the 40-bit numbers onto themselves without collisions.
const SPREAD: u64 = 0x9E_3779_B97F;
const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

/// Ten lowercase hexadecimal characters.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UniqId([u8; 10]);

impl UniqId {
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for UniqId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for UniqId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Makes ids that do not repeat within 2^40 requests of one process and start anywhere.
#[derive(Debug)]
pub struct UniqIds(AtomicU64);

impl UniqIds {
    /// Starts at a random place.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        Self(AtomicU64::new(random.below(MASK)))
    }

    /// The next id.
    pub fn next(&self) -> UniqId {
        let mut number = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(SPREAD) & MASK;
        let mut characters = [b'0'; 10];
        for character in characters.iter_mut().rev() {
            *character = HEXADECIMAL[(number & 15) as usize];
            number >>= 4;
        }
        UniqId(characters)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_ten_lowercase_hexadecimal_characters_and_do_not_repeat() {
        let ids = UniqIds::new(&Random::seeded(7));
        let mut seen = HashSet::new();
        for _ in 0..100_000 {
            let id = ids.next();
            let well_formed = id.as_str().len() == 10 && id.as_str().bytes().all(|byte| HEXADECIMAL.contains(&byte));
            assert!(well_formed && seen.insert(id), "{id}");
        }
    }
}
