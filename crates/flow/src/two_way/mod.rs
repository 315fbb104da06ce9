//! Two-way: takes what people write, puts long messages together, finds whose they are, and answers.
//!
//! [`read`] makes octets of a PDU; [`join`] puts parts together; [`keep`] finds the owner, reads reserved
//! words and makes the facts; [`handle`] has them durable before the operator is told. Only then [`talk`]
//! answers, on a task per group of people, so that one person's messages are answered in their order;
//! [`guard`] says when to keep silent. Answers go through accept like any message.

mod guard;
mod handle;
mod join;
mod keep;
mod options;
mod read;
mod reply;
mod service;
mod stats;
mod talk;
#[cfg(test)]
mod tests;

pub use handle::TwoWay;
pub use join::{Joined, Joiner, Taken};
pub use options::Options;
pub use read::Received;
pub(crate) use read::text_of;
pub use service::Service;
pub use stats::Stats;
