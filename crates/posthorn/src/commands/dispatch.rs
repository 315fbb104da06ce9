//! From the command line to the command.

use std::process::ExitCode;

use anyhow::Result;

use super::{apply, check, demo, repair, send, serve, simulate, status};
use crate::cli::{Cli, Command};

/// Runs a command.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Demo(options) => demo::run(options),
        Command::Serve(options) => serve::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Apply(options) => apply::run(&options),
        Command::Send(options) => send::run(&options),
        Command::Status(options) => status::run(&options),
        Command::Repair(options) => repair::run(&options),
        Command::Simulate(which) => simulate::run(which),
    }
}
