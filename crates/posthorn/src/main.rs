//! The Posthorn server and its commands: `posthorn help` lists them.

mod alarms;
mod cli;
mod commands;
mod console;
mod metrics;
mod operate;
mod options;
mod start;
mod telemetry;
mod who;

use clap::Parser;

/// A message is a few dozen small pieces of memory that one thread makes and another lets go, which is what the system's
/// allocator is slowest at. SQLite's go the same way.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    // One TLS provider in the whole process: rustls panics at first use when it has to guess.
    _ = rustls::crypto::ring::default_provider().install_default();
    // Everything this program writes holds texts, numbers or secrets: its files are its owner's alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    match commands::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            console::print_error(&error);
            std::process::ExitCode::FAILURE
        }
    }
}
