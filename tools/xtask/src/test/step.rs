//! One command of the run and how it went.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::repository::Repository;

/// How a step went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All well.
    Passed,
    /// The command said no.
    Failed,
    /// It could not run because an earlier step failed.
    Skipped,
}

/// A step that is over.
pub struct Done {
    name: &'static str,
    /// How it went.
    pub verdict: Verdict,
    took: Duration,
}

/// Runs steps one after the other and remembers them for the table.
#[derive(Default)]
pub struct Steps {
    done: Vec<Done>,
}

impl Steps {
    /// Runs a command in the root of the repository; its output goes straight to the terminal.
    pub fn run(
        &mut self,
        repository: &Repository,
        name: &'static str,
        words: &[&str],
        environment: &[(&str, &str)],
    ) -> bool {
        println!("\n== {name}: {}", words.join(" "));
        let started = Instant::now();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(repository.root()).envs(environment.iter().copied());
        let passed = match command.status() {
            Ok(status) => status.success(),
            Err(error) => {
                println!("can't run {}: {error}", words[0]);
                false
            }
        };
        let verdict = if passed { Verdict::Passed } else { Verdict::Failed };
        self.done.push(Done { name, verdict, took: started.elapsed() });
        passed
    }

    /// Runs a check of our own.
    pub fn check(&mut self, name: &'static str, check: impl FnOnce() -> anyhow::Result<()>) -> bool {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = check();
        if let Err(error) = &outcome {
            println!("{error:#}");
        }
        let verdict = if outcome.is_ok() { Verdict::Passed } else { Verdict::Failed };
        self.done.push(Done { name, verdict, took: started.elapsed() });
        outcome.is_ok()
    }

    /// Notes a step that had no ground to stand on.
    pub fn skip(&mut self, name: &'static str) {
        self.done.push(Done { name, verdict: Verdict::Skipped, took: Duration::ZERO });
    }

    /// Whether all of them passed.
    pub fn passed(&self) -> bool {
        self.done.iter().all(|step| step.verdict == Verdict::Passed)
    }

    /// The table at the end.
    pub fn table(&self) -> String {
        let mut table = String::from("\n  step                            result      seconds\n");
        for step in &self.done {
            let word = match step.verdict {
                Verdict::Passed => "passed",
                Verdict::Failed => "FAILED",
                Verdict::Skipped => "left out",
            };
            table.push_str(&format!("  {:<30}  {word:<10} {:>8.1}\n", step.name, step.took.as_secs_f64()));
        }
        let total: Duration = self.done.iter().map(|step| step.took).sum();
        table.push_str(&format!("  {:<30}  {:<10} {:>8.1}\n", "all", "", total.as_secs_f64()));
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failed_step_fails_the_run_and_shows_in_the_table() {
        let repository = Repository::at(std::path::Path::new("."));
        let mut steps = Steps::default();
        assert!(steps.run(&repository, "good", &["true"], &[]));
        assert!(steps.passed());
        assert!(!steps.run(&repository, "bad", &["false"], &[]));
        assert!(!steps.run(&repository, "missing", &["no-such-command-here"], &[]));
        assert!(!steps.check("own", || anyhow::bail!("no")));
        assert!(!steps.passed());
        assert_eq!(steps.table().matches("FAILED").count(), 3);
    }
}
