//! What people write, answered by a keyword bot.

use anyhow::Result;

use super::example::Report;
use super::figure::{Budget, Figure};
use super::options::Options;
use super::rig::Tools;

/// Incoming messages offered, in one second.
const RATE: u64 = 5_000;

/// As many messages a second as the platform is to hold, each kept, answered, and its answer submitted.
pub fn keyword_bot(tools: &Tools, options: &Options) -> Result<Vec<Figure>> {
    let (rate, seconds) = (RATE.to_string(), options.seconds().to_string());
    let report = Report::of(&tools.keyword_bot, &[&rate, &seconds, "--json"], &tools.folder)?;
    let note = "operator, store and flow in one process";
    // From the first message to the last answer, and the last one is never at once: a hundredth is that tail.
    let held = Budget::AtLeast(RATE as f64 * 0.99);
    Ok(vec![
        Figure::new("keyword bot: answers submitted", report.number("answered_per_second")?, "messages/s", held)
            .noting(format!("asked {RATE}/s, got {:.0}/s", report.number("offered_per_second")?)),
        Figure::new("keyword bot: CPU, operator included", report.number("cpu_us")?, "µs/message", Budget::None)
            .noting(note),
        Figure::new(
            "keyword bot: incoming to its answer's submit_sm, p50",
            report.number("p50_ms")?,
            "ms",
            Budget::None,
        )
        .noting(note),
        Figure::new(
            "keyword bot: incoming to its answer's submit_sm, p99",
            report.number("p99_ms")?,
            "ms",
            Budget::None,
        )
        .noting(note),
    ])
}
