//! Measured examples of the crates: programs that measure themselves and print a report.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// What an example printed as its last line.
pub struct Report(Value);

impl Report {
    /// Runs it with these words, its data in `folder`.
    pub fn of(example: &Path, words: &[&str], folder: &Path) -> Result<Self> {
        let mut command = Command::new(example);
        command.args(words).current_dir(folder).env("TMPDIR", folder).stderr(Stdio::inherit());
        let output = command.output().with_context(|| format!("can't start {}", example.display()))?;
        if !output.status.success() {
            bail!("{} {} ended with {}", example.display(), words.join(" "), output.status);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().context("an example printed nothing")?;
        Ok(Self(serde_json::from_str(last).context("the report of an example")?))
    }

    /// A figure of the report.
    pub fn number(&self, name: &str) -> Result<f64> {
        self.0[name].as_f64().with_context(|| format!("no {name} in the report of an example"))
    }
}
