//! Looks at all carriers a few times a second.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::control::Carrier;
use domain::id::CarrierId;
use domain::lane::Lane;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::bounds;
use super::handle::Health;
use super::judge::{Judge, Reading, Trouble};
use crate::drain;
use crate::send::{self, BindState, CarrierState};

/// Keeps the shares of all carriers up to date.
pub struct Service {
    health: Health,
    send: send::Handle,
    clock: Clock,
    /// With the settings they run with: new ones make new binds.
    judges: HashMap<CarrierId, (Arc<Carrier>, Judge)>,
    started: Instant,
}

impl Service {
    /// Over the carriers in operation.
    #[must_use]
    pub fn new(health: Health, send: send::Handle, clock: Clock) -> Self {
        Self { health, send, clock, judges: HashMap::new(), started: Instant::now() }
    }

    /// Runs until `drain` turns true.
    pub async fn run(mut self, mut drain: watch::Receiver<bool>) {
        let mut tick = interval(Duration::from_millis(bounds::TICK_MS.unsigned_abs()));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = drain::requested(&mut drain) => return,
                _ = tick.tick() => self.look(),
            }
        }
    }

    fn look(&mut self) {
        let at_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let carriers = self.send.carriers();
        self.judges.retain(|id, _| carriers.iter().any(|state| state.carrier.id == *id));
        for state in &carriers {
            self.look_at(state, at_ms);
        }
    }

    fn look_at(&mut self, state: &CarrierState, at_ms: i64) {
        let id = state.carrier.id;
        let vital = self.health.vital(id);
        let (settings, judge) =
            self.judges.entry(id).or_insert_with(|| (Arc::clone(&state.carrier), Judge::new(at_ms)));
        if !Arc::ptr_eq(settings, &state.carrier) {
            *settings = Arc::clone(&state.carrier);
            judge.restarted(at_ms);
        }
        let up = state.binds().iter().any(|bind| bind.state == BindState::Bound);
        let slow_receipts = vital.slow_receipts(self.clock.now());
        judge.look(Reading { at_ms, up, sums: vital.sums(), slow_receipts });
        for lane in Lane::ALL {
            let (share, trouble) = judge.standing(lane);
            if !vital.set(lane, share, trouble) {
                continue;
            }
            if trouble == Trouble::SlowReceipts {
                vital.forget_receipts();
            }
            let (carrier, lane, reason) = (&state.carrier.name, lane.name(), trouble.word());
            if share == 100 {
                info!(target: "route", carrier, lane, share, "the carrier does well again");
            } else {
                warn!(target: "route", carrier, lane, share, reason, "the carrier's share of the traffic moves; messages with another way take it");
            }
            self.health.note_move();
        }
    }
}
