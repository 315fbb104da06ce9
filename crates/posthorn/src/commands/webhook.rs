//! `posthorn webhook`: test, rotate, look into attempts, replay.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use domain::choice::Choice;
use domain::clock::Clock;
use domain::control::{Endpoint, EventKind};
use serde_json::{Value, json};
use simulator::webhook::SinkOptions;
use store::control::{Author, ControlDb, Rotation};

use super::api_client::{Api, print_errors};
use super::apply::print_generated;
use super::simulate::{Quietly, listen};
use crate::cli::ConfigFile;
use crate::console::{Colour, paint};
use crate::options::Options;
use crate::start::runtime;
use crate::who::user;

/// What to do about webhooks.
#[derive(Debug, clap::Subcommand)]
pub enum Webhook {
    /// Receive webhooks on this machine and check that they are genuine: one line for each event.
    Listen(Quietly<SinkOptions>),
    /// Call an account's endpoint once, as it is set up.
    Test(OfEndpoint),
    /// Give an endpoint new secrets; those it had stay valid for a while.
    Rotate(Rotate),
    /// List endpoints: how they do and what waits.
    List(Api),
    /// Have an endpoint called again that is off.
    Enable(Enable),
    /// The latest attempts: what was sent and what came back.
    Attempts(Attempts),
    /// Events that were given up.
    Dead(Api),
    /// Have events told again: some by id, or all that were given up.
    Replay(Replay),
}

/// Which endpoint of which account, in the control data.
#[derive(Debug, Args)]
pub struct OfEndpoint {
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Name of the account.
    #[arg(long, value_name = "NAME")]
    pub account: String,
    /// Kind of event: sms.status, sms.incoming or sms.click.
    #[arg(long, default_value = "sms.status", value_parser = kind)]
    pub event: EventKind,
}

/// `posthorn webhook rotate`.
#[derive(Debug, Args)]
pub struct Rotate {
    /// Which endpoint.
    #[command(flatten)]
    pub of: OfEndpoint,
    /// Make the SecretKey of the checksum headers anew, too.
    #[arg(long)]
    pub secret_key: bool,
    /// Hours for which the secrets it had stay valid, 0 to 168; without it as the setup says.
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(0..=168))]
    pub overlap: Option<u32>,
}

/// `posthorn webhook enable`.
#[derive(Debug, Args)]
pub struct Enable {
    /// Where the API is.
    #[command(flatten)]
    pub api: Api,
    /// Kind of event: sms.status, sms.incoming or sms.click.
    #[arg(long, default_value = "sms.status")]
    pub event: String,
    /// The URL that requests named, instead of the account's own endpoint.
    #[arg(long = "named", value_name = "URL")]
    pub named: Option<String>,
}

/// `posthorn webhook attempts`.
#[derive(Debug, Args)]
pub struct Attempts {
    /// Where the API is.
    #[command(flatten)]
    pub api: Api,
    /// Only those that were not answered 2xx.
    #[arg(long)]
    pub failed: bool,
    /// How many.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
    /// Show headers and the beginning of the answer.
    #[arg(long)]
    pub full: bool,
}

/// `posthorn webhook replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Where the API is.
    #[command(flatten)]
    pub api: Api,
    /// These events; without any, all that were given up.
    #[arg(value_name = "EVENT-ID")]
    pub events: Vec<String>,
    /// Everything since that moment (UTC), told or not.
    #[arg(long, value_name = "TIME", conflicts_with = "events")]
    pub since: Option<String>,
    /// The events of this attempt, by its number in `posthorn webhook attempts`.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["events", "since"])]
    pub attempt: Option<i64>,
}

fn kind(text: &str) -> Result<EventKind, String> {
    EventKind::by_name(text).ok_or_else(|| "expected sms.status, sms.incoming or sms.click".into())
}

pub fn run(which: Webhook) -> Result<ExitCode> {
    match which {
        Webhook::Listen(options) => runtime()?.block_on(listen(&options)).map(|()| ExitCode::SUCCESS),
        Webhook::Test(of) => test(&of),
        Webhook::Rotate(command) => rotate(&command),
        Webhook::List(api) => show(&api.call("/v2.1/webhooks", None)?, endpoint_line),
        Webhook::Enable(command) => {
            let mut body = json!({ "event": command.event });
            if let Some(url) = &command.named {
                body["url"] = json!(url);
            }
            show(&command.api.call("/v2.1/webhooks/enable", Some(&body))?, |_| "enabled: a probe goes first".into())
        }
        Webhook::Attempts(command) => {
            let failed = if command.failed { "&failed=1" } else { "" };
            let path = format!("/v2.1/webhooks/attempts?limit={}{failed}", command.limit);
            let answer = command.api.call(&path, None)?;
            if let Some(count) = answer["meta"]["notKept"].as_u64() {
                eprintln!("{count} further attempts could not be kept: there were too many at once");
            }
            show(&answer, |item| attempt_lines(item, command.full))
        }
        Webhook::Dead(api) => show(&api.call("/v2.1/events/dead?limit=1000", None)?, dead_line),
        Webhook::Replay(command) => replay(&command),
    }
}

fn show(answer: &Value, line: impl Fn(&Value) -> String) -> Result<ExitCode> {
    print_errors(answer);
    let items = answer["data"].as_array().cloned().unwrap_or_default();
    items.iter().for_each(|item| println!("{}", line(item)));
    Ok(if items.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name].as_str().unwrap_or_default()
}

fn endpoint_line(item: &Value) -> String {
    let state = text(item, "state");
    let colour = match state {
        "working" => Colour::Green,
        "off" => Colour::Red,
        _ => Colour::Yellow,
    };
    let more = item["failures"].as_u64().filter(|failures| *failures > 0);
    let more = more.map(|failures| format!(", {failures} failures in a row")).unwrap_or_default();
    let waiting = &item["waiting"];
    format!(
        "{} {} {}  {waiting} waiting{more}",
        paint(colour, &format!("{state:<8}")),
        text(item, "event"),
        text(item, "url")
    )
}

fn attempt_lines(item: &Value, full: bool) -> String {
    let status = item["httpStatus"].as_u64().unwrap_or(0);
    let colour = if (200..300).contains(&status) { Colour::Green } else { Colour::Red };
    let outcome = if status == 0 { "no answer".to_owned() } else { format!("HTTP {status}") };
    let events = item["eventIds"].as_array().map_or(0, Vec::len);
    let mut lines = format!(
        "{:>7} {} {} ms, attempt {}, {events} event(s) {} {}",
        item["id"],
        paint(colour, &outcome),
        item["latencyMs"],
        item["attempt"],
        text(item, "url"),
        paint(Colour::Dim, text(item, "failure")),
    );
    if full {
        for header in item["headers"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            lines.push_str(&format!("\n        {}", paint(Colour::Dim, header)));
        }
        lines.push_str(&format!("\n        {}", text(item, "answer")));
    }
    lines
}

fn dead_line(item: &Value) -> String {
    format!(
        "{} {} {} after {} attempts, last HTTP {}",
        text(item, "eventId"),
        text(item, "event"),
        text(item, "externalId"),
        item["attempts"],
        item["httpStatus"]
    )
}

fn replay(command: &Replay) -> Result<ExitCode> {
    let mut body = match (&command.since, command.attempt) {
        (Some(since), _) => json!({ "only": "all", "dateFrom": since }),
        (None, Some(number)) => json!({ "eventIds": events_of(&command.api, number)? }),
        (None, None) if command.events.is_empty() => json!({ "only": "dead" }),
        (None, None) => json!({ "eventIds": command.events }),
    };
    let mut replayed = 0;
    loop {
        let answer = command.api.call("/v2.1/events/replay", Some(&body))?;
        print_errors(&answer);
        let Some(count) = answer["data"][0]["replayed"].as_u64() else { break };
        replayed += count;
        let Some(cursor) = answer["meta"]["nextCursor"].as_str() else { break };
        body["cursor"] = json!(cursor);
    }
    println!("{replayed} event(s) are told again");
    Ok(if replayed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn events_of(api: &Api, attempt: i64) -> Result<Value> {
    let path = format!("/v2.1/webhooks/attempts?limit=1&cursor={}", attempt.saturating_add(1));
    let answer = api.call(&path, None)?;
    let item = &answer["data"][0];
    if item["id"].as_i64() != Some(attempt) {
        bail!("there is no attempt {attempt} any more; `posthorn webhook attempts` lists those that are kept");
    }
    Ok(item["eventIds"].clone())
}

fn open(config: &ConfigFile) -> Result<(Options, ControlDb)> {
    let options = Options::load(&config.config)?;
    let store = options.store.to_store();
    let control = ControlDb::open(&store.data_dir, &store.master_key_file)?;
    Ok((options, control))
}

fn test(of: &OfEndpoint) -> Result<ExitCode> {
    let (options, control) = open(&of.config)?;
    let snapshot = control.snapshot();
    let account = snapshot.accounts().find(|account| account.name == of.account);
    let account = account.with_context(|| format!("there is no account {:?}", of.account))?;
    let endpoint = account.endpoint(of.event).with_context(|| {
        format!(
            "account {} has no webhook for {}: add an [[account.webhook]] entry to the setup file",
            of.account,
            of.event.name()
        )
    })?;
    match test_call(&options, endpoint)? {
        Ok(status) => {
            println!("{} {} answered HTTP {status}", paint(Colour::Green, "works"), endpoint.url);
            Ok(ExitCode::SUCCESS)
        }
        Err(problem) => {
            println!("{} {}: {problem}", paint(Colour::Red, "fails"), endpoint.url);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Calls an endpoint once: the status of a 2xx, or what came instead.
pub fn test_call(options: &Options, endpoint: &Endpoint) -> Result<Result<u16, String>> {
    let called = runtime()?.block_on(flow::tell::try_out(endpoint, &options.tell, &Clock::system()))?;
    Ok(match called {
        Ok(answer) if answer.is_success() => Ok(answer.status),
        Ok(answer) => Err(answer.failure.into()),
        Err(problem) => Err(problem.to_string()),
    })
}

fn rotate(command: &Rotate) -> Result<ExitCode> {
    let (_, control) = open(&command.of.config)?;
    let rotation = Rotation {
        account: command.of.account.clone(),
        event: command.of.event,
        secret_key: command.secret_key,
        signing_secret: true,
        overlap_hours: command.overlap,
    };
    let reason = format!("new secrets for webhook {}/{}", command.of.account, command.of.event.name());
    let applied = control.rotate(&rotation, &Author { who: user(), reason })?;
    println!("Version {} is in force; a running server takes it over within a second.", applied.version);
    print_generated(&applied);
    Ok(ExitCode::SUCCESS)
}
