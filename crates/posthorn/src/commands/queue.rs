//! `posthorn queue`: what waits in a running server, and taking it out.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;
use clap::error::ErrorKind;
use serde_json::Value;
use web::operations::local::ask;

use super::confirm::Deliberately;
use crate::cli::Cli;
use crate::console::{Colour, age, paint};
use crate::operate::{Order, PurgeOrder};
use crate::options::Options;

/// `posthorn queue`.
#[derive(Debug, clap::Args)]
pub struct Queue {
    /// The configuration file of the server.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Print it as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do with it; without one: list it.
    #[command(subcommand)]
    pub what: Option<What>,
}

/// What to do with a queue.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// End messages that wait: they become rejected, their price is given back, and the reason stays in their history.
    /// Scheduled ones whose time has not come stay.
    Purge(Purge),
}

/// `posthorn queue purge`.
#[derive(Debug, clap::Args)]
pub struct Purge {
    /// The carrier they wait for.
    #[arg(long, value_name = "NAME")]
    pub carrier: String,
    /// Only this lane: priority or standard.
    #[arg(long, value_name = "LANE")]
    pub lane: Option<String>,
    /// Only this account's.
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Why, and whether.
    #[command(flatten)]
    pub deliberately: Deliberately,
}

pub fn run(command: &Queue) -> Result<ExitCode> {
    // Clap has no arguments that are both global and required.
    let Some(config) = &command.config else {
        let missing = "--config <FILE> is required: which server's queue?";
        Cli::command().error(ErrorKind::MissingRequiredArgument, missing).exit()
    };
    let data_dir = Options::load(config)?.store.data_dir;
    match &command.what {
        None => {
            let answer = ask(&data_dir, &Order::Queue { measure: true }, |_| true)?;
            if command.json {
                println!("{answer}");
            } else {
                print_queue(&answer);
            }
        }
        Some(What::Purge(purge)) => {
            let order = |dry_run| {
                Order::Purge(PurgeOrder {
                    carrier: purge.carrier.clone(),
                    lane: purge.lane.clone(),
                    account: purge.account.clone(),
                    reason: purge.deliberately.reason.trim().to_owned(),
                    dry_run,
                })
            };
            purge.deliberately.reason()?;
            let count = ask(&data_dir, &order(true), |_| true)?["count"].as_u64().unwrap_or_default();
            if purge.deliberately.dry_run {
                println!("{count} messages would be rejected; nothing was changed (--dry-run).");
                return Ok(ExitCode::SUCCESS);
            }
            let question = format!("{count} messages that wait for {} will be rejected for good.", purge.carrier);
            purge.deliberately.confirm(&purge.carrier, &question)?;
            let done = ask(&data_dir, &order(false), |_| true)?;
            if command.json {
                println!("{done}");
            } else {
                let left = done["left"].as_u64().filter(|left| *left > 0);
                let left = left.map(|left| format!("; {left} were with a bind and go on")).unwrap_or_default();
                println!("{} messages were rejected and refunded{left}.", done["ended"]);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Lines, then carriers.
pub(super) fn print_queue(answer: &Value) {
    let lines = answer["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.is_empty() {
        println!("Nothing waits.");
    } else {
        let heading =
            format!("{:<9} {:<24} {:>10} {:>10} {:>10}  state", "lane", "carrier", "waiting", "oldest", "empty in");
        println!("{}", paint(Colour::Bold, &heading));
    }
    for line in lines {
        let seconds = |field: &str| line[field].as_u64().map_or_else(|| "-".to_owned(), age);
        let state = match (line["removed"].as_bool(), line["hold"].as_str()) {
            (Some(true), _) => paint(Colour::Red, "its carrier was removed"),
            (_, Some(hold)) => paint(Colour::Yellow, hold),
            _ => "sending".to_owned(),
        };
        println!(
            "{:<9} {:<24} {:>10} {:>10} {:>10}  {state}",
            line["lane"].as_str().unwrap_or_default(),
            line["carrier"].as_str().unwrap_or_default(),
            line["waiting"].as_u64().unwrap_or_default(),
            seconds("oldestSeconds"),
            seconds("endsInSeconds"),
        );
    }
    println!();
    for carrier in answer["carriers"].as_array().into_iter().flatten() {
        print_carrier(carrier);
    }
}

fn print_carrier(carrier: &Value) {
    let (bound, binds) = (carrier["bound"].as_u64().unwrap_or_default(), carrier["binds"].as_u64().unwrap_or_default());
    let colour = match bound {
        0 => Colour::Red,
        bound if bound < binds => Colour::Yellow,
        _ => Colour::Green,
    };
    let limit = match carrier["ratePerSecond"].as_u64() {
        None | Some(0) => String::new(),
        Some(limit) => format!(" of {limit} allowed"),
    };
    let hold = &carrier["hold"];
    let hold = hold["mode"].as_str().map(|mode| {
        let text = |field: &str| hold[field].as_str().unwrap_or_default().to_owned();
        format!("  {} since {} by {}: {}", paint(Colour::Yellow, mode), text("since"), text("who"), text("reason"))
    });
    let paces = carrier["paces"].as_array().into_iter().flatten().map(|pace| {
        let reason = pace["reason"].as_str().unwrap_or_default();
        format!(
            "  {}",
            paint(
                Colour::Yellow,
                &format!(
                    "bind {} slowed to {:.0}/s ({reason})",
                    pace["bind"],
                    pace["perSecond"].as_f64().unwrap_or_default()
                )
            )
        )
    });
    let paces: String = paces.collect();
    let problem = carrier["problem"].as_str().map(|problem| format!("  {problem}"));
    println!(
        "{:<24} {} {:>6} parts/s{limit}{paces}{}{}",
        carrier["carrier"].as_str().unwrap_or_default(),
        paint(colour, &format!("{bound}/{binds} bound")),
        carrier["partsPerSecond"],
        hold.unwrap_or_default(),
        problem.unwrap_or_default(),
    );
}
