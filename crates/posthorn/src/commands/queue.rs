//! `posthorn queue`: what waits in a running server, taking it out and moving it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory;
use clap::error::ErrorKind;
use serde_json::Value;
use web::operations::local::ask;

use super::confirm::Deliberately;
use crate::cli::Cli;
use crate::console::{Colour, age, paint};
use crate::operate::{MoveOrder, Order, PurgeOrder, SelectionOrder};
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
    /// Have messages that wait for one carrier wait for another, whatever the routes say. Their price stays as it is, and
    /// the reason is in their history. Scheduled ones whose time has not come stay.
    Move(Move),
}

/// Which of the messages that wait for a carrier.
#[derive(Clone, Debug, clap::Args)]
pub struct Part {
    /// Only this lane: priority or standard.
    #[arg(long, value_name = "LANE")]
    pub lane: Option<String>,
    /// Only this account's.
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}

impl Part {
    fn of(&self, carrier: &str) -> SelectionOrder {
        SelectionOrder { carrier: carrier.to_owned(), lane: self.lane.clone(), account: self.account.clone() }
    }
}

/// `posthorn queue purge`.
#[derive(Debug, clap::Args)]
pub struct Purge {
    /// The carrier they wait for.
    #[arg(long, value_name = "NAME")]
    pub carrier: String,
    /// Which of them.
    #[command(flatten)]
    pub part: Part,
    /// Why, and whether.
    #[command(flatten)]
    pub deliberately: Deliberately,
}

/// `posthorn queue move`.
#[derive(Debug, clap::Args)]
pub struct Move {
    /// The carrier they wait for.
    #[arg(long, value_name = "NAME")]
    pub from: String,
    /// The carrier they are to wait for.
    #[arg(long, value_name = "NAME")]
    pub to: String,
    /// Which of them.
    #[command(flatten)]
    pub part: Part,
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
        Some(What::Purge(purge)) => run_purge(&data_dir, purge, command.json)?,
        Some(What::Move(order)) => run_move(&data_dir, order, command.json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn run_purge(data_dir: &Path, purge: &Purge, json: bool) -> Result<()> {
    let reason = purge.deliberately.reason()?.to_owned();
    let order = |dry_run| {
        let selection = purge.part.of(&purge.carrier);
        Order::Purge(PurgeOrder { selection, reason: reason.clone(), dry_run })
    };
    let count = ask(data_dir, &order(true), |_| true)?["count"].as_u64().unwrap_or_default();
    if purge.deliberately.dry_run {
        println!("{count} messages would be rejected; nothing was changed (--dry-run).");
        return Ok(());
    }
    let question = format!("{count} messages that wait for {} will be rejected for good.", purge.carrier);
    purge.deliberately.confirm(&purge.carrier, &question)?;
    let done = ask(data_dir, &order(false), |_| true)?;
    if json {
        println!("{done}");
    } else {
        println!("{} messages were rejected and refunded{}.", done["ended"], left_behind(&done));
    }
    Ok(())
}

fn run_move(data_dir: &Path, order: &Move, json: bool) -> Result<()> {
    let reason = order.deliberately.reason()?;
    let selection = || order.part.of(&order.from);
    let planned = planned_move(data_dir, selection(), &order.to)?;
    if order.deliberately.dry_run {
        println!("{planned} Nothing was changed (--dry-run).");
        return Ok(());
    }
    order.deliberately.confirm(&order.from, &planned)?;
    let done = make_move(data_dir, selection(), &order.to, reason)?;
    if json {
        println!("{done}")
    } else {
        println!("{}", told_move(&done, &order.to))
    }
    Ok(())
}

/// What a move would do, in words.
pub(super) fn planned_move(data_dir: &Path, selection: SelectionOrder, to: &str) -> Result<String> {
    let from = selection.carrier.clone();
    let order = MoveOrder { selection, to: to.to_owned(), reason: String::new(), dry_run: true };
    let planned = ask(data_dir, &Order::Move(order), |_| true)?;
    let paused = if planned["hold"].is_null() { "" } else { ", which is paused" };
    Ok(format!(
        "{} messages that wait for {from} will wait for {to}{paused}{}.",
        planned["moved"],
        left_behind(&planned)
    ))
}

/// Makes a move.
pub(super) fn make_move(data_dir: &Path, selection: SelectionOrder, to: &str, reason: &str) -> Result<Value> {
    let order = MoveOrder { selection, to: to.to_owned(), reason: reason.to_owned(), dry_run: false };
    Ok(ask(data_dir, &Order::Move(order), |_| true)?)
}

/// What a move did, in words.
pub(super) fn told_move(done: &Value, to: &str) -> String {
    format!("{} messages wait for {to} now{}.", done["moved"], left_behind(done))
}

/// What an order does not touch, in words; nothing where there is none.
fn left_behind(answer: &Value) -> String {
    let some = |field: &str| answer[field].as_u64().filter(|count| *count > 0);
    let with_a_bind = some("left").map(|left| format!("; {left} are with a bind and go on"));
    let unfit = some("unfit").map(|unfit| {
        format!("; {unfit} stay, because it does not carry their sender or their route wants a direct connection")
    });
    [with_a_bind, unfit].into_iter().flatten().collect()
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
