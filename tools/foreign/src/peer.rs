//! A running foreign end that tells line by line what it sees.
#![allow(clippy::expect_used, reason = "for tests alone: an end that does not run is a failed test")]

use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

/// How long a foreign end may take to say its next line.
const LINE_TIMEOUT: Duration = Duration::from_secs(60);

/// A running foreign end; killed when dropped.
pub struct Peer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts it.
    ///
    /// # Panics
    /// It can't be started.
    #[must_use]
    pub fn start(command: Command) -> Self {
        let mut command = tokio::process::Command::from(command);
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("a foreign end that starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Self { child, lines }
    }

    /// The next line, `None` when the end has finished.
    ///
    /// # Panics
    /// It says nothing for a minute.
    pub async fn line(&mut self) -> Option<String> {
        let line = timeout(LINE_TIMEOUT, self.lines.next_line()).await.expect("the foreign end is stuck");
        line.expect("a line of text")
    }

    /// All lines until the end, which must be a good one.
    ///
    /// # Panics
    /// It does not end, or with a failure.
    pub async fn finish(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            lines.push(line);
        }
        let ended = timeout(LINE_TIMEOUT, self.child.wait()).await.expect("the foreign end does not end");
        assert!(ended.expect("its end").success(), "the foreign end failed after {lines:?}");
        lines
    }
}
