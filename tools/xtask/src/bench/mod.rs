//! `cargo xtask bench`: the budgets of the platform, each beside the ceiling of the machine it was measured on.

mod options;
mod run;

pub use options::Options;
pub use run::run;
