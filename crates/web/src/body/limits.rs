//! The bounds of a body.

use std::time::Duration;

use domain::limits;

/// Bodies above this are counted against [`LARGE_BODIES_MAX`].
pub(super) const SMALL_BODY_OCTETS: usize = 64 * 1024;
/// Bodies above [`SMALL_BODY_OCTETS`] in memory at a time: with the largest body, 320 MiB at the very most.
pub(super) const LARGE_BODIES_MAX: usize = 32;
/// Octets of a refused body that are read and thrown away, so that the client gets to read its answer
/// instead of a connection reset.
pub(super) const DISCARD_OCTETS_MAX: u64 = 4 * limits::BODY_OCTETS_MAX as u64;
/// The same for callers who are not known.
pub const DISCARD_UNKNOWN_OCTETS_MAX: u64 = 256 * 1024;
/// How long the body of a caller who is not known is thrown away.
pub const DISCARD_UNKNOWN_MS: u64 = 500;

/// What one body may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets before and after decompression.
    pub octets_max: usize,
    /// Time from the first octet asked for to the last.
    pub read_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { octets_max: limits::BODY_OCTETS_MAX, read_time: Duration::from_millis(limits::BODY_READ_MS) }
    }
}
