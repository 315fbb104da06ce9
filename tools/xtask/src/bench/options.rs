//! What can be asked of the benchmark.

use clap::Args;

/// How to measure.
#[derive(Args)]
pub struct Options {
    /// Shorter runs: figures for a first look, not for publication
    #[arg(long)]
    pub quick: bool,
    /// Measure only the budget with this name; `--only list` names them
    #[arg(long)]
    pub only: Option<String>,
    /// Write docs/performance.md
    #[arg(long)]
    pub save: bool,
}
