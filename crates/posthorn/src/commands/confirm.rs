//! Asking before something is done that is hard to undo.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Result, bail};

use crate::console::{Colour, paint};

/// Why something is done, and whether it is really to be done.
#[derive(Clone, Debug, clap::Args)]
pub struct Deliberately {
    /// Why; kept in the audit for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Don't ask.
    #[arg(long)]
    pub yes: bool,
    /// Say what would happen and change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

impl Deliberately {
    /// The reason, which must say something.
    pub fn reason(&self) -> Result<&str> {
        let reason = self.reason.trim();
        if reason.is_empty() {
            bail!("--reason is empty: write a few words for whoever reads the audit later");
        }
        Ok(reason)
    }

    /// Has `word` typed, unless that was said to be unnecessary.
    pub fn confirm(&self, word: &str, question: &str) -> Result<()> {
        if self.yes {
            return Ok(());
        }
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            bail!("{question} Nothing was changed: there is nobody to ask; add --yes");
        }
        print!("{question} Type {} to go on: ", paint(Colour::Bold, word));
        std::io::stdout().flush()?;
        let mut typed = String::new();
        stdin.lock().read_line(&mut typed)?;
        if typed.trim() != word {
            bail!("nothing was changed");
        }
        Ok(())
    }
}
