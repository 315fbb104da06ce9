//! How the store is set up.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use domain::limits;

use crate::webhooks::{ATTEMPTS_DAYS, ATTEMPTS_OCTETS_MAX};

/// How the store is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Messages in a span before the next one begins.
    pub span_messages_max: u64,
    /// Age of a span before the next one begins.
    pub span_age_ms: i64,
    /// Days that messages are kept; whole span files are deleted after it.
    pub retention_days: u32,
    /// Room kept free on the data disk: below it accepts are refused.
    pub disk_reserve_octets: u64,
    /// Room for attempts to call webhooks.
    pub webhook_attempts_octets_max: u64,
    /// Days that attempts to call webhooks are kept.
    pub webhook_attempts_days: u32,
    /// How long a repeated externalId or Idempotency-Key is recognised.
    pub idempotency_life_ms: i64,
    /// How long after its validity a message may still get its receipt.
    pub receipt_grace_ms: i64,
    /// The key that secrets in the control data are sealed with; made when absent.
    pub master_key_file: PathBuf,
    /// Points at which tests watch or break the store.
    #[doc(hidden)]
    pub hooks: Hooks,
}

/// Thirteen months.
const RETENTION_DAYS: u32 = 396;

impl Options {
    /// The defaults, for a data directory.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            span_messages_max: limits::SPAN_MESSAGES_MAX,
            span_age_ms: limits::SPAN_AGE_MS,
            retention_days: RETENTION_DAYS,
            disk_reserve_octets: limits::DISK_RESERVE_OCTETS,
            webhook_attempts_octets_max: ATTEMPTS_OCTETS_MAX,
            webhook_attempts_days: ATTEMPTS_DAYS,
            idempotency_life_ms: limits::IDEMPOTENCY_LIFE_MS,
            receipt_grace_ms: limits::RECEIPT_GRACE_MS,
            master_key_file: data_dir.join("master.key"),
            data_dir,
            hooks: Hooks::default(),
        }
    }
}

/// What tests hang into the store.
#[doc(hidden)]
#[derive(Clone)]
pub struct Hooks {
    /// Called instead of leaving the process when a sync failed.
    pub exit: Arc<dyn Fn(i32) + Send + Sync>,
    /// Called with the name of each step of sealing, rotation, checkpoint and retention before it is done.
    pub step: Arc<dyn Fn(&str) + Send + Sync>,
    /// Called on the writer's thread before each commit of messages: a test that waits here has a slow disk.
    pub commit: Arc<dyn Fn() + Send + Sync>,
    /// How long a span rests before it is sealed, in milliseconds.
    pub seal_quiet_ms: i64,
    /// Spans at rest whose messages still wait that are left unsealed.
    pub unsealed_waiting_max: usize,
    /// How long a request may take to become durable, in milliseconds.
    pub accept_durable_ms: u64,
}

/// Messages that wait will be handed over and reported on, which costs several times as much in a sealed
/// span: so the next million is kept ready, at about 50 octets a message.
const UNSEALED_WAITING_MAX: usize = 2;
/// A span that got no fact for so long is at rest: building its indexes delays nobody.
const SEAL_QUIET_MS: i64 = 5_000;

impl Default for Hooks {
    fn default() -> Self {
        Self {
            exit: Arc::new(|code| std::process::exit(code)),
            step: Arc::new(|_| ()),
            commit: Arc::new(|| ()),
            seal_quiet_ms: SEAL_QUIET_MS,
            unsealed_waiting_max: UNSEALED_WAITING_MAX,
            accept_durable_ms: limits::ACCEPT_DURABLE_MS,
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hooks").field("seal_quiet_ms", &self.seal_quiet_ms).finish_non_exhaustive()
    }
}
