//! Settle: takes what comes back from operators, decides where it belongs, and makes it durable
//! before the operator is told that we have it.

mod handle;
mod parked;
mod read;
mod receipts;
mod recorder;
mod sweep;

pub use handle::{Settle, Stats, Taken};
pub use sweep::Service;
