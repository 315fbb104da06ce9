//! What the binds of a carrier share, and what is known of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use domain::control::Carrier;
use domain::lane::Lane;
use domain::random::Random;
use parking_lot::Mutex;
use prometheus_client::metrics::histogram::Histogram;
use smpp::session::{SessionHandle, SessionStats};
use tokio::time::Instant;

use super::breaker::Breaker;
use super::form::Form;
use super::full::FullQueues;
use super::login::Login;
use super::pace::Pace;
use super::references::References;
use super::throttle::{PaceReason, Throttle};
use super::verdict::Table;
use crate::health::Vital;
use crate::latency;

/// Different codes that are counted apart; what comes after is counted under 0.
const CODES_MAX: usize = 256;
/// How often at most the log is told of a code that somebody should look at.
const ALARM_EVERY: Duration = Duration::from_secs(60);

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

impl BindState {
    /// The names of the states, in the order in which a bind goes through them.
    pub const NAMES: [&'static str; 4] = ["connecting", "bound", "stopped", "ended"];

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connecting(_) => Self::NAMES[0],
            Self::Bound => Self::NAMES[1],
            Self::Stopped(_) => Self::NAMES[2],
            Self::Ended => Self::NAMES[3],
        }
    }
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
    /// Parts per second it was slowed down to; `None` = only the contract limits it.
    pub pace_per_second: Option<f64>,
    /// Why its pace is as it is.
    pub pace_reason: PaceReason,
    throttle: Arc<Throttle>,
    /// It owes answers to codes that another bind has sent since.
    pub is_silent: bool,
}

impl BindView {
    /// Whether it is bound and answers.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.session.is_some() && !self.is_silent
    }

    /// What its session has done so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        self.session.as_ref().map(SessionHandle::stats).unwrap_or_default()
    }
}

/// How often a code was answered, and when the log last said so.
#[derive(Debug, Default)]
struct Refusals {
    count: u64,
    alarmed_at: Option<Duration>,
}

/// A carrier in operation.
pub struct CarrierState {
    /// Its settings; a change of them makes a new state.
    pub carrier: Arc<Carrier>,
    pub(super) pace: Pace,
    pub(super) references: References,
    /// Where its binds note how it does.
    pub(super) vital: Arc<Vital>,
    /// Binds that are bound right now and answer.
    live: AtomicUsize,
    /// Of these, those reserved for the Priority lane.
    priority_live: AtomicUsize,
    /// Codes that another bind sent too, because the operator did not answer the first one.
    pub hedged: AtomicU64,
    /// Times the operator asked for a slower pace.
    pub throttled: AtomicU64,
    pub(super) table: Table,
    pub(super) breaker: Breaker,
    pub(super) full_queues: FullQueues,
    pub(super) login: Login,
    pub(super) random: Random,
    started: Instant,
    /// What was found to please the operator more than the settings, as bits of [`Form`].
    learnt: AtomicU8,
    refusals: Mutex<BTreeMap<u32, Refusals>>,
    /// Durable and due until written to this operator, by lane.
    pub wait: [Histogram; 2],
    /// Nothing is sent until somebody says so.
    paused: AtomicBool,
    binds: Mutex<Vec<BindView>>,
}

impl CarrierState {
    pub(super) fn new(carrier: Arc<Carrier>, random: Random, vital: Arc<Vital>) -> Self {
        let view = |index| BindView {
            index,
            for_priority: is_for_priority(&carrier, index),
            state: BindState::Connecting(String::new()),
            session: None,
            pace_per_second: None,
            pace_reason: PaceReason::default(),
            throttle: Arc::new(Throttle::new(carrier.rate_per_second)),
            is_silent: false,
        };
        Self {
            vital,
            pace: Pace::new(carrier.rate_per_second),
            references: References::default(),
            live: AtomicUsize::new(0),
            priority_live: AtomicUsize::new(0),
            hedged: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            wait: latency::per_lane(),
            paused: AtomicBool::new(false),
            table: Table::new(&carrier.status),
            breaker: Breaker::default(),
            full_queues: FullQueues::default(),
            login: Login::default(),
            random,
            started: Instant::now(),
            learnt: AtomicU8::new(0),
            refusals: Mutex::default(),
            binds: Mutex::new((0..carrier.binds).map(view).collect()),
            carrier,
        }
    }

    /// Time since the carrier was taken into operation, for everything that is counted in it.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Hundredths of the traffic that it is given where there is another way.
    #[must_use]
    pub fn share(&self, lane: Lane) -> u8 {
        self.vital.share(lane)
    }

    /// All binds.
    #[must_use]
    pub fn binds(&self) -> Vec<BindView> {
        let (mut binds, now) = (self.binds.lock().clone(), self.now());
        for bind in &mut binds {
            (bind.pace_per_second, bind.pace_reason) = bind.throttle.view(now);
        }
        binds
    }

    /// The pace of a bind; it outlives its sessions.
    pub(super) fn throttle(&self, index: u16) -> Arc<Throttle> {
        let known = self.binds.lock().get(usize::from(index)).map(|bind| Arc::clone(&bind.throttle));
        known.unwrap_or_default()
    }

    /// Whether a bind other than `index` is up.
    pub(super) fn has_other_bind(&self, index: u16) -> bool {
        self.binds.lock().iter().any(|bind| bind.index != index && bind.session.is_some())
    }

    pub(super) fn set(&self, index: u16, state: BindState, session: Option<SessionHandle>) {
        let mut binds = self.binds.lock();
        let Some(bind) = binds.get_mut(usize::from(index)) else { return };
        bind.state = state;
        bind.session = session;
        bind.is_silent = false;
        self.count_live(&binds);
    }

    /// Notes whether a bind owes answers to codes that were handed on.
    pub(super) fn set_silent(&self, index: u16, is_silent: bool) {
        let mut binds = self.binds.lock();
        let Some(bind) = binds.get_mut(usize::from(index)).filter(|bind| bind.is_silent != is_silent) else { return };
        bind.is_silent = is_silent;
        self.count_live(&binds);
    }

    fn count_live(&self, binds: &[BindView]) {
        let live = binds.iter().filter(|bind| bind.is_live());
        self.priority_live.store(live.clone().filter(|bind| bind.for_priority).count(), Ordering::Relaxed);
        self.live.store(live.count(), Ordering::Relaxed);
    }

    /// Whether there is another bind that answers.
    pub(super) fn has_other_live(&self, index: u16) -> bool {
        self.binds.lock().iter().any(|bind| bind.index != index && bind.is_live())
    }

    /// Whether a bind takes codes right now: where binds are reserved for them, the others take codes only
    /// while none of those answers; and one that does not answer takes none as long as another does.
    pub(super) fn serves_codes(&self, for_priority: bool, is_silent: bool) -> bool {
        if is_silent {
            return self.live.load(Ordering::Relaxed) == 0;
        }
        for_priority || self.priority_live.load(Ordering::Relaxed) == 0
    }

    /// How parts are written to please the operator.
    pub(super) fn form(&self) -> Form {
        Form::of_bits(self.learnt.load(Ordering::Relaxed))
    }

    /// The operator took a part in this form. True when that is news.
    pub(super) fn learn(&self, form: Form) -> bool {
        let learnt = form.learnt().bits();
        learnt != 0 && self.learnt.fetch_or(learnt, Ordering::Relaxed) & learnt != learnt
    }

    /// Counts a refusal. True when the log should be told, which is once in a while.
    pub(super) fn count_refusal(&self, command_status: u32) -> bool {
        let (mut refusals, now) = (self.refusals.lock(), self.now());
        let known = refusals.contains_key(&command_status) || refusals.len() < CODES_MAX;
        let entry = refusals.entry(if known { command_status } else { 0 }).or_default();
        entry.count += 1;
        let is_due = entry.alarmed_at.is_none_or(|at| now.saturating_sub(at) >= ALARM_EVERY);
        if is_due {
            entry.alarmed_at = Some(now);
        }
        is_due
    }

    /// How often each `command_status` was answered to a part; 0 stands for codes beyond the first few hundred.
    #[must_use]
    pub fn refusals(&self) -> Vec<(u32, u64)> {
        self.refusals.lock().iter().map(|(code, refusals)| (*code, refusals.count)).collect()
    }

    /// Whether the operator answers nothing but system errors and only gets probes, and how often that began.
    #[must_use]
    pub fn breaker(&self) -> (bool, u64) {
        (self.breaker.is_open(), self.breaker.opened())
    }

    /// Whether nothing may be sent over it.
    pub(super) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    /// Pauses it or lets it go on; true when it goes on from now on.
    pub(super) fn pause(&self, paused: bool) -> bool {
        self.paused.swap(paused, Ordering::Relaxed) && !paused
    }

    /// Whether some binds serve the Priority lane alone; otherwise it shares all of them.
    pub(super) fn reserves_binds(&self) -> bool {
        is_for_priority(&self.carrier, 0)
    }
}

/// The first `priority_binds` binds serve the Priority lane alone, as long as one is left for bulk.
pub(super) fn is_for_priority(carrier: &Carrier, index: u16) -> bool {
    index < carrier.priority_binds && carrier.priority_binds < carrier.binds
}
