//! `posthorn repair`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Repair;

pub fn run(command: &Repair) -> Result<ExitCode> {
    let report = store::embedded::repair(&command.data, !command.yes)?;
    println!("{report}");
    if !command.yes {
        println!("Nothing was changed. Add --yes to do it; the damaged files are kept beside the repaired ones.");
    }
    Ok(ExitCode::SUCCESS)
}
