//! What can be asked of the benchmark.

use clap::Args;

/// How to measure.
#[derive(Args, Clone)]
pub struct Options {
    /// Shorter runs and smaller heaps: figures for a first look, not for publication
    #[arg(long)]
    pub quick: bool,
    /// Measure only this; `--only list` names what there is
    #[arg(long)]
    pub only: Option<String>,
    /// Compare with this earlier build of the program instead: CPU per message, by turns
    #[arg(long, value_name = "BINARY", conflicts_with_all = ["only", "save"])]
    pub beside: Option<std::path::PathBuf>,
    /// Write docs/performance.md
    #[arg(long)]
    pub save: bool,
}

impl Options {
    /// Length of one load, in seconds.
    pub fn seconds(&self) -> u64 {
        if self.quick { 8 } else { 30 }
    }

    /// Messages of a large heap: in full the figure of the budget, else a tenth.
    pub fn heap(&self, full: u64) -> u64 {
        if self.quick { full / 10 } else { full }
    }
}
