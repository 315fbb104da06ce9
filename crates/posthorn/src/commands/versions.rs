//! `posthorn versions`, `posthorn diff` and `posthorn rollback`: what the control data was, and going back to it.

use std::process::ExitCode;

use anyhow::{Context, Result};
use domain::timestamp;
use serde_json::json;
use store::control::{Author, ControlDb};

use super::apply::{print_diff, warnings};
use super::confirm::Deliberately;
use crate::cli::ConfigFile;
use crate::console::{Colour, paint};
use crate::options::Options;
use crate::who::user;

/// `posthorn versions`.
#[derive(Debug, clap::Args)]
pub struct Versions {
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Print them as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `posthorn diff`.
#[derive(Debug, clap::Args)]
pub struct Difference {
    /// The older version; 0 is the empty one before the first apply.
    #[arg(value_name = "A")]
    pub from: u64,
    /// The newer version.
    #[arg(value_name = "B")]
    pub to: u64,
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

/// `posthorn rollback`.
#[derive(Debug, clap::Args)]
pub struct Rollback {
    /// The version whose carriers and routes are wanted back.
    #[arg(value_name = "VERSION")]
    pub version: u64,
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Why, and whether.
    #[command(flatten)]
    pub deliberately: Deliberately,
    /// Print the outcome as one JSON line.
    #[arg(long)]
    pub json: bool,
}

/// The control data of a configuration, made if there is none.
pub(super) fn open(config: &ConfigFile) -> Result<(ControlDb, store::Options)> {
    let store = Options::load(&config.config)?.store.to_store();
    std::fs::create_dir_all(&store.data_dir)
        .with_context(|| format!("can't make the data directory {}", store.data_dir.display()))?;
    Ok((ControlDb::open(&store.data_dir, &store.master_key_file)?, store))
}

pub fn list(command: &Versions) -> Result<ExitCode> {
    let versions = open(&command.config)?.0.list_versions()?;
    if command.json {
        let versions = versions.iter().map(|version| {
            json!({
                "version": version.version, "at": timestamp::format_rfc3339(version.at), "who": version.who,
                "reason": version.reason, "changes": version.changes,
            })
        });
        println!("{}", json!(versions.collect::<Vec<_>>()));
        return Ok(ExitCode::SUCCESS);
    }
    if versions.is_empty() {
        println!("Nothing was applied yet.");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "{}",
        paint(
            Colour::Bold,
            &format!("{:>7}  {:<19}  {:<16} {:>7}  reason", "version", "since (UTC)", "who", "changes")
        )
    );
    for (place, version) in versions.iter().enumerate() {
        let mark = if place == 0 { paint(Colour::Green, " (in force)") } else { String::new() };
        let at = timestamp::format_utc(version.at);
        let (number, who, changes, reason) = (version.version, &version.who, version.changes, &version.reason);
        println!("{number:>7}  {at}  {who:<16} {changes:>7}  {reason}{mark}");
    }
    Ok(ExitCode::SUCCESS)
}

pub fn difference(command: &Difference) -> Result<ExitCode> {
    let diff = open(&command.config)?.0.difference(command.from, command.to)?;
    if command.json {
        println!("{}", json!({ "changes": diff.to_string().lines().collect::<Vec<_>>() }));
    } else if diff.is_empty() {
        println!("Versions {} and {} say the same.", command.from, command.to);
    } else {
        print_diff(&diff);
    }
    Ok(ExitCode::SUCCESS)
}

pub fn roll_back(command: &Rollback) -> Result<ExitCode> {
    let (control, store) = open(&command.config)?;
    let reason = format!("back to version {}: {}", command.version, command.deliberately.reason()?);
    let author = Author { who: user(), reason };
    let planned = control.roll_back(command.version, &author, true)?;
    let warnings = warnings(&store.data_dir, &planned.diff);
    if !command.json {
        print_diff(&planned.diff);
        warnings.iter().for_each(|warning| println!("{}", paint(Colour::Yellow, &format!("! {warning}"))));
    }
    if !command.deliberately.dry_run && !planned.diff.is_empty() {
        let question = format!("Carriers and routes go back to version {}.", command.version);
        command.deliberately.confirm(&command.version.to_string(), &question)?;
    }
    let applied = control.roll_back(command.version, &author, command.deliberately.dry_run)?;
    if command.json {
        let changes: Vec<String> = applied.diff.to_string().lines().map(str::to_owned).collect();
        println!(
            "{}",
            json!({ "version": applied.version, "dryRun": command.deliberately.dry_run, "changes": changes, "warnings": warnings })
        );
    } else if applied.diff.is_empty() {
        println!("Nothing to change: carriers and routes are those of version {}.", command.version);
    } else if command.deliberately.dry_run {
        println!("Nothing was changed (--dry-run).");
    } else {
        println!("Version {} is in force; a running server takes it over within a second.", applied.version);
    }
    Ok(ExitCode::SUCCESS)
}
