//! `posthorn apply`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use store::control::{Applied, ControlDb, GeneratedSecret, Setup};

use crate::cli::Apply;
use crate::console::{Colour, paint};
use crate::options::Options;

pub fn run(command: &Apply) -> Result<ExitCode> {
    let options = Options::load(&command.config.config)?;
    let setup = match Setup::read(&command.setup) {
        Ok(setup) => setup,
        Err(problems) => {
            eprintln!("{problems}");
            bail!("nothing was changed; correct the setup file and apply it again");
        }
    };
    let webhook_problems = webhook_problems(&options, &setup);
    if !webhook_problems.is_empty() {
        bail!("nothing was changed: {}", webhook_problems.join("; "));
    }
    let store = options.store.to_store();
    std::fs::create_dir_all(&store.data_dir)?;
    let control = ControlDb::open(&store.data_dir, &store.master_key_file)?;
    let applied = control.apply(&setup, command.dry_run)?;
    if command.json {
        println!("{}", as_json(&applied, command.dry_run));
    } else {
        print(&applied, command.dry_run);
    }
    Ok(ExitCode::SUCCESS)
}

/// URLs of the setup that this server would never call.
fn webhook_problems(options: &Options, setup: &Setup) -> Vec<String> {
    let refuse = |url: &str| {
        let problem = flow::tell::check_url(url, &options.tell).err()?;
        Some(format!("the webhook url {url} can't be called: {problem}"))
    };
    setup.webhook_urls().filter_map(refuse).collect()
}

fn print(applied: &Applied, dry_run: bool) {
    if applied.diff.is_empty() {
        println!("Nothing to change: version {} is in force.", applied.version);
        return;
    }
    for line in applied.diff.to_string().lines() {
        let colour = match line.trim_start().chars().next() {
            Some('+') => Colour::Green,
            Some('-') => Colour::Red,
            Some('~') => Colour::Yellow,
            _ => Colour::Dim,
        };
        println!("{}", paint(colour, line));
    }
    if dry_run {
        println!("Nothing was changed (--dry-run).");
        return;
    }
    println!("Version {} is in force; a running server takes it over within a second.", applied.version);
    for generated in &applied.generated {
        println!("\n{} {}", paint(Colour::Bold, "Generated for"), generated.what);
        for (name, secret) in fields(&generated.secret) {
            println!("  {name}: {secret}");
        }
    }
    if !applied.generated.is_empty() {
        println!("\n{}", paint(Colour::Yellow, "Keep these now: keys are not shown again."));
    }
}

fn fields(secret: &GeneratedSecret) -> Vec<(&'static str, &str)> {
    match secret {
        GeneratedSecret::Key { authorization, application_key } => {
            vec![("authorization", authorization.reveal()), ("application_key", application_key.reveal())]
        }
        GeneratedSecret::SecretKey(secret) => vec![("secret_key", secret.reveal())],
        GeneratedSecret::SigningSecret(secret) => vec![("signing_secret", secret.reveal())],
    }
}

fn as_json(applied: &Applied, dry_run: bool) -> Value {
    let generated = |generated: &store::control::Generated| {
        let mut object: serde_json::Map<String, Value> =
            fields(&generated.secret).into_iter().map(|(name, secret)| (name.to_owned(), json!(secret))).collect();
        object.insert("what".into(), json!(generated.what));
        Value::Object(object)
    };
    json!({
        "version": applied.version,
        "dryRun": dry_run,
        "changes": applied.diff.to_string().lines().collect::<Vec<_>>(),
        "generated": applied.generated.iter().map(generated).collect::<Vec<_>>(),
    })
}
