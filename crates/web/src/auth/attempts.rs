//! Slows down whoever tries wrong keys: a fixed array of cells, so that no flood of addresses grows it.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::clock::UnixMillis;
use foldhash::quality::RandomState;

/// Addresses share cells by hash; a collision only makes two failing addresses share one allowance.
const CELLS: usize = 4_096;
/// Wrong keys from one address within [`WINDOW_SECONDS`], also all at once.
pub const WRONG_KEYS_MAX: u32 = 20;
/// The window of [`WRONG_KEYS_MAX`].
pub const WINDOW_SECONDS: u32 = 60;

const WINDOW_MS: i64 = WINDOW_SECONDS as i64 * 1_000;
const INTERVAL_MS: i64 = WINDOW_MS / WRONG_KEYS_MAX as i64;

/// Counts wrong keys per address (IPv6: per /64), by the generic cell rate algorithm: each cell holds
/// the moment at which the allowance would be whole again.
pub struct Attempts {
    whole_again_ms: Box<[AtomicI64]>,
    hasher: RandomState,
}

impl Default for Attempts {
    fn default() -> Self {
        let whole_again_ms = (0..CELLS).map(|_| AtomicI64::new(0)).collect();
        Self { whole_again_ms, hasher: RandomState::default() }
    }
}

impl Attempts {
    /// Notes a wrong key; `Err` with the seconds to wait once there were too many.
    ///
    /// # Errors
    /// The seconds until the next attempt is listened to.
    pub fn wrong_key(&self, address: IpAddr, now: UnixMillis) -> Result<(), u32> {
        let cell = &self.whole_again_ms[self.cell(address)];
        let advance = |whole_again: i64| {
            let next = whole_again.max(now.0) + INTERVAL_MS;
            (next - now.0 <= WINDOW_MS).then_some(next)
        };
        match cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance) {
            Ok(_) => Ok(()),
            Err(whole_again) => {
                let wait_ms = whole_again + INTERVAL_MS - WINDOW_MS - now.0;
                Err(u32::try_from(wait_ms.max(0).div_euclid(1_000) + 1).unwrap_or(WINDOW_SECONDS))
            }
        }
    }

    fn cell(&self, address: IpAddr) -> usize {
        let network = match address.to_canonical() {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address) >> 64 << 64,
        };
        usize::try_from(self.hasher.hash_one(network) % CELLS as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_wrong_keys_a_minute_then_wait() {
        let attempts = Attempts::default();
        let address = "198.51.100.7".parse().unwrap();
        let start = UnixMillis(1_795_342_500_000);
        for _ in 0..WRONG_KEYS_MAX {
            assert_eq!(attempts.wrong_key(address, start), Ok(()));
        }
        assert_eq!(attempts.wrong_key(address, start), Err(4));
        assert_eq!(attempts.wrong_key(address, start.plus_ms(INTERVAL_MS)), Ok(()));
        assert!(attempts.wrong_key(address, start.plus_ms(INTERVAL_MS)).is_err());
        assert_eq!(attempts.wrong_key(address, start.plus_ms(10 * WINDOW_MS)), Ok(()));
    }

    #[test]
    fn neighbours_in_one_ipv6_network_share_their_allowance() {
        let attempts = Attempts::default();
        let now = UnixMillis(1_795_342_500_000);
        let refused = (0..100_u32)
            .filter(|host| attempts.wrong_key(format!("2001:db8::{host:x}").parse().unwrap(), now).is_err())
            .count();
        assert_eq!(refused, 80);
    }
}
