//! The way of a message. The listing is the flow:
//!
//! [`accept`] checks, prices, deduplicates and makes durable → [`enqueue`] decides which line it
//! waits in → [`route`] decides which way it leaves, looking at the carriers' [`health`] → [`send`] keeps the binds, the windows and the
//! pace → [`settle`] matches receipts and decides what became of it → [`tell`] tells who must know.
//! What people write goes from [`settle`] to [`two_way`], which answers through accept.
//!
//! Beside it, [`portability`] knows the networks of numbers, and [`follow`] leads from the short links in messages to the pages behind them.
//!
//! Data goes one way: a stage calls later stages through their handles, earlier ones never. What
//! comes back from the operator enters as a new fact at settle. [`Flow`] puts the stages together.

pub mod accept;
mod drain;
mod engine;
pub mod enqueue;
pub mod explain;
pub mod follow;
pub mod health;
mod latency;
pub mod portability;
pub mod route;
pub mod send;
pub mod settle;
pub mod tell;
#[cfg(test)]
mod testing;
pub mod two_way;

pub use engine::{Flow, Options};
pub use latency::Latency;
