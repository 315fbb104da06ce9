//! Keeps as many binds as the control data asks for, and only touches those that changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::clock::Clock;
use domain::control::{BindMode as CarrierBindMode, Carrier};
use domain::id::CarrierId;
use domain::lane::Lane;
use domain::limits;
use domain::random::Random;
use smpp::pdu::BindMode;
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{info, warn};

use super::bind::BindTask;
use super::carrier::{CarrierState, is_for_priority};
use super::outbind::OutbindTask;
use super::trace::Traces;
use crate::drain;
use crate::enqueue::Enqueue;
use crate::health::Health;
use crate::latency::Latency;
use crate::settle::Settle;

/// What all binds need.
pub(super) struct Shared {
    pub enqueue: Enqueue,
    pub settle: Settle,
    pub clock: Clock,
    pub random: Random,
    pub tls_roots: Arc<rustls::RootCertStore>,
    pub latency: Latency,
    pub traces: Traces,
    pub health: Health,
}

/// What the stage needs from outside.
pub struct Options {
    /// Certificates that operators' TLS certificates may lead to.
    pub tls_roots: rustls::RootCertStore,
    /// Where jitter comes from.
    pub random: Random,
    /// Where times are counted.
    pub latency: Latency,
    /// Who looks at PDUs.
    pub traces: Traces,
    /// Where signs of life are noted.
    pub health: Health,
}

type Carriers = HashMap<CarrierId, Arc<CarrierState>>;

/// A look at the carriers in operation. Cheap to clone.
#[derive(Clone, Default)]
pub struct Handle(Arc<ArcSwap<Carriers>>);

impl Handle {
    /// All carriers in operation, by name.
    #[must_use]
    pub fn carriers(&self) -> Vec<Arc<CarrierState>> {
        let mut carriers: Vec<_> = self.0.load().values().cloned().collect();
        carriers.sort_by(|left, right| left.carrier.name.cmp(&right.carrier.name));
        carriers
    }
}

/// Starts and stops binds as the control data changes.
pub struct Service {
    store: Store,
    shared: Arc<Shared>,
    handle: Handle,
    running: HashMap<CarrierId, Running>,
    /// Carriers that changed or went: they finish their windows meanwhile.
    leaving: JoinSet<()>,
    next_name: u64,
}

struct Running {
    carrier: Arc<Carrier>,
    stop: watch::Sender<bool>,
    binds: JoinSet<()>,
}

impl Service {
    /// The stage over these neighbours.
    #[must_use]
    pub fn new(store: Store, enqueue: Enqueue, settle: Settle, clock: Clock, options: Options) -> (Self, Handle) {
        let Options { tls_roots, random, latency, traces, health } = options;
        let tls_roots = Arc::new(tls_roots);
        let shared = Arc::new(Shared { enqueue, settle, clock, random, tls_roots, latency, traces, health });
        let handle = Handle::default();
        let service = Self {
            store,
            shared,
            handle: handle.clone(),
            running: HashMap::new(),
            leaving: JoinSet::new(),
            next_name: 0,
        };
        (service, handle)
    }

    /// Runs until `drain` turns true; then finishes the windows and unbinds.
    pub async fn run(mut self, mut drain: watch::Receiver<bool>) {
        let mut versions = self.store.control_versions();
        loop {
            versions.mark_unchanged();
            self.reconcile();
            tokio::select! {
                () = drain::requested(&mut drain) => break,
                changed = versions.changed() => if changed.is_err() { break },
            }
        }
        for (_, running) in std::mem::take(&mut self.running) {
            self.leave(running);
        }
        let all_left = async { while self.leaving.join_next().await.is_some() {} };
        if timeout(Duration::from_millis(limits::DRAIN_MS), all_left).await.is_err() {
            warn!(target: "send", "not all operators answered in time; what they left open is sent again after the next start");
        }
    }

    /// Brings the binds in step with the control data; a bind that did not change is not dropped.
    fn reconcile(&mut self) {
        let control = self.store.control();
        let gone: Vec<CarrierId> = self
            .running
            .iter()
            .filter(|(id, running)| control.carrier(**id).is_none_or(|carrier| **carrier != *running.carrier))
            .map(|(id, _)| *id)
            .collect();
        let mut carriers = Carriers::clone(&self.handle.0.load());
        for id in gone {
            carriers.remove(&id);
            if let Some(running) = self.running.remove(&id) {
                info!(target: "send", carrier = %running.carrier.name, "changed or removed; its binds are renewed or closed");
                self.leave(running);
            }
        }
        for carrier in control.carriers() {
            if !self.running.contains_key(&carrier.id) {
                let state = self.start(Arc::clone(carrier), control.is_paused(carrier.id));
                carriers.insert(carrier.id, state);
            }
        }
        for (id, state) in &carriers {
            if state.pause(control.is_paused(*id)) {
                Lane::ALL.into_iter().for_each(|lane| self.shared.enqueue.line(lane, *id).wake());
            }
        }
        self.handle.0.store(Arc::new(carriers));
    }

    fn start(&mut self, carrier: Arc<Carrier>, paused: bool) -> Arc<CarrierState> {
        let vital = self.shared.health.vital(carrier.id);
        let state = Arc::new(CarrierState::new(Arc::clone(&carrier), self.shared.random.clone(), vital));
        state.pause(paused);
        let (stop, stopped) = watch::channel(false);
        let mut binds = JoinSet::new();
        let modes: &[BindMode] = match carrier.bind {
            CarrierBindMode::Transceiver => &[BindMode::Transceiver],
            CarrierBindMode::TransmitterReceiver => &[BindMode::Receiver, BindMode::Transmitter],
        };
        for index in 0..carrier.binds {
            for &mode in modes {
                self.next_name += 1;
                let task = BindTask {
                    shared: Arc::clone(&self.shared),
                    state: Arc::clone(&state),
                    index,
                    mode,
                    for_priority: is_for_priority(&carrier, index),
                    name: self.next_name,
                };
                binds.spawn(task.run(stopped.clone()));
            }
        }
        if !carrier.link.outbind_listen.is_empty() {
            let task = OutbindTask::new(Arc::clone(&self.shared), Arc::clone(&state));
            binds.spawn(task.run(stopped));
        }
        self.running.insert(carrier.id, Running { carrier, stop, binds });
        state
    }

    fn leave(&mut self, mut running: Running) {
        running.stop.send_replace(true);
        self.leaving.spawn(async move { while running.binds.join_next().await.is_some() {} });
    }
}
