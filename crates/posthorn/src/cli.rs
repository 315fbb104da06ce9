//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A self-hosted SMS platform.
///
/// Programs send SMS through a JSON API, Posthorn hands them to mobile operators over SMPP and brings
/// delivery reports back as webhooks. Start with `posthorn demo`.
#[derive(Debug, Parser)]
#[command(name = "posthorn", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try everything: a server, a simulated operator and a webhook receiver in one process.
    Demo(Demo),
    /// Run the server.
    Serve(Serve),
    /// Check a configuration, or the stored data of a stopped server.
    Check(Check),
    /// Bring the control data in step with a setup file: carriers, routes, accounts, keys, webhooks.
    Apply(Apply),
    /// List the versions of the control data, with who made them and why.
    Versions(crate::commands::Versions),
    /// Show what differs between two versions of the control data.
    Diff(crate::commands::Difference),
    /// Make carriers and routes what they were in an earlier version.
    Rollback(crate::commands::Rollback),
    /// Show who did what, when and why.
    Audit(crate::commands::Audit),
    /// Show what waits in a running server, take it out, or move it.
    Queue(crate::commands::Queue),
    /// Hold a carrier back, or let it go on.
    #[command(subcommand)]
    Carrier(crate::commands::Carrier),
    /// Show the PDUs of a running server as they come and go, masked.
    Trace(crate::commands::Trace),
    /// Tell everything that is known of a message, or what would become of one that nobody sends.
    Explain(crate::commands::Explain),
    /// Look at what people wrote.
    #[command(subcommand)]
    Incoming(crate::commands::Incoming),
    /// Send one message through a running server.
    Send(Send),
    /// Show how a running server is doing.
    Status(Status),
    /// Check bots, or talk to one without an operator.
    #[command(subcommand)]
    Bot(crate::commands::Bot),
    /// Save what can be read of damaged data; says first what it would drop.
    Repair(Repair),
    /// Test, rotate, look into and replay webhooks.
    #[command(subcommand)]
    Webhook(crate::commands::Webhook),
    /// Run an operator, a handset or a webhook receiver to test against.
    #[command(subcommand)]
    Simulate(crate::commands::Simulate),
}

/// `posthorn demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Address and port of the API.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Keep the data in this directory; without it a temporary one is used and removed at the end.
    #[arg(long, value_name = "DIRECTORY")]
    pub data: Option<PathBuf>,
    /// Use this SMPP operator (system_id `posthorn`, password `secret`) instead of the simulated one.
    #[arg(long, value_name = "HOST:PORT")]
    pub operator: Option<String>,
    /// Print one JSON line when ready, for scripts.
    #[arg(long)]
    pub json: bool,
    /// Send one message, wait for its webhook, and end with 0 (delivered) or 1.
    #[arg(long)]
    pub once: bool,
}

/// Which configuration.
#[derive(Clone, Debug, Args)]
pub struct ConfigFile {
    /// The configuration file; every key can also be given by environment, as POSTHORN__HTTP__LISTEN.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// `posthorn serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Which configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Print one JSON line when ready, for scripts.
    #[arg(long)]
    pub ready_json: bool,
}

/// `posthorn check`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Check {
    /// Check this configuration file.
    #[arg(long, value_name = "FILE", group = "what")]
    pub config: Option<PathBuf>,
    /// Check the data in this directory; its server must be stopped.
    #[arg(long, value_name = "DIRECTORY", group = "what")]
    pub data: Option<PathBuf>,
}

/// `posthorn apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// The setup file.
    #[arg(value_name = "SETUP.toml")]
    pub setup: PathBuf,
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Show the differences and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Why; kept in the audit for ever. Without it the name of the file is noted.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Call every webhook of the file once before anything is saved; each must answer 2xx.
    #[arg(long)]
    pub test_webhooks: bool,
    /// Print the outcome as one JSON line.
    #[arg(long)]
    pub json: bool,
}

/// `posthorn send`.
#[derive(Debug, Args)]
pub struct Send {
    /// Whom to send to; may be given several times.
    #[arg(long, required = true, value_name = "NUMBER")]
    pub to: Vec<String>,
    /// The text.
    #[arg(long)]
    pub text: String,
    /// The sender.
    #[arg(long)]
    pub sender: String,
    /// Where the API is.
    #[command(flatten)]
    pub api: crate::commands::Api,
    /// Your own reference.
    #[arg(long)]
    pub external_id: Option<String>,
    /// Use the Priority lane.
    #[arg(long)]
    pub priority: bool,
    /// Minutes after which the message must not be sent any more.
    #[arg(long)]
    pub validity: Option<u32>,
    /// Wait for the outcome; ends with 0 when delivered, 1 otherwise.
    #[arg(long)]
    pub wait: bool,
}

/// `posthorn status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `posthorn repair`.
#[derive(Debug, Args)]
pub struct Repair {
    /// The data directory; its server must be stopped.
    #[arg(long, value_name = "DIRECTORY")]
    pub data: PathBuf,
    /// Do it; without this it only says what it would drop.
    #[arg(long)]
    pub yes: bool,
}
