//! Makes the ends of calls durable, many at a time.

use std::sync::Arc;

use domain::fact::{CallOutcome, WebhookCall};
use domain::lane::Lane;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::bounds::{EVENTS_PER_RECORD, RECORDS_WAITING_MAX, STORE_RETRY};
use super::endpoint::Endpoint;
use super::hub::Hub;

/// A call that ended.
pub struct Record {
    /// Whose call.
    pub endpoint: Arc<Endpoint>,
    /// How it ended.
    pub call: WebhookCall,
}

/// The ways to the recorders, by lane. The recorders end when all copies are gone.
#[derive(Clone)]
pub struct Records([mpsc::Sender<Record>; 2]);

impl Records {
    /// Hands over the end of a call; waits while the store is behind.
    pub async fn send(&self, lane: Lane, record: Record) {
        if self.0[lane.index()].send(record).await.is_err() {
            tracing::error!(target: "tell", lane = lane.name(), "the end of a call can't be recorded: it will be made again");
        }
    }
}

/// Records the ends of calls of one lane in their order.
pub struct Recorder {
    lane: Lane,
    hub: Arc<Hub>,
    waiting: mpsc::Receiver<Record>,
}

/// The recorders of both lanes and the ways to them.
pub fn recorders(hub: &Arc<Hub>) -> (Records, [Recorder; 2]) {
    let channels = Lane::ALL.map(|lane| (lane, mpsc::channel(RECORDS_WAITING_MAX)));
    let senders = Records(channels.each_ref().map(|(_, (sender, _))| sender.clone()));
    (senders, channels.map(|(lane, (_, waiting))| Recorder { lane, hub: Arc::clone(hub), waiting }))
}

impl Recorder {
    /// Waits for the end of a call and takes along what else waits; false when all senders are gone.
    async fn gather(&mut self, batch: &mut Vec<Record>) -> bool {
        let Some(first) = self.waiting.recv().await else { return false };
        let mut events = first.call.events.len();
        batch.push(first);
        while events < EVENTS_PER_RECORD
            && let Ok(next) = self.waiting.try_recv()
        {
            events += next.call.events.len();
            batch.push(next);
        }
        true
    }

    /// Runs until all senders are gone; after `drain` turned true it gives up on a store that refuses.
    pub async fn run(mut self, drain: watch::Receiver<bool>) {
        let mut batch = Vec::new();
        while self.gather(&mut batch).await {
            let calls = |batch: &[Record]| batch.iter().map(|record| record.call.clone()).collect();
            while let Err(error) = self.hub.outbox.record(self.lane, calls(&batch)).await {
                tracing::error!(target: "tell", lane = self.lane.name(), %error, "ends of webhook calls can't be recorded");
                if *drain.borrow() {
                    return;
                }
                sleep(STORE_RETRY).await;
            }
            for record in batch.drain(..) {
                match record.call.outcome {
                    CallOutcome::Told | CallOutcome::Dead => {
                        self.hub.forget(&record.endpoint, self.lane, &record.call.events);
                        // An endpoint with nothing left may now be taken off the list.
                        record.endpoint.wake.notify_one();
                    }
                    CallOutcome::RetryAt(_) => {}
                }
            }
        }
    }
}
