//! `posthorn repair`.
use std::process::ExitCode;
use anyhow::Result;
use crate::cli::Repair;
pub fn run(_command: &Repair) -> Result<ExitCode> { anyhow::bail!("pending") }
