//! `cargo xtask bench`: the budgets of the platform, each beside the ceiling of the machine it was measured on.

mod budgets;
mod figure;
mod histogram;
mod options;
mod report;
mod run;
mod stage;

pub use options::Options;
pub use run::run;
