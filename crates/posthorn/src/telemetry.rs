//! Logs: structured, on standard error, without secrets and texts.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::options::{LogFormat, LogOptions};

/// Starts logging for the whole process.
///
/// # Errors
/// When the filter can't be read.
pub fn start(options: &LogOptions) -> Result<()> {
    let filter = EnvFilter::try_new(&options.filter).with_context(|| {
        format!("log.filter is \"{}\": write a level (error, warn, info, debug, trace) or levels per target, as in info,send=debug", options.filter)
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match options.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
    .context("logging was started twice")
}
