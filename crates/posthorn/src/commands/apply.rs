//! `posthorn apply`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};
use store::control::{Applied, Author, ChangeKind, ControlDb, Diff, GeneratedSecret, Setup};
use web::operations::local::ask;

use super::webhook::test_call;
use crate::cli::Apply;
use crate::console::{Colour, paint};
use crate::operate::Order;
use crate::options::Options;
use crate::who::user;

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
    if command.test_webhooks {
        test_webhooks(&options, &setup, &control)?;
    }
    let file = command.setup.file_name().unwrap_or(command.setup.as_os_str()).to_string_lossy();
    let reason = command.reason.clone().unwrap_or_else(|| format!("apply of {file}"));
    let author = Author { who: user(), reason };
    let planned = control.apply_by(&setup, &author, true)?;
    // Asked before anything changes: afterwards nobody knows the names of carriers that are gone.
    let warnings = warnings(&store.data_dir, &planned.diff);
    let applied = if command.dry_run { planned } else { control.apply_by(&setup, &author, false)? };
    if command.json {
        println!("{}", as_json(&applied, command.dry_run, &warnings));
    } else {
        print(&applied, command.dry_run, &warnings);
    }
    Ok(ExitCode::SUCCESS)
}

/// Calls every endpoint of the setup once, signed with the secrets it has or will have.
fn test_webhooks(options: &Options, setup: &Setup, control: &ControlDb) -> Result<()> {
    let stored = control.snapshot();
    let mut failed = Vec::new();
    for (account, declared) in setup.endpoints() {
        let known = stored.accounts().find(|stored| stored.name == account);
        let known = known.and_then(|stored| stored.endpoint(declared.event));
        let mut endpoint = declared.clone();
        if let Some(known) = known {
            for (own, stored) in
                [(&mut endpoint.secret_key, &known.secret_key), (&mut endpoint.signing_secret, &known.signing_secret)]
            {
                if own.reveal().is_empty() {
                    *own = stored.clone();
                }
            }
        }
        if let Err(problem) = test_call(options, &endpoint)? {
            failed.push(format!("{}: {problem}", endpoint.url));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("nothing was changed: webhooks did not answer the test call with 2xx: {}", failed.join("; "))
}

/// URLs of the setup that this server would never call.
fn webhook_problems(options: &Options, setup: &Setup) -> Vec<String> {
    let refuse = |url: &str| {
        let problem = flow::tell::check_url(url, &options.tell).err()?;
        Some(format!("the webhook url {url} can't be called: {problem}"))
    };
    setup.webhook_urls().filter_map(refuse).collect()
}

/// What whoever changes this should know: entries that took a default which costs money, and messages that would be left
/// behind.
pub(super) fn warnings(data_dir: &Path, diff: &Diff) -> Vec<String> {
    let mut warnings = diff.notices.clone();
    let removed = diff.changes.iter().filter(|change| change.kind == ChangeKind::Removed);
    let carriers: Vec<&str> = removed.filter_map(|change| change.what.strip_prefix("carrier ")).collect();
    if carriers.is_empty() {
        return warnings;
    }
    let Ok(answer) = ask(data_dir, &Order::Queue { measure: false }, |_| true) else {
        warnings
            .push("no server runs, so that nobody knows how much waits for the carriers that are removed".to_owned());
        return warnings;
    };
    let lines = answer["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
    for name in carriers {
        let of_carrier = lines.iter().filter(|line| line["carrier"] == name);
        let waiting: u64 = of_carrier.filter_map(|line| line["waiting"].as_u64()).sum();
        if waiting > 0 {
            warnings.push(format!(
                "{waiting} messages wait for carrier {name}, which is removed: drain it first (posthorn carrier drain {name}), or they wait until they expire"
            ));
        }
    }
    warnings
}

/// One coloured line per change.
pub(super) fn print_diff(diff: &Diff) {
    for line in diff.to_string().lines() {
        let colour = match line.trim_start().chars().next() {
            Some('+') => Colour::Green,
            Some('-') => Colour::Red,
            Some('~') => Colour::Yellow,
            _ => Colour::Dim,
        };
        println!("{}", paint(colour, line));
    }
}

fn print(applied: &Applied, dry_run: bool, warnings: &[String]) {
    if applied.diff.is_empty() {
        println!("Nothing to change: version {} is in force.", applied.version);
        return;
    }
    print_diff(&applied.diff);
    warnings.iter().for_each(|warning| println!("{}", paint(Colour::Yellow, &format!("! {warning}"))));
    if dry_run {
        println!("Nothing was changed (--dry-run).");
        return;
    }
    println!("Version {} is in force; a running server takes it over within a second.", applied.version);
    print_generated(applied);
}

/// Shows secrets for the one time they can be shown.
pub fn print_generated(applied: &Applied) {
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

fn as_json(applied: &Applied, dry_run: bool, warnings: &[String]) -> Value {
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
        "warnings": warnings,
        "generated": applied.generated.iter().map(generated).collect::<Vec<_>>(),
    })
}
