//! The server as a process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::console;

/// A start that takes longer has failed.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pid: Pid,
    address: SocketAddr,
    priority: Option<SocketAddr>,
    operations: Option<SocketAddr>,
    ready_after: Duration,
    _stdout: BufReader<ChildStdout>,
}

/// How to start it.
pub struct Launch {
    /// Words before the binary, such as strace with its options.
    pub before: Vec<String>,
    /// The configuration file.
    pub config: PathBuf,
    /// Where its log goes; appended to.
    pub log: PathBuf,
}

impl Server {
    /// Starts it and waits until it says that it is ready.
    ///
    /// # Errors
    /// It ended before, or was not ready in time; the end of its log is in the error.
    pub async fn start(launch: &Launch) -> Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(&launch.log)?;
        let binary = console::binary()?;
        let mut words = launch.before.clone();
        words.push(binary.display().to_string());
        let started = Instant::now();
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .args(["serve", "--ready-json", "--config"])
            .arg(&launch.config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("can't start {}", words.join(" ")))?;
        let mut stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        let ready = tokio::time::timeout(READY_WITHIN, ready_line(&mut stdout)).await;
        let ready = match ready {
            Ok(Ok(ready)) => ready,
            Ok(Err(error)) => bail!("not ready: {error:#}\n{}", tail(&launch.log)),
            Err(_) => bail!("not ready after {} s\n{}", READY_WITHIN.as_secs(), tail(&launch.log)),
        };
        let address = address_of(&ready["baseUrl"]).context("no baseUrl in the ready line")?;
        let (priority, operations) = (address_of(&ready["priorityUrl"]), address_of(&ready["operationsUrl"]));
        let number = ready["pid"].as_i64().context("no pid in the ready line")?;
        let pid = Pid::from_raw(i32::try_from(number)?).context("pid 0")?;
        Ok(Self { child, pid, address, priority, operations, ready_after: started.elapsed(), _stdout: stdout })
    }

    /// Where its API listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where urgent requests have a listener of their own.
    #[must_use]
    pub fn priority(&self) -> Option<SocketAddr> {
        self.priority
    }

    /// Where its metrics and health answers are.
    #[must_use]
    pub fn operations(&self) -> Option<SocketAddr> {
        self.operations
    }

    /// How long the start took.
    #[must_use]
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// `kill -9`, and waits for the end.
    ///
    /// # Errors
    /// It was gone already.
    pub async fn kill(mut self) -> Result<()> {
        kill_process(self.pid, Signal::KILL).context("the server was gone before it was killed")?;
        self.child.wait().await?;
        Ok(())
    }

    /// SIGTERM: asks for a stop.
    ///
    /// # Errors
    /// It was gone already.
    pub fn terminate(&self) -> Result<()> {
        kill_process(self.pid, Signal::TERM).context("the server was gone before it was asked to stop")
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// It is still there after that time.
    pub async fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        tokio::time::timeout(within, self.child.wait()).await.context("the server does not end")?.context("wait")
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// The system can't tell.
    pub fn running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

async fn ready_line(stdout: &mut BufReader<ChildStdout>) -> Result<Value> {
    let mut line = String::new();
    loop {
        line.clear();
        if stdout.read_line(&mut line).await? == 0 {
            bail!("it ended before it was ready");
        }
        if line.starts_with('{') {
            return serde_json::from_str(&line).context("the ready line");
        }
    }
}

fn address_of(url: &Value) -> Option<SocketAddr> {
    url.as_str()?.trim_start_matches("http://").trim_end_matches('/').parse().ok()
}

fn tail(log: &PathBuf) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
