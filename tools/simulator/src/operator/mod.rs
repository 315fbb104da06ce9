//! A mobile operator's message centre (SMSC) that behaves, or misbehaves on order.
//!
//! [`Operator::start`] listens and answers binds; [`Behaviour`] says how submits are answered and
//! receipts sent, and can be changed while it runs; [`Ledger`] keeps every part it was given.

mod behaviour;
mod ledger;
mod listener;
mod outbox;
mod receipt;
mod session;

pub use behaviour::{Behaviour, IdFormat, Outcome, OperatorOptions, Refusal, scenario, scenario_names};
pub use ledger::{Ledger, Submitted};
pub use listener::{Event, Operator};
