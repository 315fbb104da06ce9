//! The way to what is known of ported numbers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;
use domain::clock::Clock;
use domain::lane::Lane;
use domain::phone::Phone;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::bounds::{PRIORITY_WAIT, STANDARD_WAIT};
use super::cache::Cache;
use super::calls::Calls;
use super::known::{Known, LookUpError, NetworkSource};
use super::options::{Error, Options};
use super::source::Source;
use super::table::{Mark, Table};

/// What is known of ported numbers. Cheap to clone; without a source it knows nothing and costs nothing.
#[derive(Clone, Default)]
pub struct Portability(Option<Arc<Sources>>);

#[derive(Default)]
struct Sources {
    file: Option<Followed>,
    calls: Option<Arc<Calls>>,
}

/// A file and what it said when it was read last.
pub(super) struct Followed {
    pub path: PathBuf,
    /// What it was like before it was read at the start.
    pub mark: Mark,
    pub table: ArcSwap<Table>,
}

/// Counts for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Numbers in the file.
    pub file_numbers: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Answers in memory.
    pub remembered: u64,
    /// Whether the service is left alone because it fails.
    pub is_left_alone: bool,
}

impl Portability {
    /// The sources that the options name. Reads the file, if there is one: blocking.
    ///
    /// # Errors
    /// [`Error`] with the key and what is wrong with what it names.
    pub fn open(options: &Options, clock: Clock) -> Result<Self, Error> {
        options.check()?;
        let mut sources = Sources::default();
        if !options.file.as_os_str().is_empty() {
            let path = options.file.clone();
            let mark = Mark::of(&path);
            let table = Table::read(&path).map_err(|what| Error::File { file: path.clone(), what })?;
            sources.file = Some(Followed { path, mark, table: ArcSwap::from_pointee(table) });
        }
        if !options.url.is_empty() {
            let life_ms = |minutes: u32| i64::from(minutes) * 60_000;
            let cache = Cache::new(options.cache_max, life_ms(options.cache_minutes), life_ms(options.unknown_minutes));
            sources.calls = Some(Arc::new(Calls::new(Source::new(options)?, cache, clock)));
        }
        let has_source = sources.file.is_some() || sources.calls.is_some();
        Ok(Self(has_source.then(|| Arc::new(sources))))
    }

    /// Whether numbers have to be asked for before anything is known of them.
    #[must_use]
    pub fn can_be_asked(&self) -> bool {
        self.calls().is_some()
    }

    /// Counts for metrics; nothing without a source.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        let sources = self.0.as_deref()?;
        let file_numbers = sources.file.as_ref().map_or(0, |file| file.table.load().len() as u64);
        let mut figures = Figures { file_numbers, ..Figures::default() };
        if let Some(calls) = &sources.calls {
            figures.answered = calls.answered.load(Ordering::Relaxed);
            figures.failed = calls.failed.load(Ordering::Relaxed);
            figures.remembered = calls.cache.len() as u64;
            figures.is_left_alone = calls.breaker.is_open();
        }
        Some(figures)
    }

    /// What is known of a number without asking anybody.
    pub(super) fn remembered(&self, phone: Phone) -> Option<(Known, NetworkSource)> {
        let sources = self.0.as_deref()?;
        if let Some(known) = sources.in_file(phone) {
            return Some((known, NetworkSource::File));
        }
        let known = sources.calls.as_ref()?.remembered(phone).flatten()?;
        Some(((*known).clone(), NetworkSource::Cache))
    }

    /// Has the service asked for numbers of which nothing is known yet, and waits for its answers no longer than the
    /// lane may. What comes later is still remembered. Says which were answered.
    pub(super) async fn ask_for(&self, phones: impl Iterator<Item = Phone>, lane: Lane) -> Vec<Phone> {
        let (Some(sources), Some(calls)) = (self.0.as_deref(), self.calls()) else { return Vec::new() };
        let until = Instant::now()
            + match lane {
                Lane::Priority => PRIORITY_WAIT,
                Lane::Standard => STANDARD_WAIT,
            };
        let mut asked = JoinSet::new();
        for phone in phones {
            if sources.in_file(phone).is_some() || calls.remembered(phone).is_some() {
                continue;
            }
            let Ok(Some(permit)) = timeout_at(until, calls.permit(lane)).await else { break };
            if !calls.breaker.permits(Instant::now()) {
                break;
            }
            let calls = Arc::clone(calls);
            asked.spawn(async move { calls.ask(phone, permit).await.map(|_| phone) });
        }
        let mut answered = Vec::new();
        while let Ok(Some(ended)) = timeout_at(until, asked.join_next()).await {
            answered.extend(ended.ok().and_then(Result::ok));
        }
        asked.detach_all();
        answered
    }

    /// What is known of a number; the service is asked unless it was a while ago, and waited for as long as a call may
    /// take.
    pub(super) async fn look_up(&self, phone: Phone) -> Result<Option<(Known, NetworkSource)>, LookUpError> {
        let Some(calls) = self.calls() else { return Ok(self.remembered(phone)) };
        if let Some(known) = self.remembered(phone) {
            return Ok(Some(known));
        }
        if calls.remembered(phone).is_some() {
            return Ok(None);
        }
        let busy = || LookUpError::new("too many calls are in progress");
        let permit = timeout(STANDARD_WAIT, calls.permit(Lane::Standard)).await;
        let permit = permit.map_err(|_| busy())?.ok_or_else(busy)?;
        if !calls.breaker.permits(Instant::now()) {
            let seconds = calls.breaker.open_for(Instant::now()).unwrap_or_default().as_secs();
            return Err(LookUpError::new(format_args!("it failed and is left alone for {seconds} s")));
        }
        let known = calls.ask(phone, permit).await?;
        Ok(known.map(|known| ((*known).clone(), NetworkSource::LookUp)))
    }

    pub(super) fn file(&self) -> Option<&Followed> {
        self.0.as_deref()?.file.as_ref()
    }

    fn calls(&self) -> Option<&Arc<Calls>> {
        self.0.as_deref()?.calls.as_ref()
    }
}

impl Sources {
    /// A file names only the network; whether a number was ported is told by its range.
    fn in_file(&self, phone: Phone) -> Option<Known> {
        let network = self.file.as_ref()?.table.load().get(phone)?;
        Some(Known { network, ported: None, imsi: None })
    }
}
