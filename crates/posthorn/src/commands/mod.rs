//! One file per command.

mod api_client;
mod apply;
mod audit;
mod bot;
mod carrier;
mod check;
mod confirm;
mod demo;
mod demo_story;
mod dispatch;
mod explain;
mod explained_page;
mod incoming;
mod queue;
mod repair;
mod send;
mod serve;
mod simulate;
mod status;
mod trace;
mod versions;
mod webhook;

pub use api_client::Api;
pub use audit::Audit;
pub use bot::Bot;
pub use carrier::Carrier;
pub use dispatch::run;
pub use explain::Explain;
pub use incoming::Incoming;
pub use queue::Queue;
pub use simulate::Simulate;
pub use trace::Trace;
pub use versions::{Difference, Rollback, Versions};
pub use webhook::Webhook;
