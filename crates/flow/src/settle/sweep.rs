//! Ends what time has ended: waiting messages past their validity, handed-over ones without a receipt.

use std::time::Duration;

use domain::control::Carrier;
use domain::id::MessageId;
use domain::lane::Lane;
use domain::receipt::LongReceipts;
use domain::state::Status;
use store::QuestionError;
use store::question::Overdue;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::handle::Settle;
use super::parked;
use crate::drain;

/// How often overdue messages are looked for.
const TICK: Duration = Duration::from_secs(1);
/// Overdue messages ended at a time.
const PAGE: usize = 1_000;

/// Looks for overdue messages in both lanes.
pub struct Service(pub(crate) Settle);

impl Service {
    /// Runs until `drain` turns true.
    pub async fn run(self, mut drain: watch::Receiver<bool>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut parked = parked::Round::default();
        loop {
            tokio::select! {
                () = drain::requested(&mut drain) => return,
                _ = tick.tick() => {
                    for lane in Lane::ALL {
                        self.sweep(lane).await;
                    }
                    parked.go_on(&self.0).await;
                }
            }
        }
    }

    async fn sweep(&self, lane: Lane) {
        match self.0.0.store.overdue(lane, PAGE).await {
            Ok(overdue) => {
                for overdue in overdue {
                    self.end(overdue).await;
                }
            }
            Err(error) => {
                tracing::error!(target: "settle", %error, lane = lane.name(), "overdue messages can't be read")
            }
        }
    }

    async fn end(&self, overdue: Overdue) {
        let Overdue { id, account, status } = overdue;
        if status != Status::New {
            return match self.one_is_enough(id).await {
                Ok(one_is_enough) => self.0.no_receipt(id, one_is_enough),
                // It stays overdue, so it comes round again.
                Err(error) => tracing::error!(target: "settle", %error, "an overdue message can't be read"),
            };
        }
        // A bind that has it right now decides; if it does not, this comes round again.
        let enqueue = self.0.0.enqueue.clone();
        if enqueue.withdraw(id, account) {
            self.0.ended(id, Status::Expired, "validity_over", move |is_durable| {
                enqueue.withdrawal_ended(id, account, is_durable)
            });
        }
    }

    /// Whether all parts went to carriers that send one receipt for a long message. Asked about a message without its
    /// final receipt only, and only where there is such a carrier.
    async fn one_is_enough(&self, id: MessageId) -> Result<bool, QuestionError> {
        let store = &self.0.0.store;
        let control = store.control();
        let sends_one = |carrier: &Carrier| carrier.long_receipts != LongReceipts::EveryPart;
        if !control.carriers().any(|carrier| sends_one(carrier)) {
            return Ok(false);
        }
        let Some(message) = store.message(id).await? else { return Ok(false) };
        Ok(message.parts.iter().all(|part| control.carrier(part.carrier).is_some_and(|carrier| sends_one(carrier))))
    }
}
