//! Installing and running the foreign ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::time::timeout;

/// How long a foreign end may take to say its next line.
const LINE_TIMEOUT: Duration = Duration::from_secs(30);

const SMPPLIB: &str = "smpplib==2.2.4";
const NODE_SMPP: &str = "smpp@0.5.1";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// Runs `install` unless it has run before; tests are processes of their own and wait for one another here.
fn once(name: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let folder = folder();
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let (place, done) = (folder.join(name), folder.join(format!("{name}.done")));
    if !done.exists() {
        install(&place);
        fs::write(done, "").unwrap();
    }
    place
}

fn must_run(what: &str, command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{what} cannot be started ({error}); install it"));
    assert!(
        output.status.success(),
        "{what} failed; the package registry must be reachable once.\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn python() -> PathBuf {
    let place = once("python", |place| {
        must_run("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(place));
        must_run("pip install smpplib", Command::new(place.join("bin/pip")).args(["install", "-q", SMPPLIB]));
    });
    place.join("bin/python")
}

fn node_modules() -> PathBuf {
    let place = once("node", |place| {
        fs::create_dir_all(place).unwrap();
        let mut npm = Command::new("npm");
        must_run(
            "npm install smpp",
            npm.args(["install", "--no-audit", "--no-fund", NODE_SMPP, "--prefix"]).arg(place),
        );
    });
    place.join("node_modules")
}

/// A running foreign end that tells line by line what it sees.
pub struct Foreign {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

fn start(mut command: tokio::process::Command) -> Foreign {
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    Foreign { child, lines }
}

pub fn python_client(port: u16) -> Foreign {
    let mut command = tokio::process::Command::new(python());
    command.arg(script("smpplib_client.py")).arg(port.to_string());
    start(command)
}

pub fn node_client(port: u16) -> Foreign {
    let mut command = tokio::process::Command::new("node");
    command.env("NODE_PATH", node_modules()).arg(script("node_client.js")).arg(port.to_string());
    start(command)
}

pub fn node_server() -> Foreign {
    let mut command = tokio::process::Command::new("node");
    command.env("NODE_PATH", node_modules()).arg(script("node_server.js"));
    start(command)
}

impl Foreign {
    /// The next line, `None` when the end has finished.
    pub async fn line(&mut self) -> Option<String> {
        timeout(LINE_TIMEOUT, self.lines.next_line()).await.expect("the foreign end is stuck").unwrap()
    }

    /// All lines until the end, which must be a good one.
    pub async fn finish(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            lines.push(line);
        }
        let status = timeout(LINE_TIMEOUT, self.child.wait()).await.expect("the foreign end does not end").unwrap();
        assert!(status.success(), "the foreign end failed after {lines:?}");
        lines
    }
}
