//! The way in.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use domain::click::{Agent, Click, Network};
use domain::clock::{Clock, UnixMillis};
use domain::event::{ClickReport, Event, Payload};
use domain::fact::{EventId, Fact};
use domain::lane::Lane;
use domain::link::LinkId;
use store::{QuestionError, RecordError, Store};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::bounds::{DURABLE_WAIT, LATE_CLICKS_MAX};
use super::location::location;
use super::stats::Stats;
use super::target::{Target, Targets};
use crate::latency::{self, Latency};

/// Ids run ahead of the clock under bursts; what is younger than that was never given out.
const AHEAD_OF_CLOCK_MS: i64 = 60_000;

/// Who opened a link.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// What opened it.
    pub agent: Agent,
    /// Where from; only its network is kept.
    pub address: IpAddr,
}

/// Follows short links. Cheap to clone.
#[derive(Clone)]
pub struct Follow(Arc<Inner>);

struct Inner {
    store: Store,
    clock: Clock,
    targets: Targets,
    /// Room for clicks that are recorded behind their redirects.
    late: Arc<Semaphore>,
    stats: Stats,
    latency: Latency,
}

impl Follow {
    pub(crate) fn new(store: Store, clock: Clock, latency: Latency) -> Self {
        let late = Arc::new(Semaphore::new(LATE_CLICKS_MAX));
        Self(Arc::new(Inner { store, clock, targets: Targets::new(), late, stats: Stats::default(), latency }))
    }

    /// Where the link leads, or `None` when there is nothing behind it. The visit is on stable storage when
    /// this returns, unless the disk is slow, full or failing: people are not kept waiting for that.
    ///
    /// # Errors
    /// [`QuestionError`] when the store can't say where it leads.
    pub async fn follow(&self, code: &str, visit: Visit) -> Result<Option<Arc<str>>, QuestionError> {
        let (inner, started) = (&*self.0, Instant::now());
        let target = match inner.link(code) {
            Some(link) => inner.target(link).await?.map(|target| (link, target)),
            None => None,
        };
        let Some((link, target)) = target else {
            inner.stats.unknown.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        };
        inner.stats.count(visit.agent);
        if target.takes_click() {
            self.record(inner.facts(link, &target, visit)).await;
        } else {
            inner.stats.limited.fetch_add(1, Ordering::Relaxed);
        }
        latency::observe(&inner.latency.follow, started.elapsed());
        Ok(Some(Arc::clone(&target.location)))
    }

    /// What became of opened links.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    async fn record(&self, facts: Vec<Fact>) {
        let inner = Arc::clone(&self.0);
        let mut recording = Box::pin(async move {
            let recorded = inner.store.record(Lane::Standard, facts).await;
            inner.recorded(&recorded);
        });
        if timeout(DURABLE_WAIT, &mut recording).await.is_ok() {
            return;
        }
        self.0.stats.late.fetch_add(1, Ordering::Relaxed);
        match Arc::clone(&self.0.late).try_acquire_owned() {
            Ok(permit) => {
                tokio::spawn(async move {
                    recording.await;
                    drop(permit);
                });
            }
            Err(_) => self.0.recorded(&Err(RecordError::Overloaded)),
        }
    }
}

impl Inner {
    /// The link a code can name. Most made-up codes end here, without a look into the store.
    fn link(&self, code: &str) -> Option<LinkId> {
        let link = self.store.link_codes().link(code)?;
        let latest = self.clock.now().plus_ms(AHEAD_OF_CLOCK_MS);
        (link.message.0 > 0 && link.message.created() <= latest).then_some(link)
    }

    async fn target(&self, link: LinkId) -> Result<Option<Arc<Target>>, QuestionError> {
        if let Some(target) = self.targets.get(link) {
            return Ok(Some(target));
        }
        let Some(found) = self.store.link(link).await? else { return Ok(None) };
        // Checked when it was accepted; checked again, so that nothing else can ever be redirected to.
        let Some(location) = location(&found.url) else { return Ok(None) };
        let target = Arc::new(Target::new(found, location));
        self.targets.insert(link, &target);
        Ok(Some(target))
    }

    /// What is to be remembered: the click, and that the account is told if it was a person.
    fn facts(&self, link: LinkId, target: &Target, visit: Visit) -> Vec<Fact> {
        let (id, at) = (self.store.ids().next(Lane::Standard), self.clock.now());
        let found = &target.link;
        let network = Network::of(visit.address);
        let click = Click { id, link, account: found.account, at, agent: visit.agent, network };
        let mut facts = vec![Fact::Clicked(click)];
        if visit.agent.is_person() {
            facts.push(Fact::Event(Arc::new(told(EventId::of_row(id), target, at))));
        }
        facts
    }

    fn recorded(&self, outcome: &Result<(), RecordError>) {
        if let Err(error) = outcome
            && self.stats.lost.fetch_add(1, Ordering::Relaxed) == 0
        {
            tracing::error!(target: "follow", %error, "a click was not recorded; further ones are only counted");
        }
    }
}

fn told(id: EventId, target: &Target, clicked_at: UnixMillis) -> Event {
    let found = &target.link;
    let report =
        ClickReport { external_id: found.external_id.clone(), phone: found.phone, url: found.url.clone(), clicked_at };
    Event::new(id, found.account, None, Payload::Click(report))
}
