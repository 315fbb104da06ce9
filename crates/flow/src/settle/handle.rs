//! The way in: what operators took, refused and reported.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::clock::Clock;
use domain::control::{Carrier, Control};
use domain::fact::{Fact, MessageFact};
use domain::id::{CarrierId, KeyId, MessageId};
use domain::lane::Lane;
use domain::limits;
use domain::operator_id;
use domain::phone::Phone;
use domain::request::Waiting;
use domain::state::Status;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use parking_lot::Mutex;
use store::Store;
use store::question::ReceiptMatch;

use super::doubts::{Doubt, Doubts};
use super::learn::Learning;
use super::parked;
use super::recorder::record_in_order;
use crate::enqueue::{Enqueue, Job};
use crate::health::Health;
use crate::latency::Latency;
use crate::two_way::TwoWay;

/// A part that an operator took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The message.
    pub id: MessageId,
    /// Part number from 1.
    pub part: u8,
    /// The operator's id as given; empty if it gave none.
    pub operator_id: Box<str>,
}

/// The way into settle. Cheap to clone.
#[derive(Clone)]
pub struct Settle(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub store: Store,
    pub enqueue: Enqueue,
    pub two_way: TwoWay,
    pub clock: Clock,
    /// Ids given by operators whose facts are not durable yet: a receipt may be faster than our commit.
    pub in_progress: Mutex<HashMap<i64, ReceiptMatch, RandomState>>,
    pub learning: Learning,
    /// Parked receipts that are being given to their message right now.
    pub unparking: Mutex<std::collections::HashSet<MessageId, RandomState>>,
    pub doubts: Doubts,
    pub stats: Stats,
    pub latency: Latency,
    pub health: Health,
}

/// What settle has seen so far.
#[derive(Debug, Default)]
pub struct Stats {
    /// Parts taken by operators.
    pub taken: AtomicU64,
    /// Parts refused by operators.
    pub refused: AtomicU64,
    /// Receipts matched at once.
    pub receipts_matched: AtomicU64,
    /// Receipts parked because no message was known.
    pub receipts_parked: AtomicU64,
    /// Parked receipts that found their message later.
    pub receipts_unparked: AtomicU64,
    /// Receipts whose id came into question for two messages; they are parked.
    pub receipts_ambiguous: AtomicU64,
    /// Requests of operators that could not be read to their end.
    pub damaged: AtomicU64,
    /// Incoming messages and parts.
    pub incoming: AtomicU64,
    /// Parts sent again although an operator may have taken them.
    pub repeated: AtomicU64,
    /// Parts that may have been taken and are not sent again.
    pub in_doubt: AtomicU64,
    /// Parts of unknown outcome that a receipt was matched to by recipient and sender.
    pub doubts_resolved: AtomicU64,
    /// Parts that operators took twice, as their answers say.
    pub duplicates: AtomicU64,
    /// Messages whose validity ran out before they were handed over.
    pub expired: AtomicU64,
    /// Messages without a final receipt for every part after validity and grace.
    pub unknown: AtomicU64,
}

impl Settle {
    /// Settle on this store.
    #[must_use]
    pub fn new(
        store: Store,
        enqueue: Enqueue,
        two_way: TwoWay,
        clock: Clock,
        (latency, health): (Latency, Health),
    ) -> Self {
        let (in_progress, learning, unparking) = (Mutex::default(), Learning::default(), Mutex::default());
        Self(Arc::new(Inner {
            store,
            enqueue,
            two_way,
            clock,
            in_progress,
            learning,
            unparking,
            doubts: Doubts::default(),
            stats: Stats::default(),
            latency,
            health,
        }))
    }

    /// What it has seen so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// An operator took parts, all of one lane. `durable` is called with true when that
    /// can't be forgotten any more, with false when the store was closed first.
    pub fn taken(
        &self,
        carrier: &Arc<Carrier>,
        lane: Lane,
        taken: Vec<Taken>,
        durable: impl FnOnce(bool) + Send + 'static,
    ) {
        let at = self.0.clock.now();
        self.0.stats.taken.fetch_add(taken.len() as u64, Ordering::Relaxed);
        let mut keys = Vec::with_capacity(taken.len());
        let mut facts = Vec::with_capacity(taken.len());
        let format = carrier.message_id_format;
        let learnt = self.0.learning.of(carrier.id);
        let vital = self.0.health.vital(carrier.id);
        vital.parts_taken[lane.index()].fetch_add(taken.len() as u64, Ordering::Relaxed);
        for Taken { id, part, operator_id } in taken {
            let canonical_id = if operator_id.is_empty() { Box::default() } else { format.from_response(&operator_id) };
            if !canonical_id.is_empty() {
                learnt.answered(&operator_id);
                keys.push((
                    operator_id::match_key(carrier.id, &canonical_id),
                    canonical_id.clone(),
                    ReceiptMatch { id, part },
                ));
            }
            vital.taken(id, at);
            let what = MessageFact::Submitted { part, carrier: carrier.id, operator_id, canonical_id };
            facts.push(Fact::Message { id, at, what });
        }
        self.0.in_progress.lock().extend(keys.iter().map(|(key, _, place)| (*key, place.clone())));
        let (settle, carrier) = (self.clone(), Arc::clone(carrier));
        record_in_order(&self.0.store, lane, facts, move |is_durable| {
            settle.forget_in_progress(&keys);
            durable(is_durable);
            if settle.0.store.has_parked() {
                tokio::spawn(async move { parked::match_taken(&settle, &carrier, keys).await });
            }
        });
    }

    fn forget_in_progress(&self, keys: &[(i64, Box<str>, ReceiptMatch)]) {
        let mut in_progress = self.0.in_progress.lock();
        for (key, _, place) in keys {
            if in_progress.get(key) == Some(place) {
                in_progress.remove(key);
            }
        }
    }

    /// An operator refused a part. Temporary refusals are kept in the message's history.
    pub fn refused(
        &self,
        carrier: CarrierId,
        id: MessageId,
        part: u8,
        (command_status, is_final): (u32, bool),
        durable: impl FnOnce(bool) + Send + 'static,
    ) {
        self.0.stats.refused.fetch_add(1, Ordering::Relaxed);
        self.0.health.vital(carrier).parts_refused[id.lane().index()].fetch_add(1, Ordering::Relaxed);
        self.record(id, MessageFact::Refused { part, carrier, command_status, is_final }, durable);
    }

    /// The control data in force.
    #[must_use]
    pub fn control(&self) -> Arc<Control> {
        self.0.store.control()
    }

    /// Parts of one lane are about to be written that must not be sent twice. They may be once `durable`
    /// is called with true.
    pub fn intended(
        &self,
        carrier: CarrierId,
        lane: Lane,
        parts: &[(MessageId, u8)],
        durable: impl FnOnce(bool) + Send + 'static,
    ) {
        let at = self.0.clock.now();
        let fact = |(id, part): &(MessageId, u8)| Fact::Message {
            id: *id,
            at,
            what: MessageFact::Intended { part: *part, carrier },
        };
        record_in_order(&self.0.store, lane, parts.iter().map(fact).collect(), durable);
    }

    /// A part that was about to be written was not.
    pub fn not_sent(&self, id: MessageId, part: u8) {
        self.record(id, MessageFact::NotSent { part }, |_| {});
    }

    /// It is not known whether an operator took a part, and it is sent again.
    pub fn repeated(&self, carrier: CarrierId, id: MessageId, part: u8) {
        self.0.stats.repeated.fetch_add(1, Ordering::Relaxed);
        self.record(id, MessageFact::Unanswered { part, carrier, is_repeated: true }, |_| {});
    }

    /// It is not known whether an operator took a part, and it is not sent again: a receipt may tell.
    pub(crate) fn in_doubt(&self, doubt: Doubt, durable: impl FnOnce(bool) + Send + 'static) {
        let (id, carrier, at) = (doubt.id, doubt.carrier, self.0.clock.now());
        let facts: Vec<Fact> = doubt
            .parts
            .clone()
            .map(|part| Fact::Message { id, at, what: MessageFact::Unanswered { part, carrier, is_repeated: false } })
            .collect();
        self.0.stats.in_doubt.fetch_add(facts.len() as u64, Ordering::Relaxed);
        self.0.doubts.add(doubt, at);
        record_in_order(&self.0.store, id.lane(), facts, durable);
    }

    /// The facts of a message whose parts were about to be written when the program ended.
    pub(crate) fn doubt_after_crash(&self, waiting: &Waiting) -> Vec<Fact> {
        let now = self.0.clock.now();
        self.0.stats.in_doubt.fetch_add(waiting.parts_intended.len() as u64, Ordering::Relaxed);
        let Waiting { id, carrier, phone, content, parts_intended, .. } = waiting;
        let fact = |&part: &u8| {
            self.0.doubts.add(
                Doubt {
                    carrier: *carrier,
                    id: *id,
                    parts: part..=part,
                    phone: *phone,
                    sender: content.sender.as_str().into(),
                    since: content.accepted_at,
                    until: content.expires_at.max(now).plus_ms(limits::RECEIPT_GRACE_MS),
                    resolved: Box::new(|| {}),
                },
                now,
            );
            let what = MessageFact::Unanswered { part, carrier: *carrier, is_repeated: false };
            Fact::Message { id: *id, at: now, what }
        };
        parts_intended.iter().map(fact).collect()
    }

    /// A part is sent again in a moment, unless a receipt says before that an operator has it.
    pub(crate) fn wait_for_receipt(&self, doubt: Doubt) {
        self.0.doubts.add(doubt, self.0.clock.now());
    }

    /// The operator has answered after all.
    pub(crate) fn no_doubt(&self, carrier: CarrierId, phone: Phone, part: (MessageId, u8)) {
        self.0.doubts.forget(carrier, phone, part);
    }

    /// Validity and grace of a message are over without a final receipt; `one_is_enough` where its carrier sends one
    /// receipt for a long message.
    pub fn no_receipt(&self, id: MessageId, one_is_enough: bool) {
        self.0.stats.unknown.fetch_add(1, Ordering::Relaxed);
        self.record(id, MessageFact::NoReceipt { one_is_enough }, |_| {});
    }

    /// We ended a message ourselves.
    pub fn ended(
        &self,
        id: MessageId,
        status: Status,
        reason: &'static str,
        durable: impl FnOnce(bool) + Send + 'static,
    ) {
        if status == Status::Expired {
            self.0.stats.expired.fetch_add(1, Ordering::Relaxed);
        }
        self.record(id, MessageFact::Ended { status, reason }, durable);
    }

    fn record(&self, id: MessageId, what: MessageFact, durable: impl FnOnce(bool) + Send + 'static) {
        let fact = Fact::Message { id, at: self.0.clock.now(), what };
        record_in_order(&self.0.store, id.lane(), vec![fact], durable);
    }

    /// Whether the recipient of a message wants no messages from its sender by now.
    pub(crate) fn is_opted_out(&self, job: &Job) -> bool {
        let content = job.content();
        content.key != KeyId::CONFIRMATION && self.0.store.is_opted_out(job.account, content.sender.as_str(), job.phone)
    }
}
