//! The order of the run: what is cheap and fails often comes first.

use anyhow::{Result, bail};

use super::options::Options;
use super::step::Steps;
use super::tools;
use crate::repository::Repository;
use crate::tidy;

const CLIPPY: &[&str] = &["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
const RELEASE: &[&str] = &["cargo", "build", "--release", "--locked", "-p", "posthorn"];
const DOC: &[&str] = &["cargo", "test", "--workspace", "--locked", "--doc"];
const UNITS: &[&str] = &[
    "cargo",
    "nextest",
    "run",
    "--workspace",
    "--locked",
    "--no-fail-fast",
    "--no-tests",
    "pass",
    "--exclude",
    "story-tests",
];
const STORIES: &[&str] =
    &["cargo", "nextest", "run", "--locked", "--no-fail-fast", "--no-tests", "pass", "-p", "story-tests"];

/// Runs all steps, prints the table, fails if one of them did.
pub fn run(repository: &Repository, options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    steps.check("tools", || tools::provide(repository.root()));
    match &options.filter {
        None => everything(repository, options, &mut steps),
        Some(filter) => {
            stories_after_build(repository, options, &mut steps, &["-E", &format!("test({filter})")]);
            let words: Vec<&str> = UNITS.iter().copied().chain([filter.as_str()]).collect();
            steps.run(repository, "unit and integration tests", &words, &[]);
        }
    }
    println!("{}", steps.table());
    if !steps.passed() {
        bail!("not everything passed; the table names the steps, their output is above");
    }
    Ok(())
}

fn everything(repository: &Repository, options: &Options, steps: &mut Steps) {
    steps.run(repository, "format", &["cargo", "fmt", "--all", "--check"], &[]);
    steps.check("tidy", || tidy::run(repository));
    steps.run(repository, "clippy", CLIPPY, &[]);
    if options.nightly {
        supply_chain(repository, steps);
    }
    steps.run(repository, "doc tests", DOC, &[]);
    steps.run(repository, "unit and integration tests", UNITS, &[]);
    stories_after_build(repository, options, steps, &[]);
}

/// The stories run the binary as users do: built for release. A stale one would prove nothing.
fn stories_after_build(repository: &Repository, options: &Options, steps: &mut Steps, more: &[&str]) {
    if !steps.run(repository, "release build", RELEASE, &[]) {
        steps.skip("stories");
        return;
    }
    let words: Vec<&str> = STORIES.iter().chain(more).copied().collect();
    let length = if options.nightly { "nightly" } else { "short" };
    steps.run(repository, "stories", &words, &[("STORY_LENGTH", length)]);
}

fn supply_chain(repository: &Repository, steps: &mut Steps) {
    let installed = std::process::Command::new("cargo").args(["deny", "--version"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        steps.run(repository, "cargo-deny, once", &["cargo", "install", "cargo-deny", "--locked"], &[]);
    }
    steps.run(repository, "cargo-deny", &["cargo", "deny", "check"], &[]);
}
