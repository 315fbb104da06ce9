//! Ends what time has ended: waiting messages past their validity, handed-over ones without a receipt.

use std::time::Duration;

use domain::lane::Lane;
use domain::state::Status;
use store::question::Overdue;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::handle::Settle;
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
        loop {
            tokio::select! {
                () = drain::requested(&mut drain) => return,
                _ = tick.tick() => for lane in Lane::ALL { self.sweep(lane).await },
            }
        }
    }

    async fn sweep(&self, lane: Lane) {
        match self.0.0.store.overdue(lane, PAGE).await {
            Ok(overdue) => overdue.into_iter().for_each(|overdue| self.end(overdue)),
            Err(error) => {
                tracing::error!(target: "settle", %error, lane = lane.name(), "overdue messages can't be read")
            }
        }
    }

    fn end(&self, overdue: Overdue) {
        let Overdue { id, account, status } = overdue;
        if status != Status::New {
            return self.0.ended(id, Status::Unknown, "no_receipt", |_| {});
        }
        // A bind that has it right now decides; if it does not, this comes round again.
        let enqueue = self.0.0.enqueue.clone();
        if enqueue.withdraw(id, account) {
            self.0.ended(id, Status::Expired, "validity_over", move |is_durable| {
                enqueue.withdrawal_ended(id, account, is_durable)
            });
        }
    }
}
