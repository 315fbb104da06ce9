//! Settle: takes what comes back from operators, decides where it belongs, and makes it durable
//! before the operator is told that we have it.

mod handle;
mod parked;
mod purge;
mod read;
mod receipts;
mod recorder;
mod sweep;

pub use handle::{Settle, Stats, Taken};
pub use purge::{PurgeError, Purged, Selection};
pub(crate) use read::incoming_text;
pub use sweep::Service;
