//! Project commands, run as `cargo xtask <command>`: `tidy` checks the habits of the repository,
//! `test` everything that must hold before a change is merged, `bench` measures the budgets.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod repository;
mod test;
mod tidy;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Commands for working on Posthorn")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check the habits of the repository that the compiler does not: sizes, arrows, limits, links
    Tidy,
    /// Run everything a change must pass, with a table of steps and times at the end
    Test(test::Options),
    /// Measure the budgets of the platform beside the ceiling of this machine
    Bench(bench::Options),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let repository = repository::Repository::here()?;
    match Arguments::parse().command {
        Command::Tidy => tidy::run(&repository),
        Command::Test(options) => test::run(&repository, &options),
        Command::Bench(options) => bench::run(&repository, &options),
    }
}
