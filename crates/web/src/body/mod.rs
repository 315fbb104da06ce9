//! Reading request bodies: size, time, compression ratio and memory in all are bounded while streaming.

mod coding;
mod decompress;
mod limits;
mod read;

pub use limits::{DISCARD_UNKNOWN_MS, DISCARD_UNKNOWN_OCTETS_MAX, Limits};
pub use read::{Reader, discard};
