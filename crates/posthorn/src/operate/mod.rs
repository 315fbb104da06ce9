//! What the command line asks of a running server over the socket in the data directory.

mod desk;
mod explain;
mod incoming;
mod order;
mod purge;
mod queue;
mod selection;
mod status;
mod trace;
mod transfer;

pub use desk::OperationsDesk;
pub use order::{ExplainOrder, ForeseeOrder, MoveOrder, Order, PurgeOrder, SelectionOrder, TraceOrder, UnownedOrder};
