//! The operator of `posthorn simulate operator` as a process of its own, which can be stopped and let go on.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::console;

/// A start that takes longer has failed.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running operator; killed when dropped.
pub struct Simulated {
    child: Child,
    address: SocketAddr,
    taken: Arc<Mutex<HashMap<String, Vec<Instant>>>>,
}

impl Simulated {
    /// Starts it with further options.
    ///
    /// # Errors
    /// It does not say where it listens.
    pub async fn start(options: &[&str]) -> Result<Self> {
        let mut child = Command::new(console::binary()?)
            .args(["simulate", "operator", "--listen", "127.0.0.1:0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let first =
            tokio::time::timeout(READY_WITHIN, lines.next_line()).await.context("the operator is not ready")??;
        let first = first.context("the operator ended")?;
        let address = first.split_whitespace().find_map(|word| word.parse().ok()).context("no address")?;
        let taken = Arc::default();
        tokio::spawn(note(lines, Arc::clone(&taken)));
        Ok(Self { child, address, taken })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it took, by recipient, with the moments at which it said so.
    #[must_use]
    pub fn taken(&self) -> HashMap<String, Vec<Instant>> {
        self.taken.lock().clone()
    }

    /// SIGSTOP: its kernel goes on taking what is sent to it.
    ///
    /// # Errors
    /// It has ended.
    pub fn stop(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// It has ended.
    pub fn go_on(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let number = self.child.id().context("the operator has ended")?;
        let pid = Pid::from_raw(i32::try_from(number)?).context("pid 0")?;
        Ok(kill_process(pid, signal)?)
    }
}

/// Reads what it shows: `… submit_sm  → operator  ACME → 48500100200: "text", taken as …`.
async fn note(mut lines: Lines<BufReader<ChildStdout>>, taken: Arc<Mutex<HashMap<String, Vec<Instant>>>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        let Some((before, _)) = line.split_once(": \"").filter(|_| line.contains("taken as")) else { continue };
        let Some(recipient) = before.rsplit(' ').next() else { continue };
        taken.lock().entry(recipient.to_owned()).or_default().push(Instant::now());
    }
}
