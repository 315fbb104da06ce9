//! Bounds of what is remembered of webhooks.

/// Room for attempts of all accounts: about 250,000 of one event at 1 KB each.
pub const ATTEMPTS_OCTETS_MAX: u64 = 256 << 20;
/// Days that attempts are kept: as long as dead letters at least are, so that both can be looked at together.
pub const ATTEMPTS_DAYS: u32 = 14;
/// Attempts that go at a time when there is no room: a small part, so that a file with few attempts is not emptied.
pub(super) const ATTEMPTS_DROPPED_AT_ONCE: i64 = 1_000;
/// Rounds of making room after one batch; what is still too much goes after the next one.
pub(super) const ROUNDS_MAX: usize = 100;
/// Endpoints in trouble that are remembered; more than there can be endpoints in memory.
pub const TROUBLES_KEPT_MAX: i64 = 20_000;
