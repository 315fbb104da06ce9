//! `posthorn audit`: who did what, when and why.

use std::process::ExitCode;

use anyhow::Result;
use domain::timestamp;
use serde_json::json;
use store::control::AuditEntry;

use super::versions::open;
use crate::cli::ConfigFile;
use crate::console::{Colour, paint};

/// `posthorn audit`.
#[derive(Debug, clap::Args)]
pub struct Audit {
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// How many of the newest lines.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub count: u32,
    /// Print them as JSON, one object per line.
    #[arg(long)]
    pub json: bool,
}

pub fn run(command: &Audit) -> Result<ExitCode> {
    let entries = open(&command.config)?.0.audit(command.count)?;
    // The newest stands last, where a terminal shows it.
    for entry in entries.iter().rev() {
        if command.json {
            println!("{}", as_json(entry));
        } else {
            print(entry);
        }
    }
    if entries.is_empty() && !command.json {
        println!("Nothing was done yet.");
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(entry: &AuditEntry) -> serde_json::Value {
    json!({
        "id": entry.id, "at": timestamp::format_rfc3339(entry.at), "version": entry.version, "who": entry.who,
        "action": entry.action, "what": entry.what, "reason": entry.reason, "before": entry.before, "after": entry.after,
    })
}

fn print(entry: &AuditEntry) {
    let at = timestamp::format_utc(entry.at);
    let colour = match entry.action.as_str() {
        "add" | "resume" => Colour::Green,
        "remove" | "purge" => Colour::Red,
        _ => Colour::Yellow,
    };
    let AuditEntry { version, who, action, what, reason, .. } = entry;
    let action = paint(colour, &format!("{action:<7}"));
    println!("{at}  v{version:<4} {who:<16} {action} {what}  {}", paint(Colour::Dim, reason));
    if entry.before.is_empty() && !entry.after.is_empty() {
        let lines = entry.after.lines().take(1).filter(|_| !matches!(entry.action.as_str(), "add" | "change"));
        lines.for_each(|line| println!("{:>45} {line}", ""));
    }
    if entry.action == "change" {
        let pairs = entry.before.lines().zip(entry.after.lines());
        pairs.for_each(|(before, after)| {
            println!("{:>45} {before} -> {}", "", after.split(" = ").nth(1).unwrap_or(after))
        });
    }
}
