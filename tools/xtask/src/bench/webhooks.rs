//! Webhooks alone: receipts come in at a fixed rate while nothing is sent, to one endpoint and to very many.
//!
//! The operator keeps every receipt back until all messages were sent. So the time in which the receipts come
//! holds nothing but receipts and webhooks, and its CPU is theirs.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::figure::{Budget, Figure};
use super::metrics::{Metrics, TOLD_WITHIN};
use super::options::Options;
use super::rig::{OPEN, Rig, Setup, Tools};

/// Receipts per second, to all endpoints together.
const RATE: u32 = 20_000;
/// Recipients of a request, so that sending does not become the measurement.
const RECIPIENTS: u32 = 10;
/// Between the end of sending and the first receipt.
const QUIET_SECONDS: u64 = 3;
/// At the beginning and the end of the receipts, where the rate is not yet or no longer the full one.
const EDGE: Duration = Duration::from_secs(2);
/// Receipts come up to so much later than planned: the ten recipients of a request come apart, in any order. The
/// wider they are mixed, the more pages of the store each commit touches: that is not what is measured here.
const JITTER_MS: u32 = 100;
/// The last events after the last receipt.
const DRAINED_WITHIN: Duration = Duration::from_secs(120);
/// Of the rate asked for, so much has to be told: the operator's clock and ours do not tick together.
const TOLERANCE: f64 = 0.98;
/// Accounts of the second measurement, each with one endpoint.
const ENDPOINTS: u32 = 2_000;

/// One endpoint that takes everything, then very many.
pub fn told(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let mut figures = to(tools, options, "webhooks-one", 1, "1 endpoint")?;
    figures.extend(to(tools, options, "webhooks-many", ENDPOINTS, "2,000 endpoints")?);
    Ok(figures)
}

/// What the server and the tools showed at one moment.
struct Reading {
    at: Instant,
    metrics: Metrics,
    server_s: f64,
    operator_s: f64,
    receiver_s: f64,
}

impl Reading {
    fn now(rig: &Rig<'_>) -> Result<Self> {
        let metrics = rig.metrics()?;
        let (operator_s, receiver_s) = rig.tools_cpu_seconds()?;
        Ok(Self { at: Instant::now(), metrics, server_s: rig.server.cpu_seconds()?, operator_s, receiver_s })
    }
}

fn to(tools: &Tools, options: &Options, name: &str, accounts: u32, endpoints: &str) -> Result<Vec<Figure>> {
    let sending = Duration::from_secs(if options.quick { 8 } else { 14 });
    let receipt = sending + Duration::from_secs(QUIET_SECONDS);
    let receipt_ms = u32::try_from(receipt.as_millis())?;
    let rig = Rig::start(tools, name, Setup { receipt_ms, receipt_jitter_ms: JITTER_MS, accounts, ..OPEN })?;
    let start = Reading::now(&rig)?;
    let messages = send(&rig, sending, accounts)?;
    pause_until(start.at + receipt + EDGE)?;
    let before = Reading::now(&rig)?;
    std::thread::sleep(sending.saturating_sub(EDGE * 2));
    let after = Reading::now(&rig)?;
    rig.told(&start.metrics, messages, DRAINED_WITHIN)?;
    let memory_mib = rig.server.memory_mib("VmHWM")?;
    rig.finish()?;
    figures(&before, &after, endpoints, memory_mib)
}

fn send(rig: &Rig<'_>, sending: Duration, accounts: u32) -> Result<f64> {
    let rate = (RATE / RECIPIENTS).to_string();
    let load = rig.load(&[
        "--connections",
        "64",
        "--recipients",
        &RECIPIENTS.to_string(),
        "--accounts",
        &accounts.to_string(),
        "--rate",
        &rate,
        "--duration-seconds",
        &sending.as_secs().to_string(),
    ])?;
    // What was sent late is told late, and another rate would be measured.
    if load.requests_rate() < f64::from(RATE / RECIPIENTS) * TOLERANCE {
        bail!("only {:.0} of {rate} requests a second were sent: the machine is too busy", load.requests_rate());
    }
    Ok(load.messages())
}

fn pause_until(moment: Instant) -> Result<()> {
    let Some(left) = moment.checked_duration_since(Instant::now()) else {
        bail!("sending took so long that the receipts have begun");
    };
    std::thread::sleep(left);
    Ok(())
}

fn figures(before: &Reading, after: &Reading, endpoints: &str, memory_mib: f64) -> Result<Vec<Figure>> {
    let told = after.metrics.sum("posthorn_tell_told_total") - before.metrics.sum("posthorn_tell_told_total");
    let calls = after.metrics.sum("posthorn_tell_calls_total") - before.metrics.sum("posthorn_tell_calls_total");
    let rate = told / (after.at - before.at).as_secs_f64();
    let begun_ms = |quantile| after.metrics.quantile_ms(&before.metrics, &TOLD_WITHIN, quantile);
    let per_event = |seconds: f64| seconds * 1e6 / told;
    let tools = format!(
        "operator {:.1}, receiver {:.1} µs beside it",
        per_event(after.operator_s - before.operator_s),
        per_event(after.receiver_s - before.receiver_s)
    );
    Ok(vec![
        Figure::new(
            format!("receipts told, {endpoints}"),
            rate,
            "events/s",
            Budget::AtLeast(f64::from(RATE) * TOLERANCE),
        )
        .noting(format!("asked {RATE}/s; {:.1} events a call; peak memory {memory_mib:.0} MiB", told / calls)),
        Figure::new(
            format!("CPU of the server per receipt told, {endpoints}"),
            per_event(after.server_s - before.server_s),
            "µs/event",
            Budget::None,
        )
        .noting(tools),
        Figure::new(
            format!("receipt to begin of the webhook, {endpoints}, p99"),
            begun_ms(0.99)?,
            "ms",
            Budget::AtMost(50.0),
        )
        .noting(format!("p50 {:.0} ms; upper bounds of the server's own histogram", begun_ms(0.5)?)),
    ])
}
