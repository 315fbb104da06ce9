//! Settle: takes what comes back from operators, decides where it belongs, and makes it durable
//! before the operator is told that we have it.

mod doubts;
mod find;
mod handle;
mod learn;
mod parked;
mod purge;
mod read;
#[cfg(test)]
mod read_tests;
mod receipts;
mod recorder;
mod sweep;

pub(crate) use doubts::Doubt;
pub use handle::{Settle, Stats, Taken};
pub use learn::LearntIds;
pub use purge::{PurgeError, Purged};
pub use sweep::Service;
