//! What can be asked of the benchmark.

use clap::Args;

/// How to measure.
#[derive(Args)]
pub struct Options {
    /// Shorter runs and a smaller backlog: figures for a first look, not for publication
    #[arg(long)]
    pub quick: bool,
    /// Measure only this: ceiling, single, hundred, half-load, priority, backlog or history
    #[arg(long)]
    pub only: Option<String>,
    /// Write docs/performance.md
    #[arg(long)]
    pub save: bool,
}

/// How long and how much.
#[derive(Clone, Copy)]
pub struct Scale {
    pub seconds: u64,
    /// Messages waiting when memory is looked at.
    pub waiting: u64,
    /// Messages stored when CPU per message is measured.
    pub histories: &'static [u64],
}

impl Options {
    pub fn scale(&self) -> Scale {
        if self.quick {
            return Scale { seconds: 5, waiting: 2_000_000, histories: &[0, 1_000_000] };
        }
        Scale { seconds: 15, waiting: 10_000_000, histories: &[0, 1_000_000, 10_000_000] }
    }
}
