//! A phone: what is typed goes to a number as an incoming message, what is sent to it is shown.
//!
//! It belongs to an operator that runs elsewhere on this machine and is reached through its control address.

mod chat;

pub use chat::{HandsetError, HandsetOptions, run};
