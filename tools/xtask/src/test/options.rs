//! What can be asked of the run.

use clap::Args;

/// How to run the tests.
#[derive(Args)]
pub struct Options {
    /// Add what takes long: cargo-deny with the advisories, longer batteries, tests with `nightly` in their name
    #[arg(long)]
    pub nightly: bool,
    /// Run only the tests whose names contain this; the other checks are left out
    pub filter: Option<String>,
}
