//! The operator, seen through the platform's own SMPP client.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod answering;
mod esme;
mod incoming;
mod misbehaving;
mod receipts;
mod sessions;

use simulator::operator::{Behaviour, Operator, OperatorOptions};

/// An operator with this behaviour and a ledger.
async fn operator(behaviour: Behaviour) -> Operator {
    Operator::start_with(&OperatorOptions::local(), behaviour, true).await.unwrap()
}

/// Recipients that no magic is about.
fn numbers(count: u64) -> impl Iterator<Item = String> {
    (0..count).map(|number| (48_500_900_100 + number).to_string())
}
