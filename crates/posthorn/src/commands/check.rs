//! `posthorn check`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Check;
use crate::console::{Colour, paint};
use crate::options::Options;

pub fn run(command: &Check) -> Result<ExitCode> {
    match (&command.config, &command.data) {
        (Some(config), _) => check_config(config),
        (_, Some(data)) => check_data(data),
        (None, None) => Ok(ExitCode::FAILURE),
    }
}

fn check_config(file: &Path) -> Result<ExitCode> {
    let options = Options::load(file)?;
    println!("{} {} can be used.", paint(Colour::Green, "ok"), file.display());
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    println!("  http        {}", or_none(&options.http.listen));
    println!("  https       {}", or_none(&options.http.listen_tls));
    println!("  priority    {}", or_none(&options.priority.listen));
    println!("  operations  {}", or_none(&options.operations.listen));
    println!("  data        {}", options.store.data_dir.display());
    Ok(ExitCode::SUCCESS)
}

fn check_data(_directory: &Path) -> Result<ExitCode> {
    anyhow::bail!("pending")
}
