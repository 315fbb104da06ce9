//! Calls of the load tool.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The report of a load.
pub struct Load {
    report: Value,
}

impl Load {
    /// Runs `loadgen send` with these words.
    pub fn run(tool: &Path, words: &[String]) -> Result<Self> {
        let output = Command::new(tool).arg("send").args(words).arg("--json").stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            bail!("loadgen send {} failed", words.join(" "));
        }
        let load = Self { report: serde_json::from_slice(&output.stdout).context("loadgen's report")? };
        let refused: Vec<String> = load.report["by_status"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(status, _)| *status != "200")
            .map(|(status, count)| format!("{count} times {status}"))
            .collect();
        if !refused.is_empty() {
            println!("    note: not everything was answered 200: {}", refused.join(", "));
        }
        Ok(load)
    }

    /// Messages answered 200.
    pub fn messages(&self) -> f64 {
        self.number("messages_accepted")
    }

    /// Answers per second.
    pub fn requests_rate(&self) -> f64 {
        self.number("requests_per_second")
    }

    /// How long it took.
    pub fn seconds(&self) -> f64 {
        self.number("elapsed_ms") / 1_000.0
    }

    /// A quantile in milliseconds: `latency` or `latency_priority`, and `p50_us` and so on.
    pub fn latency_ms(&self, which: &str, quantile: &str) -> f64 {
        self.report[which][quantile].as_f64().unwrap_or(f64::NAN) / 1_000.0
    }

    fn number(&self, name: &str) -> f64 {
        self.report[name].as_f64().unwrap_or_default()
    }
}
