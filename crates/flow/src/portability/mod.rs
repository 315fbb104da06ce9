//! Number portability: the network that serves a number today, from a source that the operator of the server
//! has: a file of ported numbers, a service that is asked over HTTP, or both.
//!
//! [`Networks`] is what routing asks. It never waits: a file and remembered answers are looked at where they
//! are. Whoever may wait a while, such as accept before it plans, has numbers asked for first
//! ([`Networks::ask_for`]), each lane within its own bound and with calls of its own. What is not known by then
//! goes by the range that the number lies in.
//!
//! Without a source none of it costs a message anything.

mod bounds;
mod breaker;
mod cache;
mod calls;
mod handle;
mod known;
mod networks;
mod options;
mod reading;
mod service;
mod source;
mod table;
#[cfg(test)]
mod tests;

pub use handle::{Figures, Portability};
pub use known::{Known, LookUpError, NetworkSource, NumberFacts};
pub use networks::{Fresh, Networks};
pub use options::{Error, Options};
pub use service::Service;
