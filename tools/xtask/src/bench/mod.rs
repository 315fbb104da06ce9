//! `cargo xtask bench`: the budgets of the platform, each beside the ceiling of the machine it was measured on.

mod beside;
mod ceiling;
mod example;
mod figure;
mod flow;
mod history;
mod links;
mod load;
mod machine;
mod metrics;
mod options;
mod page;
mod priority;
mod process;
mod rig;
mod run;
mod start;
mod two_way;
mod web;
mod webhooks;

pub use options::Options;
pub use run::run;
