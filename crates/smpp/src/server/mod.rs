//! The SMSC end: read a bind, accept or refuse it, and run the session.

mod accept;
mod handler;

pub use accept::{AcceptError, BindRequest, PendingBind, ServerSession, read_bind};
pub use handler::{DeliverBatch, ServerHandler};
