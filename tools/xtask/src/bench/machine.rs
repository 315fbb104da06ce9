//! What the figures were measured on.

use std::process::Command;

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// Processor, cores, memory, kernel, compiler.
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let memory_kib: u64 =
        field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or(0);
    let memory_gib = memory_kib / 1024 / 1024;
    let kernel = said("uname", &["-sr"]);
    let compiler = said("rustc", &["--version"]);
    format!("{processor}, {cores} cores, {memory_gib} GiB, {kernel}, {compiler}")
}

/// The day, UTC.
pub fn date() -> String {
    said("date", &["--utc", "+%Y-%m-%d"])
}

/// The commit that was measured; marked where the tree differs from it.
pub fn commit() -> String {
    said("git", &["describe", "--always", "--dirty"])
}
