//! A flow over a fresh store, and a message centre that does what a test says.

mod smsc;
mod stage;

pub use smsc::{Arrived, Reply, Smsc};
pub use stage::{Ground, Stage, account_toml, median, p99, slow_commits};
