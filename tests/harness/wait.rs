//! Waiting for conditions, never for time to pass.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until the condition holds and answers how long that took; fails with `what` at the deadline.
///
/// # Errors
/// The condition did not hold within the time.
pub async fn until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) -> Result<Duration> {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() > within {
            bail!("waited {} s in vain: {what}", within.as_secs_f64());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(started.elapsed())
}

/// The same for a condition that has to ask somebody.
///
/// # Errors
/// The condition did not hold within the time.
pub async fn until_asked(what: &str, within: Duration, mut holds: impl AsyncFnMut() -> bool) -> Result<Duration> {
    let started = Instant::now();
    while !holds().await {
        if started.elapsed() > within {
            bail!("waited {} s in vain: {what}", within.as_secs_f64());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(started.elapsed())
}
