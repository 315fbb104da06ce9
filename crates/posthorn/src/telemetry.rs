//! Logs: structured, on standard error, without secrets and texts.

use std::io::{BufWriter, IsTerminal, Stderr, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::options::{LogFormat, LogOptions};

/// How long a line may wait for others before it is written. Warnings and errors never wait.
const GATHER: Duration = Duration::from_millis(100);
/// Octets gathered before they are written in any case.
const GATHER_OCTETS: usize = 64 * 1024;

/// Starts logging for the whole process.
///
/// # Errors
/// When the filter can't be read.
pub fn start(options: &LogOptions) -> Result<()> {
    let filter = EnvFilter::try_new(&options.filter).with_context(|| {
        format!(
            "log.filter is \"{}\": write a level (error, warn, info, debug, trace) or levels per target, as in info,send=debug",
            options.filter
        )
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    let writer = Gathered::start()?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(std::io::stderr().is_terminal());
    match options.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
    .context("logging was started twice")
}

/// Standard error behind a buffer: one write for many lines, since a write for each costs more than the
/// line itself at thousands of requests per second.
#[derive(Clone)]
struct Gathered(Arc<Mutex<BufWriter<Stderr>>>);

impl Gathered {
    fn start() -> Result<Self> {
        let gathered = Self(Arc::new(Mutex::new(BufWriter::with_capacity(GATHER_OCTETS, std::io::stderr()))));
        let flushed = gathered.clone();
        let flush = move || {
            loop {
                std::thread::sleep(GATHER);
                // There is nowhere to complain to when standard error is gone.
                _ = flushed.lock().flush();
            }
        };
        std::thread::Builder::new().name("log".into()).spawn(flush).context("no thread for the log")?;
        Ok(gathered)
    }

    fn lock(&self) -> MutexGuard<'_, BufWriter<Stderr>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line on its way.
struct Line<'a> {
    buffer: MutexGuard<'a, BufWriter<Stderr>>,
    at_once: bool,
}

impl Write for Line<'_> {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.buffer.write(octets)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if self.at_once {
            _ = self.buffer.flush();
        }
    }
}

impl<'a> MakeWriter<'a> for Gathered {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { buffer: self.lock(), at_once: true }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        // What the server says of itself is rare and wanted at once; the access log is neither.
        let at_once = *metadata.level() <= Level::WARN || metadata.target() != "web";
        Line { buffer: self.lock(), at_once }
    }
}
