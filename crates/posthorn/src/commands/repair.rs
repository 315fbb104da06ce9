//! `posthorn repair`.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Repair;
use crate::console::{Colour, paint};

pub fn run(command: &Repair) -> Result<ExitCode> {
    let report = store::repair(&command.data, !command.yes)?;
    if report.files.is_empty() {
        println!("Nothing is damaged, so there is nothing to repair.");
        return Ok(ExitCode::SUCCESS);
    }
    for file in &report.files {
        println!("{} {} row(s) can be saved", paint(Colour::Bold, &file.file), file.rows_kept);
        for given_up in &file.given_up {
            println!("  {} {given_up}", paint(Colour::Red, "given up:"));
        }
    }
    if report.done {
        println!("Done. The damaged files are kept beside the repaired ones with .damaged appended.");
    } else {
        println!("Nothing was changed. Add --yes to do it; the damaged files are kept beside the repaired ones.");
    }
    Ok(ExitCode::SUCCESS)
}
