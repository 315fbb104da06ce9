//! Cost must not grow with what was sent before.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::figure::{Budget, Figure};
use super::flow::passage;
use super::options::Options;
use super::rig::{APPLICATION_KEY, AUTHORIZATION, OPEN, Rig, Tools};
use super::web;

/// Searches for the p99.
const SEARCHES: u64 = 500;
/// History comes in so many messages at a time, each waited for: what comes in faster than the operator takes
/// it would be a backlog, which is another measurement.
const SLICE: u64 = 500_000;

/// CPU per message, and search by number, with more and more history.
pub fn cost(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let rig = Rig::start(tools, "history", OPEN)?;
    let seconds = options.seconds().to_string();
    let mut figures = Vec::new();
    let mut stored = 0_u64;
    for history in [0, options.heap(1_000_000), options.heap(10_000_000)] {
        while stored < history {
            let slice = SLICE.min(history - stored);
            let (first, requests) = ((48_500_000_000 + stored).to_string(), (slice / 100).to_string());
            let words = ["--connections", "4", "--recipients", "100", "--phone-numbers", "100000000"];
            passage(&rig, &[&words[..], &["--first-phone-number", &first, "--count", &requests]].concat())?;
            stored += slice;
        }
        let seen = passage(&rig, &["--connections", "128", "--duration-seconds", &seconds])?;
        figures.push(
            Figure::new(
                format!("CPU per message, {history} of history"),
                seen.cpu_us,
                "µs/message",
                Budget::AtMost(60.0),
            )
            .noting(format!("{:.0} messages/s", seen.rate)),
        );
    }
    let p99_ms = search(&rig, stored)?;
    rig.finish()?;
    figures.push(
        Figure::new("search by number, p99", p99_ms, "ms", Budget::AtMost(100.0))
            .noting(format!("{stored} messages of history; the budget is for 50 million")),
    );
    Ok(figures)
}

fn search(rig: &Rig<'_>, stored: u64) -> Result<f64> {
    let headers = [("authorization", AUTHORIZATION), ("application-key", APPLICATION_KEY)];
    let mut took_ms = Vec::new();
    for number in 0..SEARCHES {
        let phone = 48_500_000_000 + number * stored / SEARCHES;
        let started = Instant::now();
        let (status, _) = web::get(rig.base(), &format!("/v2.1/sms?phoneNumber={phone}&limit=10"), &headers)?;
        took_ms.push(started.elapsed().as_secs_f64() * 1_000.0);
        ensure!(status == 200, "a search for {phone} was answered {status}");
    }
    took_ms.sort_by(f64::total_cmp);
    Ok(took_ms[took_ms.len() * 99 / 100])
}
