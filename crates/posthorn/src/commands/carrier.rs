//! `posthorn carrier`: holding a carrier back, and letting it go on.

use std::process::ExitCode;

use anyhow::Result;
use store::control::{Author, ControlDb, HoldMode};
use web::operations::local::ask;

use super::confirm::Deliberately;
use super::queue::{make_move, planned_move, told_move};
use crate::cli::ConfigFile;
use crate::operate::{Order, SelectionOrder};
use crate::options::Options;
use crate::who::user;

/// `posthorn carrier`.
#[derive(Debug, clap::Subcommand)]
pub enum Carrier {
    /// Send nothing over it: its binds stay up, receipts still come, what is accepted waits. Stays so over restarts.
    Pause(Hold),
    /// Give it nothing new: what waits for it is still sent, new messages take other ways or are refused.
    Drain(Drain),
    /// Let it go on after a pause or a drain.
    Resume(Hold),
}

/// Which carrier, why, and whether.
#[derive(Debug, clap::Args)]
pub struct Hold {
    /// Name of the carrier.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Why, and whether.
    #[command(flatten)]
    pub deliberately: Deliberately,
}

/// `posthorn carrier drain`.
#[derive(Debug, clap::Args)]
pub struct Drain {
    /// Which carrier, why, and whether.
    #[command(flatten)]
    pub hold: Hold,
    /// Have what waits for it wait for this carrier instead.
    #[arg(long, value_name = "NAME")]
    pub move_to: Option<String>,
}

pub fn run(command: &Carrier) -> Result<ExitCode> {
    let (hold, mode, word) = match command {
        Carrier::Pause(hold) => (hold, Some(HoldMode::Paused), "paused"),
        Carrier::Drain(drain) => (&drain.hold, Some(HoldMode::Draining), "draining"),
        Carrier::Resume(hold) => (hold, None, "in service"),
    };
    let move_to = match command {
        Carrier::Drain(drain) => drain.move_to.as_deref(),
        Carrier::Pause(_) | Carrier::Resume(_) => None,
    };
    let reason = hold.deliberately.reason()?;
    let options = Options::load(&hold.config.config)?.store.to_store();
    let control = ControlDb::open(&options.data_dir, &options.master_key_file)?;
    control.check_carrier(&hold.name)?;
    let everything = || SelectionOrder { carrier: hold.name.clone(), lane: None, account: None };
    let waiting = match move_to {
        Some(to) => planned_move(&options.data_dir, everything(), to)?.trim_end_matches('.').to_owned(),
        None => waiting(&options.data_dir, &hold.name),
    };
    let question = format!("{} will be {word}; {waiting}.", hold.name);
    if hold.deliberately.dry_run {
        println!("{question} Nothing was changed (--dry-run).");
        return Ok(ExitCode::SUCCESS);
    }
    hold.deliberately.confirm(&hold.name, &question)?;
    control.hold(&hold.name, mode, &Author { who: user(), reason: reason.to_owned() })?;
    println!("{} is {word}; a running server takes it over within a second.", hold.name);
    if let Some(to) = move_to {
        println!("{}", told_move(&make_move(&options.data_dir, everything(), to, reason)?, to));
    }
    Ok(ExitCode::SUCCESS)
}

/// What waits for the carrier, in words; a server that does not run can't say.
fn waiting(data_dir: &std::path::Path, name: &str) -> String {
    let Ok(answer) = ask(data_dir, &Order::Queue { measure: false }, |_| true) else {
        return "no server runs, so that nobody knows how much waits for it".to_owned();
    };
    let lines = answer["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_carrier = lines.iter().filter(|line| line["carrier"] == name);
    let waiting: u64 = of_carrier.filter_map(|line| line["waiting"].as_u64()).sum();
    format!("{waiting} messages wait for it")
}
