//! Clicks on short links.

use anyhow::Result;

use super::example::Report;
use super::figure::{Budget, Figure};
use super::options::Options;
use super::rig::Tools;

/// Clicks in one second, at fixed times.
const CLICKS: &str = "500";
/// Messages accepted in one second beside them.
const SENDS: &str = "2000";

/// How long a redirect takes, from the moment its click was planned, while messages come in.
pub fn clicks(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let seconds = options.seconds().to_string();
    let report = Report::of(&tools.link_latency, &[CLICKS, &seconds, SENDS, "--json"], &tools.folder)?;
    let note = format!(
        "{CLICKS} clicks/s beside {SENDS} messages/s; a bare answer takes p50 {:.2}, p99 {:.2} ms; {} recorded behind \
         their redirect, {} lost",
        report.number("bare_p50_ms")?,
        report.number("bare_p99_ms")?,
        report.number("late")?,
        report.number("lost")?
    );
    Ok(vec![
        Figure::new("redirect of a short link, p50", report.number("p50_ms")?, "ms", Budget::None).noting(&note),
        Figure::new("redirect of a short link, p99", report.number("p99_ms")?, "ms", Budget::AtMost(5.0)).noting(&note),
    ])
}
