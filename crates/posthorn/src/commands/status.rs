//! `posthorn status`: a running server at a glance, from its metrics.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::cli::Status;
use crate::console::{Colour, paint};
use crate::options::Options;

pub fn run(command: &Status) -> Result<ExitCode> {
    let options = Options::load(&command.config.config)?;
    let address = &options.operations.listen;
    if address.is_empty() {
        bail!(
            "operations.listen is empty, so there is nobody to ask; set it to an address such as 127.0.0.1:9090 and restart the server"
        );
    }
    let metrics = Metrics::read(&format!("http://{address}/metrics"))?;
    if command.json {
        println!("{}", json!({ "metrics": metrics.0 }));
        return Ok(ExitCode::SUCCESS);
    }
    print(&metrics);
    Ok(ExitCode::SUCCESS)
}

/// Values by name and labels, as `name{label="value"}`.
struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    fn read(url: &str) -> Result<Self> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().proxy(None).timeout_global(Some(Duration::from_secs(5))).build().into();
        let text = agent
            .get(url)
            .call()
            .with_context(|| format!("no answer from {url}: is the server running with this configuration?"))?
            .body_mut()
            .read_to_string()?;
        let line = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.strip_prefix("posthorn_")?.to_owned(), value.parse().ok()?))
        };
        Ok(Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(line).collect()))
    }

    fn sum(&self, name: &str) -> f64 {
        self.with_labels(name).map(|(_, value)| value).sum()
    }

    fn with_labels<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.iter().filter_map(move |(key, value)| {
            let rest = key.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with('{')).then(|| (rest.trim_matches(['{', '}']), *value))
        })
    }
}

fn print(metrics: &Metrics) {
    let accepts = metrics.sum("store_accepts") > 0.0;
    let state = if accepts {
        paint(Colour::Green, "accepts messages")
    } else {
        paint(Colour::Red, "refuses messages: the disk is full")
    };
    println!("{} {state}", paint(Colour::Bold, "server "));
    println!(
        "{} {:.1} GiB free",
        paint(Colour::Bold, "disk   "),
        metrics.sum("store_disk_free_bytes") / 1024_f64.powi(3)
    );
    println!("\n{}", paint(Colour::Bold, "binds"));
    for (labels, up) in metrics.with_labels("send_bind_up") {
        let mark = if up > 0.0 { paint(Colour::Green, "bound  ") } else { paint(Colour::Red, "down   ") };
        let window = metrics.0.get(&format!("send_window_used{{{labels}}}")).copied().unwrap_or(0.0);
        println!("  {mark} {labels}  window {window}");
    }
    println!("\n{}", paint(Colour::Bold, "waiting"));
    for (labels, depth) in metrics.with_labels("enqueue_messages") {
        let oldest = metrics.0.get(&format!("enqueue_oldest_seconds{{{labels}}}")).copied().unwrap_or(0.0);
        let more = metrics.0.get(&format!("enqueue_spilled{{{labels}}}")).is_some_and(|&spilled| spilled > 0.0);
        let more = if more { " and more in the store" } else { "" };
        println!("  {depth:>8} {labels}{more}, next is {oldest:.0} s old");
    }
    print_ids(metrics);
    println!("\n{}", paint(Colour::Bold, "so far"));
    for (name, words) in [
        ("settle_taken_total", "parts taken by operators"),
        ("settle_refused_total", "parts refused"),
        ("settle_receipts_matched_total", "receipts matched"),
        ("store_parked_receipts", "receipts waiting for their message"),
        ("store_orphan_expired_total", "receipts given up: no message in 72 hours"),
        ("settle_receipts_ambiguous_total", "receipts whose id fits two messages"),
        ("store_operator_ids_reused_total", "operator ids used again: ask the operator"),
        ("tell_told_total", "webhook events delivered"),
        ("tell_queued", "webhook events waiting"),
        ("tell_dead_total", "webhook events given up"),
    ] {
        println!("  {:>10} {words}", metrics.sum(name));
    }
}

/// Where the first receipts speak for a format of ids, and how many of them.
fn print_ids(metrics: &Metrics) {
    let receipts: Vec<_> = metrics.with_labels("settle_id_receipts").filter(|(_, count)| *count > 0.0).collect();
    if receipts.is_empty() {
        return;
    }
    println!("\n{}", paint(Colour::Bold, "ids in the first receipts"));
    for (carrier, count) in receipts {
        let hits = metrics.with_labels("settle_id_hits").filter(|(labels, _)| labels.starts_with(carrier));
        let share = |(labels, hits): (&str, f64)| {
            let way = labels.rsplit_once("way=").map_or("", |(_, way)| way.trim_matches('"'));
            format!("{way} {:.0} %", 100.0 * hits / count)
        };
        println!("  {carrier} of {count}: {}", hits.map(share).collect::<Vec<_>>().join(", "));
    }
    for (labels, _) in metrics.with_labels("settle_id_format_proposed") {
        println!("  fits: {labels}; set message_id_format in the setup file if it differs");
    }
}
