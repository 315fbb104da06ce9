//! What needs a person's attention, as data: shown by `posthorn status`, counted in the metrics.

mod standing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::control::{Control, HoldMode};
use domain::id::CarrierId;
use domain::lane::Lane;
use domain::timestamp;
use flow::Flow;
use flow::enqueue::Enqueue;
use flow::portability::Networks;
use flow::send::{BindState, CarrierState};
use parking_lot::Mutex;
use serde::Serialize;
use store::Store;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::console::age;
use standing::Standing;

/// How often it is looked at what needs attention.
const TICK: Duration = Duration::from_secs(1);

/// Room on the disk below which somebody should look: a day of a busy platform.
const DISK_LOW_OCTETS: u64 = 2 * 1024 * 1024 * 1024;
/// Age of an urgent message that nobody sends: a code is of no use later.
const PRIORITY_AGE: Duration = Duration::from_secs(5);
/// Age of any other message: either its carrier is too slow, or it does not send.
const STANDARD_AGE: Duration = Duration::from_secs(3_600);
/// Age of an event that nobody takes.
const EVENT_AGE: Duration = Duration::from_secs(600);
/// Receipts without a message that are no accident any more.
const PARKED_RECEIPTS: usize = 1_000;

/// How soon somebody has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Now: messages are refused or don't leave.
    Urgent,
    /// Today.
    Attention,
}

impl Level {
    /// Its name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Attention => "attention",
        }
    }
}

/// One thing that needs attention.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Alarm {
    /// How soon.
    pub level: Level,
    /// A stable word.
    pub alarm: &'static str,
    /// What it is about, such as `carrier operator-one`; empty for the server itself.
    pub subject: String,
    /// What is the case.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

/// Looks over the running parts. Cheap to clone.
#[derive(Clone)]
pub struct Watch {
    store: Store,
    clock: Clock,
    enqueue: Enqueue,
    send: flow::send::Handle,
    tell: flow::tell::Handle,
    networks: Networks,
    seen: Arc<Mutex<Seen>>,
}

/// What was seen last.
#[derive(Default)]
struct Seen {
    standing: Standing,
    /// What waits for each carrier, also in the store alone.
    waiting: Vec<(Lane, CarrierId, u64)>,
}

impl Watch {
    /// Over running stages.
    pub fn new(store: Store, clock: Clock, flow: &Flow) -> Self {
        let (enqueue, send, tell) = (flow.enqueue.clone(), flow.send.clone(), flow.tell.clone());
        let networks = flow.router.networks().clone();
        Self { store, clock, enqueue, send, tell, networks, seen: Arc::default() }
    }

    /// Looks once a second until `drain` turns true.
    pub async fn run(self, mut drain: watch::Receiver<bool>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*drain.borrow() {
            tokio::select! {
                _ = tick.tick() => self.look().await,
                changed = drain.changed() => if changed.is_err() { return },
            }
        }
    }

    async fn look(&self) {
        let mut waiting: BTreeMap<(Lane, CarrierId), u64> = BTreeMap::new();
        for lane in Lane::ALL {
            for (carrier, _, count) in self.store.lines(lane).await.unwrap_or_default() {
                *waiting.entry((lane, carrier)).or_default() += count;
            }
        }
        let waiting = waiting.into_iter().map(|((lane, carrier), count)| (lane, carrier, count)).collect();
        let (now, causes) = (self.clock.now(), self.causes());
        let turns = {
            let mut seen = self.seen.lock();
            seen.waiting = waiting;
            seen.standing.see(now, causes)
        };
        turns.iter().for_each(standing::Turn::tell);
    }

    /// Messages that wait for each carrier, also in the store alone, as of the last second.
    pub fn waiting(&self) -> Vec<(Lane, CarrierId, u64)> {
        self.seen.lock().waiting.clone()
    }

    /// Everything that needs attention, the most urgent first, as of the last second.
    pub fn alarms(&self) -> Vec<Alarm> {
        self.seen.lock().standing.alarms()
    }

    /// What is the case right now, however long.
    fn causes(&self) -> Vec<Alarm> {
        let control = self.store.control();
        let mut alarms = Vec::new();
        self.look_at_the_store(&mut alarms);
        for state in self.send.carriers() {
            look_at_carrier(&control, &state, &mut alarms);
        }
        self.look_at_receipts(&mut alarms);
        self.look_at_lines(&control, &mut alarms);
        self.look_at_webhooks(&mut alarms);
        if self.networks.figures().is_some_and(|figures| figures.is_left_alone) {
            let what = "the number-portability service fails: networks go by number ranges".to_owned();
            alarms.push(attention(
                "portability_down",
                "portability",
                what,
                "the log says what it answers; it is tried again by itself",
            ));
        }
        alarms
    }

    fn look_at_the_store(&self, alarms: &mut Vec<Alarm>) {
        let health = self.store.health();
        let free = format!("{} MiB are free on the data disk", health.disk_free_octets / (1024 * 1024));
        if !health.accepts {
            let advice = "free some room, it goes on by itself";
            alarms.push(urgent("storage_full", "", format!("messages are refused: {free}"), advice));
        } else if health.disk_free_octets < DISK_LOW_OCTETS {
            alarms.push(attention("disk_low", "", free, "free some room or shorten store.retention_days"));
        }
        if health.parked_receipts >= PARKED_RECEIPTS {
            let what = format!("{} receipts belong to no message", health.parked_receipts);
            alarms.push(attention("receipts_parked", "", what, "set message_id_format of the carrier they come from"));
        }
    }

    fn look_at_receipts(&self, alarms: &mut Vec<Alarm>) {
        let reused = self.store.health().operator_ids_reused;
        if reused > 0 {
            let what = format!("operators gave {reused} ids a second time: receipts can't be told apart");
            alarms.push(attention("ids_reused", "", what, "ask the operators which of their connections repeats ids"));
        }
    }

    fn look_at_lines(&self, control: &Control, alarms: &mut Vec<Alarm>) {
        let now = self.clock.now();
        let mut orphaned: BTreeMap<CarrierId, usize> = BTreeMap::new();
        for line in self.enqueue.lines() {
            let (depth, oldest, _) = line.depth();
            let Some(oldest) = oldest else { continue };
            let Some(carrier) = control.carrier(line.carrier) else {
                *orphaned.entry(line.carrier).or_default() += depth;
                continue;
            };
            let waited = Duration::from_millis(now.since_ms(oldest).max(0).unsigned_abs());
            let waits =
                |kind: &str| format!("{depth} {kind} messages or more wait, the next for {}", age(waited.as_secs()));
            let subject = format!("carrier {}", carrier.name);
            let advice = "see its binds and its rate: posthorn queue";
            match line.lane {
                Lane::Priority if waited > PRIORITY_AGE => {
                    alarms.push(urgent("priority_waits", &subject, waits("urgent"), advice));
                }
                Lane::Standard if waited > STANDARD_AGE => {
                    alarms.push(attention("backlog", &subject, waits("standard"), advice));
                }
                _ => {}
            }
        }
        for (carrier, depth) in orphaned {
            let subject = format!("removed carrier {}", carrier.0);
            let what = format!("{depth} messages or more wait for a carrier that was removed");
            alarms.push(attention("orphaned", &subject, what, "posthorn rollback brings it back; else they expire"));
        }
    }

    fn look_at_webhooks(&self, alarms: &mut Vec<Alarm>) {
        let figures = self.tell.figures();
        if figures.endpoints_down > 0 {
            let what = format!("{} webhook endpoints fail and only get probes", figures.endpoints_down);
            alarms.push(attention("endpoints_down", "webhooks", what, "the log names them"));
        }
        let waited = Duration::from_millis(figures.oldest_due_ms);
        if waited > EVENT_AGE {
            let what = format!("an event waits for {} to be told", age(waited.as_secs()));
            alarms.push(attention("events_wait", "webhooks", what, "a receiver is down or slow; the log names it"));
        }
    }
}

fn urgent(alarm: &'static str, subject: &str, what: String, advice: &str) -> Alarm {
    Alarm { level: Level::Urgent, alarm, subject: subject.to_owned(), what, advice: advice.to_owned() }
}

fn attention(alarm: &'static str, subject: &str, what: String, advice: &str) -> Alarm {
    Alarm { level: Level::Attention, ..urgent(alarm, subject, what, advice) }
}

fn look_at_carrier(control: &Control, state: &CarrierState, alarms: &mut Vec<Alarm>) {
    let carrier = &state.carrier;
    let subject = format!("carrier {}", carrier.name);
    if let Some(hold) = control.hold(carrier.id) {
        let word = match hold.mode {
            HoldMode::Paused => "paused",
            HoldMode::Draining => "draining",
        };
        let what = format!("{word} since {} by {}: {}", timestamp::format_utc(hold.since), hold.who, hold.reason);
        alarms.push(attention("held", &subject, what, "posthorn carrier resume lets it go on"));
    }
    if state.breaker().0 {
        let what = "it answers nothing but system errors and gets only probes".to_owned();
        alarms.push(attention("breaker_open", &subject, what, "ask the operator; it goes on by itself"));
    }
    let binds = state.binds();
    // A bind that is being made for the first time has no problem yet.
    let down = binds.iter().filter_map(|bind| match &bind.state {
        BindState::Connecting(problem) | BindState::Stopped(problem) if !problem.is_empty() => {
            Some((&bind.state, problem))
        }
        _ => None,
    });
    let down: Vec<_> = down.collect();
    let Some((_, problem)) = down.first() else { return };
    let what = format!("{} of {} binds are down: {problem}", down.len(), binds.len());
    let refused = down.iter().any(|(state, _)| matches!(state, BindState::Stopped(_)));
    let advice = match refused {
        true => "correct system_id, password or system_type in the setup file and apply it",
        false => "it is tried again by itself; ask the operator if it lasts",
    };
    let all = down.len() == binds.len();
    alarms.push(if all {
        urgent("carrier_down", &subject, what, advice)
    } else {
        attention("bind_down", &subject, what, advice)
    });
}
