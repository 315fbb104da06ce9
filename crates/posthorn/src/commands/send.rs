//! `posthorn send`: one message through the API, as any client would send it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::cli::Send;
use crate::console::{Colour, paint};

/// How long `--wait` waits.
const WAIT: Duration = Duration::from_secs(120);
/// How often it asks.
const ASK: Duration = Duration::from_millis(500);

pub fn run(command: &Send) -> Result<ExitCode> {
    let mut body = json!({ "sender": command.sender, "message": command.text, "phoneNumbers": command.to });
    if let Some(external_id) = &command.external_id {
        body["externalId"] = json!(external_id);
    }
    if command.priority {
        body["priority"] = json!(true);
    }
    if let Some(validity) = command.validity {
        body["validity"] = json!(validity);
    }
    let answer = call(command, "POST", "/v2.1/sms", Some(&body))?;
    print_errors(&answer);
    let accepted = answer["data"].as_array().cloned().unwrap_or_default();
    for message in &accepted {
        println!(
            "{} {} to {}: {} part(s)",
            paint(Colour::Green, "accepted"),
            message["externalId"].as_str().unwrap_or_default(),
            message["phoneNumber"].as_str().unwrap_or_default(),
            message["numberOfParts"]
        );
    }
    if accepted.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if !command.wait {
        return Ok(ExitCode::SUCCESS);
    }
    let mut all_delivered = true;
    for message in &accepted {
        all_delivered &= wait_for_outcome(command, message["externalId"].as_str().unwrap_or_default())?;
    }
    Ok(if all_delivered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wait_for_outcome(command: &Send, external_id: &str) -> Result<bool> {
    let started = Instant::now();
    while started.elapsed() < WAIT {
        let answer = call(command, "GET", &format!("/v2.1/sms/statuses?externalId={external_id}"), None)?;
        let item = &answer["data"][0];
        if item["status"].as_i64().is_some_and(|status| status > 2) {
            let delivered = item["status"] == 21;
            let colour = if delivered { Colour::Green } else { Colour::Red };
            println!("{} {external_id}", paint(colour, item["statusDesc"].as_str().unwrap_or("?")));
            return Ok(delivered);
        }
        std::thread::sleep(ASK);
    }
    bail!("{external_id} has no outcome after {} seconds; GET /v2.1/sms shows it later", WAIT.as_secs())
}

fn call(command: &Send, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
    let url = format!("{}{path}", command.url.trim_end_matches('/'));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .into();
    let keys = [("Authorization", &command.authorization), ("Application-Key", &command.application_key)];
    let unreachable = || format!("no answer from {url}: is the server running there?");
    let mut response = match body {
        Some(body) if method == "POST" => {
            let request =
                keys.iter().fold(agent.post(&url), |request, (name, value)| request.header(*name, value.as_str()));
            request.send_json(body).with_context(unreachable)?
        }
        _ => {
            let request =
                keys.iter().fold(agent.get(&url), |request, (name, value)| request.header(*name, value.as_str()));
            request.call().with_context(unreachable)?
        }
    };
    response.body_mut().read_json().with_context(|| format!("{url} did not answer JSON: is it a Posthorn server?"))
}

fn print_errors(answer: &Value) {
    for error in answer["errors"].as_array().into_iter().flatten() {
        let of = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
        let value = error["meta"]["value"].as_str().map(|value| format!(" (passed: {value})")).unwrap_or_default();
        eprintln!("{} {} {}: {}{value}", paint(Colour::Red, "refused"), of("code"), of("title"), of("message"));
    }
}
