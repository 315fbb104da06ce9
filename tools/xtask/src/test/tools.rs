//! The programs that the tests call. On Debian as root they are installed; elsewhere the user is told what to install.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// A program from the distribution.
struct Tool {
    program: &'static str,
    package: &'static str,
    needed_for: &'static str,
    /// Only needed where this file exists; empty = always.
    needed_where: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        program: "strace",
        package: "strace",
        needed_for: "injecting disk errors (stories fsync_eio)",
        needed_where: "",
    },
    Tool {
        program: "mount",
        package: "mount",
        needed_for: "a small disk that fills up (story disk_full)",
        needed_where: "",
    },
    Tool {
        program: "prlimit",
        package: "util-linux",
        needed_for: "running short of descriptors (story descriptors)",
        needed_where: "",
    },
    Tool {
        program: "python3",
        package: "python3 python3-venv",
        needed_for: "the Python clients in tests/clients",
        needed_where: "tests/clients/python",
    },
    Tool {
        program: "npm",
        package: "nodejs npm",
        needed_for: "the Node clients in tests/clients",
        needed_where: "tests/clients/node",
    },
];

/// Makes sure that every tool is there.
pub fn provide(root: &Path) -> Result<()> {
    let missing: Vec<&Tool> = TOOLS
        .iter()
        .filter(|tool| tool.needed_where.is_empty() || root.join(tool.needed_where).exists())
        .filter(|tool| !runs(tool.program, &["--version"]))
        .collect();
    if !missing.is_empty() {
        install(&missing)?;
    }
    if !runs("cargo", &["nextest", "--version"]) {
        println!("cargo-nextest is missing; building it, which takes some minutes once");
        ok(Command::new("cargo").args(["install", "cargo-nextest", "--locked"]))?;
    }
    Ok(())
}

fn install(missing: &[&Tool]) -> Result<()> {
    let packages: Vec<&str> = missing.iter().flat_map(|tool| tool.package.split(' ')).collect();
    let root = rustix::process::geteuid().is_root();
    if root && runs("apt-get", &["--version"]) {
        println!("installing {}", packages.join(" "));
        ok(Command::new("apt-get").args(["update", "-qq"]))?;
        return ok(Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(&packages)
            .env("DEBIAN_FRONTEND", "noninteractive"));
    }
    for tool in missing {
        println!("{} is missing, needed for {}", tool.program, tool.needed_for);
    }
    bail!("install them first: on Debian or Ubuntu `sudo apt-get install {}`", packages.join(" "))
}

fn runs(program: &str, words: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn ok(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if !status.success() {
        bail!("{command:?} failed; run it by hand to see why");
    }
    Ok(())
}
