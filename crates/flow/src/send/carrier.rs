//! What the binds of a carrier share, and what is known of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use domain::control::Carrier;
use parking_lot::Mutex;
use smpp::session::{SessionHandle, SessionStats};

use super::pace::Pace;

/// How a bind is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindState {
    /// Connecting or binding, or waiting to try again; with the last problem.
    Connecting(String),
    /// Bound.
    Bound,
    /// Taken out of service until a person corrects something: the reason.
    Stopped(String),
    /// Ended on request.
    Ended,
}

/// One bind as others see it.
#[derive(Clone)]
pub struct BindView {
    /// From 0.
    pub index: u16,
    /// Whether it serves the Priority lane only.
    pub for_priority: bool,
    /// How it is doing.
    pub state: BindState,
    /// Its session, while bound.
    pub session: Option<SessionHandle>,
}

impl BindView {
    /// What its session has done so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        self.session.as_ref().map(SessionHandle::stats).unwrap_or_default()
    }
}

/// A carrier in operation.
pub struct CarrierState {
    /// Its settings; a change of them makes a new state.
    pub carrier: Arc<Carrier>,
    pub(super) pace: Pace,
    /// Binds reserved for the Priority lane that are bound right now.
    pub(super) priority_bound: AtomicUsize,
    /// Times the operator asked for a slower pace.
    pub throttled: AtomicU64,
    binds: Mutex<Vec<BindView>>,
}

impl CarrierState {
    pub(super) fn new(carrier: Arc<Carrier>) -> Self {
        let view = |index| BindView {
            index,
            for_priority: is_for_priority(&carrier, index),
            state: BindState::Connecting(String::new()),
            session: None,
        };
        let binds = Mutex::new((0..carrier.binds).map(view).collect());
        let pace = Pace::new(carrier.rate_per_second);
        Self { carrier, pace, priority_bound: AtomicUsize::new(0), throttled: AtomicU64::new(0), binds }
    }

    /// All binds.
    #[must_use]
    pub fn binds(&self) -> Vec<BindView> {
        self.binds.lock().clone()
    }

    pub(super) fn set(&self, index: u16, state: BindState, session: Option<SessionHandle>) {
        let mut binds = self.binds.lock();
        let Some(bind) = binds.get_mut(usize::from(index)) else { return };
        if bind.for_priority {
            match (bind.session.is_some(), session.is_some()) {
                (false, true) => _ = self.priority_bound.fetch_add(1, Ordering::Relaxed),
                (true, false) => _ = self.priority_bound.fetch_sub(1, Ordering::Relaxed),
                _ => {}
            }
        }
        bind.state = state;
        bind.session = session;
    }
}

impl CarrierState {
    /// Whether some binds serve the Priority lane alone; otherwise it shares all of them.
    pub(super) fn reserves_binds(&self) -> bool {
        is_for_priority(&self.carrier, 0)
    }
}

/// The first `priority_binds` binds serve the Priority lane alone, as long as one is left for bulk.
pub(super) fn is_for_priority(carrier: &Carrier, index: u16) -> bool {
    index < carrier.priority_binds && carrier.priority_binds < carrier.binds
}
