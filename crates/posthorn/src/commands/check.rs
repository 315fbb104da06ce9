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
    println!("  short links {}", options.links.base().unwrap_or_else(|| "none".to_owned()));
    println!("  operations  {}", or_none(&options.operations.listen));
    println!("  data        {}", options.store.data_dir.display());
    Ok(ExitCode::SUCCESS)
}

fn check_data(directory: &Path) -> Result<ExitCode> {
    let report = store::check(directory, |file| eprintln!("{}", paint(Colour::Dim, &format!("reading {file}"))))?;
    for file in &report.files {
        let verdict =
            if file.damage.is_empty() { paint(Colour::Green, "sound  ") } else { paint(Colour::Red, "damaged") };
        println!("{verdict} {} ({} rows)", file.file, file.rows);
        for damage in &file.damage {
            println!("        {}", damage.place);
        }
    }
    if report.is_sound() {
        println!("Nothing is damaged.");
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "Damaged rows are not shown to anyone. `posthorn repair --data {}` says what can be saved.",
        directory.display()
    );
    Ok(ExitCode::FAILURE)
}
