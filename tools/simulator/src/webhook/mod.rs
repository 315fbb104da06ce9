//! A receiver of webhooks that checks what it gets, keeps a ledger, and misbehaves on order.
//!
//! HTTP/1.1 is read by hand here: in load tests the receiver shares its cores with the server under
//! test, so it has to cost next to nothing.

mod http;
mod mood;
mod received;
mod serve;
mod sink;
mod verify;

pub use mood::Mood;
pub use received::Received;
pub use sink::{Sink, SinkOptions};
pub use verify::{Secrets, Verdict, verify};
