//! Brings messages from the store into their lines: what did not fit, and what was scheduled.

use std::collections::HashMap;
use std::time::Duration;

use domain::clock::UnixMillis;
use domain::fact::Fact;
use domain::id::{CarrierId, MessageId};
use domain::lane::Lane;
use domain::request::Waiting;
use store::Store;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::job::Entry;
use super::line::Line;
use super::lines::Enqueue;
use crate::drain;
use crate::settle::Settle;

/// How often scheduled messages are looked for, and so how late they can be.
const SCHEDULE_TICK: Duration = Duration::from_millis(250);
/// Scheduled messages fetched at a time.
const SCHEDULED_PAGE: usize = 2_000;
/// A message may become durable a little after the moment it was scheduled for: that far the search
/// goes back each time.
const SCHEDULE_LOOK_BACK_MS: i64 = 30_000;

/// Fills the lines of one lane. Each lane has its own, so that bulk never delays the other.
pub struct Service {
    lane: Lane,
    enqueue: Enqueue,
    store: Store,
    settle: Settle,
}

impl Service {
    /// The service of one lane.
    #[must_use]
    pub fn new(lane: Lane, enqueue: Enqueue, store: Store, settle: Settle) -> Self {
        Self { lane, enqueue, store, settle }
    }

    /// Runs until `drain` turns true.
    pub async fn run(self, mut drain: watch::Receiver<bool>) {
        self.recall().await;
        let mut tick = interval(SCHEDULE_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reached = (UnixMillis(0), MessageId(0));
        loop {
            tokio::select! {
                () = drain::requested(&mut drain) => return,
                _ = tick.tick() => {
                    reached = self.release_scheduled(reached).await;
                    let now = self.store.ids().clock().now();
                    self.enqueue.of_lane(self.lane).iter().for_each(|line| line.wake_if_due(now));
                }
                () = self.enqueue.0.refill_wanted[self.lane.index()].notified() => {}
            }
            for line in self.enqueue.of_lane(self.lane) {
                self.refill(&line).await;
            }
        }
    }

    /// After a start: what waited before waits again.
    async fn recall(&self) {
        match self.store.lines(self.lane).await {
            Ok(lines) => {
                for (carrier, account, _) in lines {
                    self.enqueue.line(self.lane, carrier).fetch_all(account);
                }
            }
            Err(error) => {
                tracing::error!(target: "enqueue", %error, lane = self.lane.name(), "waiting messages can't be listed")
            }
        }
    }

    async fn refill(&self, line: &Line) {
        while let Some(fetch) = line.begin_fetch() {
            match self.store.waiting(self.lane, (line.carrier, fetch.account), fetch.after, fetch.limit).await {
                Ok(page) => {
                    self.doubt(line, &page).await;
                    line.end_fetch(fetch, page.into_iter().map(Entry::of_waiting).collect());
                }
                Err(error) => {
                    tracing::error!(target: "enqueue", %error, lane = self.lane.name(), "waiting messages can't be read");
                    line.abandon_fetch();
                    return;
                }
            }
        }
    }

    /// What was about to be written when the program ended may have been: it is not sent again. What a
    /// bind of this program has just now is its own business.
    async fn doubt(&self, line: &Line, page: &[Waiting]) {
        let intended = page.iter().filter(|waiting| !waiting.parts_intended.is_empty() && line.is_new(waiting.id));
        let facts: Vec<Fact> = intended.flat_map(|waiting| self.settle.doubt_after_crash(waiting)).collect();
        if !facts.is_empty()
            && let Err(error) = self.store.record(self.lane, facts).await
        {
            tracing::error!(target: "enqueue", %error, lane = self.lane.name(), "parts of unknown outcome can't be noted; it is tried again");
        }
    }

    /// Lines up scheduled messages whose time has come; returns how far it got.
    async fn release_scheduled(&self, reached: (UnixMillis, MessageId)) -> (UnixMillis, MessageId) {
        let now = self.store.ids().clock().now();
        let (lines, page) = loop {
            let lines = self.enqueue.of_lane(self.lane);
            lines.iter().for_each(|line| line.begin_release());
            let page = self.store.scheduled(self.lane, now, reached, SCHEDULED_PAGE).await;
            let page = page.unwrap_or_else(|error| {
                tracing::error!(target: "enqueue", %error, lane = self.lane.name(), "scheduled messages can't be read");
                Vec::new()
            });
            // A line that did not exist has not noted what was cancelled or moved meanwhile: it is made, and then read
            // again.
            let has_line = |carrier| lines.iter().any(|line| line.carrier == carrier);
            let without: Vec<CarrierId> =
                page.iter().map(|waiting| waiting.carrier).filter(|carrier| !has_line(*carrier)).collect();
            if without.is_empty() {
                break (lines, page);
            }
            without.into_iter().for_each(|carrier| drop(self.enqueue.line(self.lane, carrier)));
        };
        let last = page.last().map(|waiting| (waiting.content.due_at, waiting.id));
        let full = page.len() == SCHEDULED_PAGE;
        let mut by_carrier: HashMap<CarrierId, Vec<Entry>> = HashMap::new();
        for (carrier, page) in page.chunk_by(|one, next| one.carrier == next.carrier).map(|run| (run[0].carrier, run)) {
            self.doubt(&self.enqueue.line(self.lane, carrier), page).await;
        }
        for waiting in page {
            by_carrier.entry(waiting.carrier).or_default().push(Entry::of_waiting(waiting));
        }
        for line in lines {
            line.end_release(by_carrier.remove(&line.carrier).unwrap_or_default());
        }
        let look_back = (now.plus_ms(-SCHEDULE_LOOK_BACK_MS), MessageId(0));
        if full { last.unwrap_or(reached) } else { look_back }
    }
}
