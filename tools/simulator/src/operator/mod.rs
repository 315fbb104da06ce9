//! A mobile operator's message centre (SMSC) that behaves, or misbehaves on order.
//!
//! [`Operator::start`] listens and answers binds; [`Behaviour`] says how submits are answered and
//! receipts sent, and can be changed while it runs; [`Ledger`] keeps every part it was given.
//!
//! Every choice left to chance follows from the seed and the number of the submit, so that a run can be repeated.

mod agenda;
mod answers;
mod behaviour;
mod catalogue;
mod control;
mod delivery;
mod dice;
mod ids;
mod incoming;
mod join;
mod ledger;
mod listener;
mod magic;
mod options;
mod receipt;
mod rule;
mod scenario;
mod session;
mod shared;
mod slots;
mod slow;
mod verdict;

pub use behaviour::{Behaviour, Delay, Outcome, ReceiptForm, Span};
pub use ids::IdFormat;
pub use incoming::Incoming;
pub use join::Message;
pub use ledger::{BindAttempt, Ledger, SentReceipt, Submitted};
pub use listener::{Event, Operator};
pub use magic::magic_recipients;
pub use options::OperatorOptions;
pub use rule::{Refusal, RuleError, When};
pub use scenario::{scenario, scenario_names};
