//! `posthorn incoming`: what people wrote.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;
use web::operations::local::ask;

use crate::cli::ConfigFile;
use crate::operate::{Order, UnownedOrder};
use crate::options::Options;

/// `posthorn incoming`.
#[derive(Debug, clap::Subcommand)]
pub enum Incoming {
    /// List the newest messages to numbers and keywords that no account owns.
    Unowned(Unowned),
}

/// `posthorn incoming unowned`.
#[derive(Debug, clap::Args)]
pub struct Unowned {
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// How many, up to 1,000.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub count: u32,
    /// Show texts and whole phone numbers; needs --reason and is noted in the audit.
    #[arg(long, requires = "reason")]
    pub show_text: bool,
    /// Why they are looked at.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print them as JSON.
    #[arg(long)]
    pub json: bool,
}

pub fn run(what: &Incoming) -> Result<ExitCode> {
    let Incoming::Unowned(command) = what;
    let data_dir = Options::load(&command.config.config)?.store.data_dir;
    let order = UnownedOrder { count: command.count, show_text: command.show_text, reason: command.reason.clone() };
    let answer = ask(&data_dir, &Order::Unowned(order), |_| true)?;
    if command.json {
        println!("{answer}");
        return Ok(ExitCode::SUCCESS);
    }
    let messages = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    // The newest stands last, where a terminal shows it.
    for message in messages.iter().rev() {
        println!("{}", line(message));
    }
    if messages.is_empty() {
        println!("Every message that came had an owner.");
    }
    Ok(ExitCode::SUCCESS)
}

fn line(message: &Value) -> String {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let said = match message["message"].as_str() {
        Some(said) => format!("{said:?}"),
        None => format!("*** ({} characters)", message["characters"]),
    };
    let (at, carrier, from, to) = (text("receivedTime"), text("carrier"), text("phoneNumber"), text("number"));
    format!("{at}  {carrier:<16} {from} → {to}: {said}")
}
