//! Interpreters with one package each.
#![allow(clippy::panic, clippy::expect_used, reason = "for tests alone: what can't be installed is a failed test")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Python with a package from PyPI, such as `smpplib==2.2.4`.
///
/// # Panics
/// Python is missing, or the package can't be installed.
#[must_use]
pub fn python(package: &str) -> Command {
    let place = once(&format!("python-{}", plain(package)), |place| {
        must_run("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(place));
        must_run("pip install", Command::new(place.join("bin/pip")).args(["install", "-q", package]));
    });
    Command::new(place.join("bin/python"))
}

/// Node.js with a package from npm, such as `smpp@0.5.1`.
///
/// # Panics
/// Node.js is missing, or the package can't be installed.
#[must_use]
pub fn node(package: &str) -> Command {
    let place = once(&format!("node-{}", plain(package)), |place| {
        fs::create_dir_all(place).expect("a folder for the package");
        let install = ["install", "--no-audit", "--no-fund", package, "--prefix"];
        must_run("npm install", Command::new("npm").args(install).arg(place));
    });
    let mut command = Command::new("node");
    command.env("NODE_PATH", place.join("node_modules"));
    command
}

/// A name for a folder.
fn plain(package: &str) -> String {
    package.replace(|character: char| !character.is_ascii_alphanumeric() && character != '.', "-")
}

/// Runs `install` unless it has run before; tests are processes of their own and wait for one another here.
fn once(name: &str, install: impl FnOnce(&Path)) -> PathBuf {
    let binary = std::env::current_exe().expect("the test itself");
    let target = binary.ancestors().find(|place| place.join("CACHEDIR.TAG").exists()).expect("a target folder");
    let folder = target.join("interop");
    fs::create_dir_all(&folder).expect("a folder for foreign packages");
    let lock = File::create(folder.join(format!("{name}.lock"))).expect("a lock file");
    lock.lock().expect("the lock");
    let (place, done) = (folder.join(name), folder.join(format!("{name}.done")));
    if !done.exists() {
        install(&place);
        fs::write(done, "").expect("a mark that it is installed");
    }
    place
}

fn must_run(what: &str, command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{what} can't be started ({error}); install it"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what} failed; the package registry must be reachable once.\n{said}");
}
