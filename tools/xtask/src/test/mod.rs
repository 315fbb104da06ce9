//! `cargo xtask test`: everything a change must pass, on a machine as it comes.

mod options;
mod run;
mod step;
mod tools;

pub use options::Options;
pub use run::run;
