//! Reads events from the store: all at the start, later what found no room in memory.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::UnixMillis;
use domain::event::Event;
use domain::fact::EventId;
use domain::id::MessageId;
use domain::lane::Lane;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::bounds::{LOOK_AGAIN, PAGE_EVENTS, STORE_RETRY};
use super::endpoint::Endpoint;
use super::hub::{Hub, Reading, Why};
use super::queue::Standing;

/// Reads the events of one lane.
pub struct Reader {
    lane: Lane,
    hub: Arc<Hub>,
}

const FIRST: EventId = EventId { message: MessageId(0), step: 0 };

impl Reader {
    /// The reader of a lane.
    pub fn new(lane: Lane, hub: Arc<Hub>) -> Self {
        Self { lane, hub }
    }

    /// Runs until `drain` turns true.
    pub async fn run(self, mut drain: watch::Receiver<bool>) {
        let reading = async {
            self.read(FIRST, Why::Start).await;
            loop {
                // The timer finds what was left in the store in the moment in which room was made.
                let _ = timeout(LOOK_AGAIN, self.reading().wanted.notified()).await;
                self.fill().await;
            }
        };
        tokio::select! {
            () = reading => {}
            _ = drain.wait_for(|&draining| draining) => {}
        }
    }

    fn reading(&self) -> &Reading {
        &self.hub.reading[self.lane.index()]
    }

    /// Fills the endpoints that have room, from the first event that one of them left in the store.
    async fn fill(&self) {
        let mut from = self.reading().homeless.lock().take();
        let why = if from.is_some() { Why::Homeless } else { Why::Room };
        for endpoint in self.hub.all() {
            let mut state = endpoint.state();
            if state.wants_filling(self.lane) {
                let queue = &mut state.lanes[self.lane.index()];
                queue.filling = true;
                from = from.into_iter().chain(queue.left_in_store.take()).min();
            }
        }
        if let Some(from) = from {
            self.read(before(from), why).await;
        }
    }

    /// Reads on from `after`. If it is for room only, it stops when no endpoint has any left.
    async fn read(&self, mut after: EventId, why: Why) {
        loop {
            let page = self.page(after).await;
            let is_last = page.len() < PAGE_EVENTS;
            after = page.last().map_or(after, |event| event.id);
            for event in page {
                self.hub.refill(event, why);
            }
            self.reading().end();
            if is_last {
                return self.finish(None);
            }
            if why == Why::Room && !self.any_has_room() {
                return self.finish(Some(after));
            }
        }
    }

    async fn page(&self, after: EventId) -> Vec<Event> {
        loop {
            self.reading().begin();
            match self.hub.outbox.untold(self.lane, after, PAGE_EVENTS).await {
                Ok(_) if self.reading().is_stale() => {}
                Ok(page) => return page,
                Err(error) => {
                    tracing::error!(target: "tell", lane = self.lane.name(), %error, "untold events can't be read");
                    sleep(STORE_RETRY).await;
                }
            }
        }
    }

    /// An endpoint that had to leave an event again is full: there is no use in reading on for it.
    fn any_has_room(&self) -> bool {
        self.hub.all().iter().any(|endpoint| {
            let state = endpoint.state();
            let queue = &state.lanes[self.lane.index()];
            queue.filling && queue.left_in_store.is_none()
        })
    }

    /// What was read can be told now. `stopped_at` is how far it was read, unless it was to the end.
    fn finish(&self, stopped_at: Option<EventId>) {
        let now = Instant::now();
        let clock_now = self.hub.clock.now();
        for endpoint in self.hub.all() {
            self.activate(&endpoint, now, clock_now, stopped_at);
        }
    }

    fn activate(&self, endpoint: &Arc<Endpoint>, now: Instant, clock_now: UnixMillis, stopped_at: Option<EventId>) {
        let mut state = endpoint.state();
        let queue = &mut state.lanes[self.lane.index()];
        let was_filled = std::mem::take(&mut queue.filling);
        // What made it full may have been a newer event that came in just now: what lies between that and
        // the last page is still to be read.
        if let Some(stopped_at) = stopped_at.filter(|_| was_filled) {
            queue.leave(stopped_at);
        }
        let loading = queue.calls.iter().filter(|(_, parcel)| parcel.standing == Standing::Loading);
        let loaded: Vec<_> = loading.map(|(id, parcel)| (*id, next_at(&parcel.events))).collect();
        let wake = was_filled || !loaded.is_empty();
        for (id, at) in loaded {
            let wait_ms = at.since_ms(clock_now).max(0).unsigned_abs();
            queue.freeze(id, now + Duration::from_millis(wait_ms));
        }
        let wants_more = state.wants_filling(self.lane);
        drop(state);
        if wants_more {
            self.reading().wanted.notify_one();
        }
        if wake {
            self.hub.wake(endpoint);
        }
    }
}

fn next_at(events: &[Arc<Event>]) -> UnixMillis {
    events.iter().map(|event| event.next_at).max().unwrap_or_default()
}

/// The place just before an event.
fn before(id: EventId) -> EventId {
    match id.step {
        0 => EventId { message: MessageId(id.message.0.saturating_sub(1)), step: u16::MAX },
        step => EventId { message: id.message, step: step - 1 },
    }
}
