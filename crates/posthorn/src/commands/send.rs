//! `posthorn send`: one message through the API, as any client would send it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;

use super::api_client::print_errors;
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
    let answer = command.api.call("/v2.1/sms", Some(&body))?;
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
        let answer = command.api.call(&format!("/v2.1/sms/statuses?externalId={external_id}"), None)?;
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
