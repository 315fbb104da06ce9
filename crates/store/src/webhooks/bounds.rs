//! Bounds of what is remembered of webhooks.

/// Attempts kept over all accounts, oldest out first: about 60 MB at 3 KB each.
pub const ATTEMPTS_KEPT_MAX: i64 = 20_000;
/// Endpoints in trouble that are remembered; more than there can be endpoints in memory.
pub const TROUBLES_KEPT_MAX: i64 = 20_000;
