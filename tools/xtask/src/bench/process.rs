//! Processes of the benchmark, and what they cost.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Clock ticks per second of /proc/PID/stat; fixed at 100 for user space on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running process; killed when dropped.
pub struct Process {
    child: Child,
    /// The first line it printed.
    pub first_line: String,
}

impl Process {
    /// Starts it and waits for its first line.
    pub fn start(program: &Path, words: &[&str], log: &Path) -> Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        let mut first_line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().context("no stdout")?);
        stdout.read_line(&mut first_line)?;
        // What else it says must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let mut process = Self { child, first_line };
        if process.first_line.is_empty() {
            let status = process.child.wait()?;
            bail!("{} {} ended with {status}", program.display(), words.join(" "));
        }
        Ok(process)
    }

    /// User and system time so far, in seconds (proc(5), fields 14 and 15 of stat).
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in field 2 may hold spaces; what follows its bracket does not.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).context("/proc/PID/stat");
        Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
    }

    /// A line of /proc/PID/status in KiB, as MiB.
    pub fn memory_mib(&self, line: &str) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let found = status.lines().find(|text| text.starts_with(line)).context("/proc/PID/status")?;
        let kib: f64 = found.split_whitespace().nth(1).context("/proc/PID/status")?.parse()?;
        Ok(kib / 1024.0)
    }

    /// `kill -9`.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(mut self) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?).context("pid 0")?;
        kill_process(pid, Signal::TERM)?;
        for _ in 0..600 {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the process does not end")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
