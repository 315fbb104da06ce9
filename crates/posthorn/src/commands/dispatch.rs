//! From the command line to the command.

use std::process::ExitCode;

use anyhow::Result;

use super::{
    apply, audit, bot, carrier, check, demo, explain, incoming, queue, repair, send, serve, simulate, status, trace,
    versions, webhook,
};
use crate::cli::{Cli, Command};

/// Runs a command.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Demo(options) => demo::run(options),
        Command::Serve(options) => serve::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Apply(options) => apply::run(&options),
        Command::Versions(options) => versions::list(&options),
        Command::Diff(options) => versions::difference(&options),
        Command::Rollback(options) => versions::roll_back(&options),
        Command::Audit(options) => audit::run(&options),
        Command::Queue(options) => queue::run(&options),
        Command::Carrier(options) => carrier::run(&options),
        Command::Trace(options) => trace::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Incoming(what) => incoming::run(&what),
        Command::Send(options) => send::run(&options),
        Command::Status(options) => status::run(&options),
        Command::Bot(what) => bot::run(what),
        Command::Repair(options) => repair::run(&options),
        Command::Webhook(which) => webhook::run(which),
        Command::Simulate(which) => simulate::run(which),
    }
}
