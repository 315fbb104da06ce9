//! `posthorn trace`: the PDUs of a running server as they come and go.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;
use web::operations::local::ask;

use crate::cli::ConfigFile;
use crate::console::{Colour, paint};
use crate::operate::{Order, TraceOrder};
use crate::options::Options;

/// `posthorn trace`.
#[derive(Debug, clap::Args)]
pub struct Trace {
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Only this carrier.
    #[arg(long, value_name = "NAME", required_unless_present = "number")]
    pub carrier: Option<String>,
    /// Only this bind, from 0.
    #[arg(long, value_name = "N", requires = "carrier")]
    pub bind: Option<u16>,
    /// Only messages from or to this number, with their answers.
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<String>,
    /// Show the texts of messages; needs --reason and is noted in the audit.
    #[arg(long, requires = "reason")]
    pub show_text: bool,
    /// Show whole phone numbers; needs --reason and is noted in the audit.
    #[arg(long, requires = "reason")]
    pub show_numbers: bool,
    /// Why texts or whole numbers are looked at.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Seconds after which it ends by itself, up to an hour.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub seconds: u32,
    /// End after so many PDUs.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// One JSON object per PDU.
    #[arg(long)]
    pub json: bool,
}

pub fn run(command: &Trace) -> Result<ExitCode> {
    if command
        .number
        .as_ref()
        .is_some_and(|number| !number.trim_start_matches('+').bytes().all(|digit| digit.is_ascii_digit()))
    {
        bail!("--number takes digits, with or without +");
    }
    let data_dir = Options::load(&command.config.config)?.store.data_dir;
    let order = TraceOrder {
        carrier: command.carrier.clone(),
        bind: command.bind,
        number: command.number.clone(),
        show_text: command.show_text,
        show_numbers: command.show_numbers,
        seconds: command.seconds,
        reason: command.reason.clone(),
    };
    let mut shown = 0;
    let done = ask(&data_dir, &Order::Trace(order), |line| {
        if command.json {
            println!("{line}");
        } else {
            println!("{}", in_words(line));
        }
        shown += u64::from(line["pdu"].is_string());
        command.count.is_none_or(|count| shown < count)
    })?;
    if !command.json && !done.is_null() {
        println!("{}", paint(Colour::Dim, &format!("{} PDUs in {} s", done["shown"], done["seconds"])));
    }
    Ok(ExitCode::SUCCESS)
}

/// One line for one PDU.
fn in_words(line: &Value) -> String {
    let text = |field: &str| line[field].as_str().unwrap_or_default();
    if let Some(missed) = line["missed"].as_u64() {
        return paint(Colour::Yellow, &format!("… {missed} more than could be shown"));
    }
    let (arrow, colour) = if text("direction") == "out" { ("→", Colour::Blue) } else { ("←", Colour::Cyan) };
    let colour = if line["refused"] == true { Colour::Red } else { colour };
    let status = line["status"].as_str().map(|status| format!(" {status}")).unwrap_or_default();
    let fields: String = line["fields"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!(" {name}={}", value.as_str().unwrap_or_default()))
        .collect();
    format!(
        "{} {} {}/{} {}{fields}",
        paint(Colour::Dim, text("at").get(11..).unwrap_or_default()),
        paint(colour, arrow),
        text("carrier"),
        line["bind"].as_str().map_or_else(|| line["bind"].to_string(), str::to_owned),
        paint(colour, &format!("{} #{}{status}", text("pdu"), line["sequence"])),
    )
}
