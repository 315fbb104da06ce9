//! Tell: events by webhook to those who must know.
//!
//! An [`Event`](domain::event::Event) is written by the store in the commit that makes it true. From there
//! [`Handle::tell`] puts it into the queue of its endpoint, a pump per endpoint gathers events into
//! calls, and the end of every try is recorded before the events are forgotten. What finds no room in
//! memory stays in the store and is read again by a cursor; after a start everything untold is read.
//! Bounds, retries, breaker and slots see to it that no receiver can disturb another, and [`Guard`]
//! that no receiver can point us at addresses that are not on the public internet.

mod body;
mod bounds;
mod connect;
mod endpoint;
mod error;
mod guard;
mod handle;
mod health;
mod hub;
mod lab;
mod options;
mod outbox;
mod pump;
mod queue;
mod reader;
mod recorder;
mod resolve;
mod schedule;
mod service;
mod sign;
mod slots;
mod stats;
mod target;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod trouble;
mod try_out;
mod turns;
mod url;
mod view;

pub use body::Told;
pub(crate) use connect::Connector;
pub use error::{Error, OutboxError};
pub use guard::{Guard, Refused, not_public};
pub use handle::Handle;
pub use options::Options;
pub use outbox::{BoxFuture, Outbox};
pub use service::Service;
pub use stats::{BEGIN_BOUNDS_MS, Figures};
pub(crate) use tls::connector;
pub use transport::Answer;
pub(crate) use transport::failure_of;
pub use try_out::try_out;
pub use url::{UrlProblem, check_url};
pub use view::EndpointView;
