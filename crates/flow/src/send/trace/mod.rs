//! Looking at the PDUs of running binds.
//!
//! Nobody looks most of the time; then a bind pays one atomic load per read and per write. While someone looks, frames
//! that fit his filter are copied into his bounded queue. Decoding and masking happen where they are shown ([`line`]), not
//! in the task of the bind, and whoever does not keep up misses frames and is told how many.

mod eyes;
mod hub;
mod line;
#[cfg(test)]
mod tests;

pub(super) use eyes::Eyes;
pub use hub::{OUTBIND, TraceFilter, TraceStream, TracedFrame, Traces};
pub use line::{Masking, TraceLine};
