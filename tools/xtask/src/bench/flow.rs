//! End to end: accepted, submitted, answered, receipt, webhook.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::ceiling::Ceilings;
use super::figure::{Budget, Figure};
use super::metrics::TOLD_WITHIN;
use super::options::Options;
use super::rig::{OPEN, Rig, Setup, Tools};

/// Time an operator takes to answer, and the window that has to cover it: 20,000 parts a second at most
/// over two binds, less what a commit adds to each slot.
const FAR_AWAY: Setup = Setup { answer_ms: 20, window: 100, ..OPEN };
/// As a company with many operators has.
const MANY_ROUTES: Setup = Setup { routes: 1_000, ..OPEN };
/// The last webhook after the last accept.
const DRAINED_WITHIN: Duration = Duration::from_secs(300);

/// What one load through everything showed.
pub struct Passage {
    /// Messages per second from the first request to the last webhook.
    pub rate: f64,
    /// CPU of the server per message, in microseconds.
    pub cpu_us: f64,
}

/// Sends for some seconds and waits for the last webhook.
pub fn passage(rig: &Rig<'_>, words: &[&str]) -> Result<Passage> {
    let (before, cpu_before) = (rig.metrics()?, rig.server.cpu_seconds()?);
    let started = Instant::now();
    let load = rig.load(words)?;
    rig.told(&before, load.messages(), DRAINED_WITHIN)?;
    // The process of the load tool starts and ends in this time as well; its own clock has the load alone.
    let tail = started.elapsed().as_secs_f64() - load.seconds();
    let cpu = rig.server.cpu_seconds()? - cpu_before;
    Ok(Passage { rate: load.messages() / (load.seconds() + tail), cpu_us: cpu * 1e6 / load.messages() })
}

/// One recipient per request.
pub fn single(tools: &Tools, options: &Options, ceilings: Ceilings) -> Result<Vec<Figure>> {
    let rig = Rig::start(tools, "single", OPEN)?;
    let seconds = options.seconds().to_string();
    let seen = passage(&rig, &["--connections", "128", "--duration-seconds", &seconds])?;
    rig.finish()?;
    Ok(vec![
        Figure::new("end to end, 1 recipient per request", seen.rate, "messages/s", Budget::AtLeast(15_000.0))
            .beside(ceilings.requests),
        Figure::new("CPU of the server, 1 recipient per request", seen.cpu_us, "µs/message", Budget::AtMost(60.0)),
    ])
}

/// A hundred recipients per request.
pub fn hundred(tools: &Tools, options: &Options, ceilings: Ceilings) -> Result<Vec<Figure>> {
    let rig = Rig::start(tools, "hundred", OPEN)?;
    let seconds = options.seconds().to_string();
    let seen = passage(&rig, &["--connections", "16", "--recipients", "100", "--duration-seconds", &seconds])?;
    rig.finish()?;
    Ok(vec![
        Figure::new("end to end, 100 recipients per request", seen.rate, "messages/s", Budget::AtLeast(30_000.0))
            .beside(ceilings.submits),
        Figure::new("CPU of the server, 100 recipients per request", seen.cpu_us, "µs/message", Budget::AtMost(30.0)),
    ])
}

/// A carrier that answers after 20 ms with a window of 100: what the windows allow is the ceiling.
pub fn far_away(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let rig = Rig::start(tools, "far", FAR_AWAY)?;
    let seconds = options.seconds().to_string();
    let seen = passage(&rig, &["--connections", "64", "--rate", "8000", "--duration-seconds", &seconds])?;
    rig.finish()?;
    let binds = 2.0;
    let windows_allow = binds * f64::from(FAR_AWAY.window) * 1_000.0 / f64::from(FAR_AWAY.answer_ms);
    Ok(vec![
        Figure::new("end to end, operator answers after 20 ms, window 100", seen.rate, "messages/s", Budget::None)
            .beside(Some(windows_allow))
            .noting(format!("asked 8000/s; {:.1} µs of CPU a message", seen.cpu_us)),
    ])
}

/// A thousand routes.
pub fn many_routes(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let rig = Rig::start(tools, "routes", MANY_ROUTES)?;
    let seconds = options.seconds().to_string();
    let seen = passage(&rig, &["--connections", "128", "--duration-seconds", &seconds])?;
    rig.finish()?;
    Ok(vec![
        Figure::new("CPU of the server, 1 recipient, 1,000 routes", seen.cpu_us, "µs/message", Budget::AtMost(60.0))
            .noting(format!("{:.0} messages/s", seen.rate)),
    ])
}

/// Half of the budgeted load, at fixed times: how long answers take, and how soon reports are told.
pub fn half_load(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let rig = Rig::start(tools, "half", OPEN)?;
    let seconds = options.seconds().to_string();
    let before = rig.metrics()?;
    let load = rig.load(&["--connections", "256", "--rate", "7500", "--duration-seconds", &seconds])?;
    rig.told(&before, load.messages(), DRAINED_WITHIN)?;
    let begun_ms = rig.metrics()?.quantile_ms(&before, &TOLD_WITHIN, 0.99)?;
    rig.finish()?;
    let note = format!("asked 7500/s, got {:.0}/s", load.requests_rate());
    Ok(vec![
        Figure::new("accept answer at half load, p50", load.latency_ms("latency", "p50_us"), "ms", Budget::AtMost(3.0))
            .noting(&note),
        Figure::new(
            "accept answer at half load, p99",
            load.latency_ms("latency", "p99_us"),
            "ms",
            Budget::AtMost(15.0),
        )
        .noting(&note),
        Figure::new("receipt to begin of the webhook at half load, p99", begun_ms, "ms", Budget::AtMost(50.0))
            .noting("upper bound of the server's own histogram"),
    ])
}
