//! The Priority lane while everything else is saturated.

use std::time::Duration;

use anyhow::{Context, Result};

use super::figure::{Budget, Figure};
use super::load::Load;
use super::metrics::QUEUE_PRIORITY;
use super::options::Options;
use super::rig::{OPEN, Rig, Setup, Tools};

/// Durable to written, with bulk coming in as fast as it is taken.
pub fn under_bulk(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let rig = Rig::start(tools, "bulk", OPEN)?;
    let seconds = options.seconds().to_string();
    let before = rig.metrics()?;
    rig.load(&["--connections", "128", "--priority-share", "0.02", "--duration-seconds", &seconds])?;
    let waited_ms = rig.metrics()?.quantile_ms(&before, &QUEUE_PRIORITY, 0.99)?;
    rig.finish()?;
    Ok(vec![
        Figure::new("priority under bulk: durable to submit_sm written, p99", waited_ms, "ms", Budget::AtMost(10.0))
            .noting("upper bound of the server's own histogram"),
    ])
}

/// Request to written, with a million bulk messages waiting for a route of 100 parts a second.
pub fn behind_heap(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let heap = options.heap(1_000_000);
    let rig = Rig::start(tools, "heap", Setup { rate_per_second: 100, ..OPEN })?;
    let requests = (heap / 100).to_string();
    rig.load(&["--connections", "16", "--recipients", "100", "--count", &requests])?;
    // The flood's own commits and checkpoints are another measurement.
    std::thread::sleep(Duration::from_secs(2));
    let before = rig.metrics()?;
    let seconds = options.seconds().max(20).to_string();
    let load =
        rig.load(&["--connections", "8", "--rate", "5", "--priority-share", "1", "--duration-seconds", &seconds])?;
    let after = rig.metrics()?;
    let waited = |quantile| after.quantile_ms(&before, &QUEUE_PRIORITY, quantile).context("priority behind a heap");
    let (p50, p99) = (waited(0.5)?, waited(0.99)?);
    rig.finish()?;
    let note = format!("{heap} waiting; answer time plus upper bound of the wait, quantile by quantile");
    let answered = |quantile: &str| load.latency_ms("latency_priority", quantile);
    Ok(vec![
        Figure::new(
            "priority behind a heap: request to submit_sm, p50",
            answered("p50_us") + p50,
            "ms",
            Budget::AtMost(15.0),
        )
        .noting(&note),
        Figure::new(
            "priority behind a heap: request to submit_sm, p99",
            answered("p99_us") + p99,
            "ms",
            Budget::AtMost(50.0),
        )
        .noting(&note),
    ])
}

/// Accept answers of codes, and of bulk of other requests, while a request with 10,000 recipients comes in ten times a
/// second: several times what the machine can do.
pub fn beside_giants(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let rig = Rig::start(tools, "giants", OPEN)?;
    let seconds = options.seconds().to_string();
    let lasting = ["--duration-seconds", &seconds];
    let load = |words: &[&str]| rig.load(&[words, &lasting].concat());
    let (giants, codes, others) = std::thread::scope(|scope| {
        let giants = scope.spawn(|| {
            load(&["--connections", "16", "--recipients", "10000", "--rate", "10", "--answer-timeout-ms", "60000"])
        });
        let codes = scope.spawn(|| load(&["--connections", "8", "--rate", "50", "--priority-share", "1"]));
        let others = scope.spawn(|| load(&["--connections", "8", "--rate", "50"]));
        (giants.join(), codes.join(), others.join())
    });
    let report =
        |load: std::thread::Result<Result<Load>>| load.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let (giants, codes, others) = (report(giants)?, report(codes)?, report(others)?);
    rig.finish()?;
    let note = format!(
        "10 requests a second asked, {:.0} messages a second taken of them; p50 {:.1} ms",
        giants.messages() / giants.seconds(),
        codes.latency_ms("latency_priority", "p50_us")
    );
    Ok(vec![
        Figure::new(
            "priority beside requests of 10,000: accept answer, p99",
            codes.latency_ms("latency_priority", "p99_us"),
            "ms",
            Budget::AtMost(50.0),
        )
        .noting(note),
        Figure::new(
            "bulk of one beside requests of 10,000: accept answer, p99",
            others.latency_ms("latency", "p99_us"),
            "ms",
            Budget::None,
        )
        .noting(format!("p50 {:.1} ms", others.latency_ms("latency", "p50_us"))),
    ])
}
