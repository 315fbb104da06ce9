//! What a run has done so far, and a bar that shows it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::Running;

/// How often the bar moves.
const REDRAW: Duration = Duration::from_millis(200);
/// Units of a bar that follows the time.
const MILLISECONDS: f64 = 1000.0;

/// A glance at a run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Requests written.
    pub sent: u64,
    /// Requests answered, whatever the status.
    pub answered: u64,
    /// Requests answered 200.
    pub accepted: u64,
    /// Requests that got no answer.
    pub no_answer: u64,
    /// Requests planned, where that is known beforehand.
    pub planned: Option<u64>,
    /// How long the run is to send, in seconds, where that is known beforehand.
    pub seconds: Option<f64>,
}

/// Shows a bar on stderr until the run is over; shows nothing when stderr is no terminal.
pub async fn watch(running: &Running) {
    let progress = running.progress();
    let length = progress.planned.or_else(|| progress.seconds.map(|seconds| (seconds * MILLISECONDS) as u64));
    // Hidden by itself where stderr is no terminal.
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} [{bar:40}] {percent:>3}% {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    while !running.is_finished() {
        let progress = running.progress();
        let elapsed_ms = u64::try_from(bar.elapsed().as_millis()).unwrap_or(u64::MAX);
        bar.set_position(if progress.planned.is_some() { progress.sent } else { elapsed_ms });
        let refused = progress.answered - progress.accepted.min(progress.answered);
        let rate = progress.answered as f64 / bar.elapsed().as_secs_f64().max(0.001);
        bar.set_message(format!("{rate:.0}/s, {refused} not 200, {} no answer", progress.no_answer));
        tokio::time::sleep(REDRAW).await;
    }
    bar.finish_and_clear();
}
