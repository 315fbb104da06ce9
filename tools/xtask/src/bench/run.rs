//! The order of the benchmark.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::budgets::Bench;
use super::options::Options;
use super::report;
use crate::repository::Repository;

type Measure = fn(&mut Bench<'_>) -> Result<()>;

const MEASURES: [(&str, Measure); 7] = [
    ("ceiling", |bench| bench.ceiling()),
    ("single", |bench| bench.single()),
    ("hundred", |bench| bench.hundred()),
    ("half-load", |bench| bench.half_load()),
    ("priority", |bench| bench.priority_under_bulk()),
    ("backlog", |bench| bench.backlog()),
    ("history", |bench| bench.history()),
];

/// Builds what is measured, measures it, prints the figures and writes them down if asked to.
pub fn run(repository: &Repository, options: &Options) -> Result<()> {
    let built = Command::new("cargo")
        .args(["build", "--release", "--locked", "-p", "posthorn", "-p", "loadgen"])
        .current_dir(repository.root())
        .status()?;
    if !built.success() {
        bail!("the release build failed");
    }
    if let Some(only) = &options.only
        && !MEASURES.iter().any(|(name, _)| name == only)
    {
        bail!("--only {only}: choose from {}", MEASURES.map(|(name, _)| name).join(", "));
    }
    let binaries = target_directory(repository)?.join("release");
    let directory = std::env::temp_dir().join(format!("posthorn-bench-{}", std::process::id()));
    let mut bench = Bench {
        binaries: &binaries,
        directory: &directory,
        scale: options.scale(),
        figures: Vec::new(),
        ceiling: 0.0,
        single_rate: 15_000.0,
    };
    let chosen = MEASURES.iter().filter(|(name, _)| options.only.as_deref().is_none_or(|only| only == *name));
    let outcome = chosen.enumerate().try_for_each(|(index, (name, measure))| {
        println!("[{}/{}] {name}", index + 1, MEASURES.len());
        measure(&mut bench).with_context(|| format!("measuring {name}"))
    });
    let figures = bench.figures;
    _ = std::fs::remove_dir_all(&directory);
    if options.save {
        report::write(repository, &figures, options)?;
    }
    outcome
}

fn target_directory(repository: &Repository) -> Result<std::path::PathBuf> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(repository.root())
        .output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(metadata["target_directory"].as_str().context("cargo names no target directory")?.into())
}
