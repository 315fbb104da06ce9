//! Bounds of following links, with the reason for each figure.

use std::time::Duration;

/// How long a redirect waits for its click to be durable: a group commit usually takes one to two
/// milliseconds, and a redirect is to take no more than five, of which the timer's own step takes one. A disk that
/// needs longer must not keep people waiting; the click is then in the writer's queue and recorded behind the redirect.
pub(super) const DURABLE_WAIT: Duration = Duration::from_millis(2);
/// Clicks that are recorded behind their redirects at a time; beyond it they are counted and dropped.
pub(super) const LATE_CLICKS_MAX: usize = 4_096;
/// Targets held in memory, so that a link that is opened again needs no look into a file: 20 MiB if all
/// their URLs were as long as they may be.
pub(super) const TARGETS_MAX: usize = 8_192;
/// How long a target is believed: a message that was deleted meanwhile is followed no longer.
pub(super) const TARGET_LIFE: Duration = Duration::from_secs(60);
/// Clicks of one link that are recorded while its target is believed: people do not click that often, and
/// whoever else does shall not fill the disk. Further ones are redirected and only counted.
pub(super) const CLICKS_PER_TARGET_MAX: u32 = 60;
