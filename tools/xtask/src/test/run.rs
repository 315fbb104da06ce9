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

/// What stands in the name of a test that takes long.
const NIGHTLY: &str = "nightly";

/// Runs all steps, prints the table, fails if one of them did.
pub fn run(repository: &Repository, options: &Options) -> Result<()> {
    let mut steps = Steps::default();
    steps.check("tools", || tools::provide(repository.root()));
    match &options.filter {
        None => everything(repository, options, &mut steps),
        Some(_) => {
            stories_after_build(repository, options, &mut steps);
            units(repository, options, &mut steps);
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
    units(repository, options, steps);
    stories_after_build(repository, options, steps);
}

fn units(repository: &Repository, options: &Options, steps: &mut Steps) {
    let chosen = chosen(options);
    let words: Vec<&str> = UNITS.iter().copied().chain(["-E", &chosen]).collect();
    steps.run(repository, "unit and integration tests", &words, &[]);
}

/// Which tests run, as a nextest filter: those with `nightly` in their name only when they are asked for.
fn chosen(options: &Options) -> String {
    let named = options.filter.as_ref().map_or_else(|| "all()".to_owned(), |filter| format!("test({filter})"));
    let asked_for = options.nightly || options.filter.as_ref().is_some_and(|filter| filter.contains(NIGHTLY));
    if asked_for { named } else { format!("{named} and not test({NIGHTLY})") }
}

/// The stories run the binary as users do: built for release. A stale one would prove nothing.
fn stories_after_build(repository: &Repository, options: &Options, steps: &mut Steps) {
    if !steps.run(repository, "release build", RELEASE, &[]) {
        steps.skip("stories");
        return;
    }
    let chosen = chosen(options);
    let words: Vec<&str> = STORIES.iter().copied().chain(["-E", &chosen]).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tests_run_only_when_they_are_asked_for() {
        let chosen = |nightly, filter: Option<&str>| chosen(&Options { nightly, filter: filter.map(Into::into) });
        assert_eq!(chosen(false, None), "all() and not test(nightly)");
        assert_eq!(chosen(true, None), "all()");
        assert_eq!(chosen(false, Some("kill9")), "test(kill9) and not test(nightly)");
        assert_eq!(chosen(true, Some("kill9")), "test(kill9)");
        assert_eq!(chosen(false, Some("nightly_c10")), "test(nightly_c10)");
    }
}
