//! Moves what waits for a carrier that is down, in trouble or gone to another way, and what a carrier
//! refused for reasons of its own.

use std::sync::Arc;
use std::time::Duration;

use domain::control::{Account, Control};
use domain::fact::{Fact, MessageFact};
use domain::id::{AccountId, CarrierId};
use domain::lane::Lane;
use domain::limits;
use domain::sender::Sender;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use smallvec::SmallVec;
use store::Store;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::figures::Move;
use super::router::{Router, Trip};
use crate::drain;
use crate::enqueue::{Enqueue, Entry, Job, Line, Shared, Unwanted, Whole, can_carry, hand_over};
use crate::settle::Settle;

/// How often lines are looked at, when no share moves meanwhile.
const TICK: Duration = Duration::from_millis(200);
/// What had no other way is looked at again after this long, when neither shares nor control data changed.
const LOOK_AGAIN_TICKS: u32 = 25;

/// Why a message left a carrier that refused it for reasons of its own, before the code.
const REFUSED: &str = "refused";

/// Moves the messages of one lane. Each lane has its own, so that bulk never delays the other.
pub struct Mover {
    lane: Lane,
    router: Router,
    enqueue: Enqueue,
    store: Store,
    settle: Settle,
    /// Lines nothing of which had another way, with what held then.
    stuck: HashMap<CarrierId, Stuck, RandomState>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Stuck {
    moves: u64,
    version: u64,
    ticks_left: u32,
}

/// Messages on their way to other lines, by carrier.
type Leaving = HashMap<CarrierId, Vec<Whole>, RandomState>;

impl Mover {
    /// The mover of one lane.
    #[must_use]
    pub fn new(lane: Lane, router: Router, enqueue: Enqueue, store: Store, settle: Settle) -> Self {
        Self { lane, router, enqueue, store, settle, stuck: HashMap::default() }
    }

    /// Runs until `drain` turns true.
    pub async fn run(mut self, mut drain: watch::Receiver<bool>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let health = self.router.health().clone();
        loop {
            tokio::select! {
                () = drain::requested(&mut drain) => return,
                _ = tick.tick() => {}
                () = health.moved() => {}
            }
            for line in self.enqueue.of_lane(self.lane) {
                self.look_at(&line).await;
            }
        }
    }

    async fn look_at(&mut self, line: &Arc<Line>) {
        let control = self.store.control();
        let unwanted = line.take_unwanted();
        if !unwanted.is_empty() {
            self.refused(line, &control, unwanted).await;
        }
        let standing = self.router.health().standing(line.carrier, self.lane);
        let reason = match control.carrier(line.carrier) {
            None => "removed",
            Some(_) if standing.share == 0 => standing.trouble.word(),
            Some(_) => {
                self.stuck.remove(&line.carrier);
                return;
            }
        };
        if !line.is_empty() && !self.is_stuck(line.carrier, &control) {
            self.evacuate(line, &control, reason).await;
        }
    }

    fn is_stuck(&mut self, carrier: CarrierId, control: &Control) -> bool {
        let moves = self.router.health().moves();
        self.stuck.get_mut(&carrier).is_some_and(|stuck| {
            stuck.ticks_left = stuck.ticks_left.saturating_sub(1);
            stuck.moves == moves && stuck.version == control.version && stuck.ticks_left > 0
        })
    }

    /// Moves everything in the line that has another way.
    async fn evacuate(&mut self, line: &Arc<Line>, control: &Control, reason: &'static str) {
        let moves = self.router.health().moves();
        let mut staying = Vec::new();
        let mut leaving = Leaving::default();
        for whole in line.take_whole() {
            match self.way_of(control, &whole.entry.job, line.carrier) {
                Some(carrier) => leaving.entry(carrier).or_default().push(whole),
                None => staying.push(whole),
            }
        }
        if !staying.is_empty() {
            line.put_back(staying);
        }
        if leaving.is_empty() {
            let stuck = Stuck { moves, version: control.version, ticks_left: LOOK_AGAIN_TICKS };
            self.stuck.insert(line.carrier, stuck);
            return;
        }
        let mut moved = 0;
        for (carrier, messages) in leaving {
            moved += self.leave(line, carrier, messages, (reason, None)).await;
        }
        tracing::warn!(target: "route", lane = self.lane.name(), messages = moved, reason,
            "waiting messages were moved to other carriers");
        self.enqueue.taken(self.lane);
    }

    /// Another carrier for a message: one that can write its text in the parts that were priced.
    fn way_of(&self, control: &Control, job: &Job, from: CarrierId) -> Option<CarrierId> {
        if is_tied(control, job.account, &job.content().sender) {
            return None;
        }
        let mut without = job.tried.clone();
        without.push(from);
        loop {
            let carrier = self.router.another(control, &trip(job, self.lane), &without)?.carrier;
            if can_carry(carrier, job.content(), job.id) {
                return Some(carrier.id);
            }
            without.push(carrier.id);
        }
    }

    /// Finds another way for what the line's carrier refused; without one the refusal is final.
    async fn refused(&mut self, line: &Arc<Line>, control: &Control, unwanted: Vec<Unwanted>) {
        let mut leaving: HashMap<(CarrierId, u32), Vec<Whole>, RandomState> = HashMap::default();
        let mut again = Vec::new();
        for Unwanted { entry, command_status, forms } in unwanted {
            let may_move = entry.is_whole() && !entry.job.has_ended();
            if may_move && forms != 0 {
                entry.job.adopt_form(forms);
                again.push(Whole { entry, due_at: None });
                continue;
            }
            let way = may_move.then(|| self.way_of(control, &entry.job, line.carrier)).flatten();
            match way {
                Some(carrier) => {
                    let whole = Whole { entry, due_at: None };
                    leaving.entry((carrier, command_status)).or_default().push(whole);
                }
                None => self.refused_for_good(line, entry, command_status),
            }
        }
        if !again.is_empty() {
            line.put_back(again);
        }
        for ((carrier, command_status), messages) in leaving {
            self.leave(line, carrier, messages, (REFUSED, Some(command_status))).await;
        }
    }

    fn refused_for_good(&self, line: &Arc<Line>, mut entry: Entry, command_status: u32) {
        let (job, line) = (Arc::clone(&entry.job), Arc::clone(line));
        job.end();
        if let Some(number) = entry.next_part() {
            let id = job.id;
            self.settle.refused(line.carrier, id, number, (command_status, true), move |_| line.let_go(id));
        }
    }

    /// Makes the new carrier durable, then gives the messages to its line; what can't be recorded stays.
    async fn leave(
        &self,
        from: &Arc<Line>,
        carrier: CarrierId,
        messages: Vec<Whole>,
        (reason, refused): (&'static str, Option<u32>),
    ) -> usize {
        let to = self.enqueue.line(self.lane, carrier);
        let in_full = refused.map_or_else(|| reason.to_owned(), |status| format!("{reason}_{status:#06x}"));
        let mut moved = 0;
        let mut messages = messages.into_iter().peekable();
        // What the messages of one request share is shared by them in the new line too.
        let mut shared: HashMap<usize, Arc<Shared>, RandomState> = HashMap::default();
        while messages.peek().is_some() {
            let page: Vec<Whole> = messages.by_ref().take(limits::MOVED_AT_ONCE).collect();
            let at = self.store.ids().clock().now();
            let facts = page.iter().flat_map(|whole| {
                let fact = |what| Fact::Message { id: whole.entry.job.id, at, what };
                let refused = refused.map(|command_status| {
                    fact(MessageFact::Refused { part: 1, carrier: from.carrier, command_status, is_final: false })
                });
                let rerouted = fact(MessageFact::Rerouted { carrier, reason: in_full.as_str().into() });
                refused.into_iter().chain([rerouted])
            });
            let facts = facts.collect();
            let places = to.reserve(&page);
            if let Err(error) = self.store.record(self.lane, facts).await {
                to.give_up_places(&page[..places]);
                tracing::error!(target: "route", %error, "messages can't be moved, they wait where they are");
                from.put_back(page);
                from.put_back(messages.collect());
                break;
            }
            moved += page.len();
            let entries = page.into_iter().map(|Whole { entry, .. }| {
                let content = &entry.job.shared.content;
                let shared =
                    shared.entry(Arc::as_ptr(content).addr()).or_insert_with(|| Shared::new(Arc::clone(content)));
                let mut tried: SmallVec<[CarrierId; 2]> = entry.job.tried.clone();
                if refused.is_some() {
                    tried.push(from.carrier);
                }
                entry.elsewhere(Arc::clone(shared), tried)
            });
            hand_over(from, &to, entries.collect(), places);
        }
        let made = Move { lane: self.lane, from: from.carrier, to: carrier, reason };
        self.router.figures().moved(made, moved as u64);
        moved
    }
}

/// A number that people write to can only send where it is connected.
pub(super) fn is_tied(control: &Control, account: AccountId, sender: &Sender) -> bool {
    let is_own = |account: &Account| account.numbers.iter().any(|number| number.number == sender.as_str());
    control.account(account).is_some_and(|account| is_own(account))
}

fn trip(job: &Job, lane: Lane) -> Trip<'_> {
    Trip { phone: job.phone, sender: &job.content().sender, account: job.account, lane }
}
