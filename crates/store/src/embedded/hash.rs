//! The keys of indexes and filters.

use domain::id::AccountId;
use sha2::{Digest, Sha256};

/// Which reference of a request a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// The client's `externalId`.
    External = 1,
    /// The `Idempotency-Key` header.
    Idempotency = 2,
}

/// 64 bits that stand for a request's reference. Clients choose the text, so the hash must not be one
/// that collisions can be made for; it is in files, so it must never change.
pub(crate) fn reference_key(account: AccountId, kind: Reference, text: &str) -> u64 {
    let digest =
        Sha256::new().chain_update([kind as u8]).chain_update(account.0.to_le_bytes()).chain_update(text).finalize();
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}
