//! Proxies that lie on purpose, to see that the checker notices: each stands for a fault that the platform could have.

mod client;
mod line;
mod operator;
mod sink;

pub use client::{ClientLiar, ClientLie};
pub use operator::{OperatorLiar, OperatorLie};
pub use sink::SinkLiar;
