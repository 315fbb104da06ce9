//! `posthorn status`: what needs attention first, then how a running server is doing.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;
use web::operations::local::ask;

use super::queue::print_queue;
use crate::cli::Status;
use crate::console::{Colour, paint};
use crate::operate::Order;
use crate::options::Options;

/// Exit code when something needs attention today.
const ATTENTION: u8 = 3;
/// Exit code when something needs attention now.
const URGENT: u8 = 4;

pub fn run(command: &Status) -> Result<ExitCode> {
    let data_dir = Options::load(&command.config.config)?.store.data_dir;
    let status = ask(&data_dir, &Order::Status, |_| true)?;
    if command.json {
        println!("{status}");
    } else {
        print(&status);
    }
    Ok(ExitCode::from(code(&status)))
}

/// 0 when all is well.
fn code(status: &Value) -> u8 {
    let is = |level: &str| alarms(status).iter().any(|alarm| alarm["level"] == level);
    if is("urgent") {
        URGENT
    } else if is("attention") {
        ATTENTION
    } else {
        0
    }
}

fn alarms(status: &Value) -> &[Value] {
    status["alarms"].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn print(status: &Value) {
    let alarms = alarms(status);
    if alarms.is_empty() {
        println!("{}", paint(Colour::Green, "Nothing needs attention."));
    }
    for alarm in alarms {
        let text = |field: &str| alarm[field].as_str().unwrap_or_default();
        let (colour, mark) =
            if text("level") == "urgent" { (Colour::Red, "URGENT   ") } else { (Colour::Yellow, "attention") };
        let subject = if text("subject").is_empty() { "server" } else { text("subject") };
        println!("{} {}: {}", paint(colour, mark), paint(Colour::Bold, subject), text("what"));
        println!("          {}", paint(Colour::Dim, text("advice")));
    }
    println!();
    print_queue(&status["queue"]);
    print_ids(status);
    let (server, webhooks, settled) = (&status["server"], &status["webhooks"], &status["settled"]);
    let number = |of: &Value, field: &str| of[field].as_u64().unwrap_or_default();
    println!(
        "\n{} version {} of the control data, {} MiB free on the data disk",
        paint(Colour::Bold, "server  "),
        number(server, "version"),
        number(server, "diskFreeOctets") / (1024 * 1024)
    );
    println!(
        "{} {} parts taken, {} refused; {} receipts matched, {} wait for their message, {} given up, {} fit two messages",
        paint(Colour::Bold, "so far  "),
        number(settled, "taken"),
        number(settled, "refused"),
        number(settled, "receiptsMatched"),
        number(settled, "receiptsParked"),
        number(settled, "receiptsGivenUp"),
        number(settled, "receiptsAmbiguous"),
    );
    println!(
        "{} {} events told, {} wait, {} given up, {} calls in progress",
        paint(Colour::Bold, "webhooks"),
        number(webhooks, "told"),
        number(webhooks, "waiting"),
        number(webhooks, "dead"),
        number(webhooks, "inFlight"),
    );
}

/// How carriers write their ids, where the first receipts have told.
fn print_ids(status: &Value) {
    for ids in status["ids"].as_array().into_iter().flatten() {
        let Some(receipts) = ids["receipts"].as_u64().filter(|receipts| *receipts > 0) else { continue };
        let text = |field: &str| ids[field].as_str().unwrap_or_default();
        let hits = ids["hits"].as_object().into_iter().flatten();
        let shares = hits.filter_map(|(way, hits)| Some(format!("{way} {} %", hits.as_u64()? * 100 / receipts)));
        let shares: Vec<String> = shares.collect();
        let fits = ids["fits"].as_str().filter(|fits| *fits != text("set"));
        let fits = fits.map(|fits| paint(Colour::Yellow, &format!("; message_id_format = \"{fits}\" fits")));
        let fits = fits.unwrap_or_default();
        println!("{:<24} ids of {receipts} receipts: {}{fits}", text("carrier"), shares.join(", "));
    }
}
