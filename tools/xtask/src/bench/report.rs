//! docs/performance.md.

use std::fmt::Write;
use std::process::Command;

use anyhow::Result;

use super::figure::Figure;
use super::options::Options;
use crate::repository::Repository;

/// Writes the figures with machine and date.
pub fn write(repository: &Repository, figures: &[Figure], options: &Options) -> Result<()> {
    let mut text = String::from("# Performance\n\n");
    let scale = if options.quick { " (`--quick`: short runs)" } else { "" };
    writeln!(text, "Written by `cargo xtask bench --save`{scale} on {}.\n", output("date", &["-u", "+%Y-%m-%d"]))?;
    writeln!(
        text,
        "Machine: {}, {} cores, {}, Linux {}. The load tool, the operator and the webhook receiver run on the same \
        cores; everything is on loopback; every message is durable before its answer.\n",
        cpu_model(),
        output("nproc", &[]),
        memory(),
        output("uname", &["-r"])
    )?;
    text.push_str("| what | figure | budget | | share of the ceiling |\n|---|---|---|---|---|\n");
    for figure in figures {
        let share =
            figure.ceiling.map(|ceiling| format!("{:.0} %", 100.0 * figure.value / ceiling)).unwrap_or_default();
        writeln!(
            text,
            "| {} | {} {} | {} | {} | {share} |",
            figure.name,
            figure.value(),
            figure.unit,
            figure.budget(),
            figure.verdict()
        )?;
    }
    text.push_str(
        "\nLatencies of the Priority lane and of webhooks come from the server's own histograms: the figure is the upper bound of \
         the bucket that holds the quantile, counted from the request (not from the commit, which is later). Latencies of \
         answers come from the load tool and count from the planned time of each request. CPU is user and system time of the \
         server process, from the first request until the last webhook was told.\n",
    );
    let notes = repository.root().join("docs/performance-notes.md");
    if let Ok(notes) = std::fs::read_to_string(notes) {
        text.push('\n');
        text.push_str(&notes);
    }
    std::fs::write(repository.root().join("docs/performance.md"), text)?;
    Ok(())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

fn cpu_model() -> String {
    field("/proc/cpuinfo", "model name")
}

fn memory() -> String {
    let kib: u64 = field("/proc/meminfo", "MemTotal").split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
    format!("{} GiB", kib.div_ceil(1024 * 1024))
}
