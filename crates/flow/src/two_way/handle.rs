//! The way in: kept first, then answered.

use std::sync::Arc;

use domain::clock::{Clock, UnixMillis};
use domain::control::Carrier;
use domain::fact::Fact;
use domain::id::CarrierId;
use domain::incoming::{IncomingMessage, IncomingPart};
use domain::lane::Lane;
use domain::limits::{JOIN_PARTS_READ_MAX, LATE_PART_LIFE_MS, TALKER_QUEUE_MAX, TALKERS};
use parking_lot::Mutex;
use store::{QuestionError, Store};
use tokio::sync::mpsc;

use super::guard::Guard;
use super::join::Joiner;
use super::keep::{Keeping, Text};
use super::options::Options;
use super::read::Received;
use super::stats::{Stats, count};
use super::talk::{Scripts, Work};
use crate::accept::Accept;

/// The way into two-way. Cheap to clone.
#[derive(Clone)]
pub struct TwoWay(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub store: Store,
    pub accept: Accept,
    pub clock: Clock,
    pub options: Options,
    pub stats: Stats,
    pub guard: Mutex<Guard>,
    pub scripts: Scripts,
    joining: Mutex<Joining>,
    talkers: Vec<mpsc::Sender<Work>>,
}

/// The joiner and whether it knows what the store knows.
struct Joining {
    joiner: Joiner,
    /// Something it took in could not be made durable: it has to be built anew.
    is_sound: bool,
    /// Takes that are not durable yet.
    in_flight: usize,
}

impl TwoWay {
    /// Two-way on this store, with the queues its service works through.
    pub(super) fn new(
        store: Store,
        accept: Accept,
        clock: Clock,
        options: Options,
    ) -> (Self, Vec<mpsc::Receiver<Work>>) {
        let (talkers, queues) = (0..TALKERS).map(|_| mpsc::channel(TALKER_QUEUE_MAX)).unzip();
        let joining = Joining { joiner: Joiner::new(options.join_ms()), is_sound: true, in_flight: 0 };
        let inner = Inner {
            store,
            accept,
            clock,
            options,
            stats: Stats::default(),
            guard: Mutex::default(),
            scripts: Scripts::default(),
            joining: Mutex::new(joining),
            talkers,
        };
        (Self(Arc::new(inner)), queues)
    }

    /// What it has seen so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// Long messages that wait for parts, and the octets they hold in memory.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let joining = self.0.joining.lock();
        (joining.joiner.open(), joining.joiner.octets())
    }

    /// Takes what people wrote. `Ok` means that every message and part is on stable storage, and with it who
    /// wants no more messages; answers follow.
    ///
    /// # Errors
    /// A sentence for the log when that can't be: the operator has to repeat them all.
    pub async fn received(&self, carrier: &Carrier, received: Vec<Received>) -> Result<(), &'static str> {
        let keeping = self.take(carrier.id, received)?;
        self.make_durable(keeping).await
    }

    fn take(&self, carrier: CarrierId, received: Vec<Received>) -> Result<Keeping, &'static str> {
        let inner = &*self.0;
        let (now, control, ids) = (inner.clock.now(), inner.store.control(), inner.store.ids());
        let mut keeping = Keeping::default();
        let mut joining = inner.joining.lock();
        if !joining.is_sound && received.iter().any(|one| one.place.is_some()) {
            return Err("long messages are being read back from the store");
        }
        for one in received {
            let Some(place) = one.place else {
                keeping.take(&control, &inner.store, Text::of(carrier, now, one));
                continue;
            };
            let id = ids.next(Lane::Standard);
            let Received { source, destination, letters, payload, raw, .. } = one;
            let part =
                IncomingPart { id, group: id, carrier, at: now, source, destination, place, letters, payload, raw };
            let taken = joining.joiner.take(part, now);
            count(if taken.is_repeat { &inner.stats.repeats } else { &inner.stats.parts });
            keeping.facts.extend(taken.part.map(|part| Fact::IncomingPart(Box::new(part))));
            taken.joined.into_iter().for_each(|joined| keeping.take(&control, &inner.store, joined.into()));
        }
        joining.in_flight += 1;
        Ok(keeping)
    }

    /// People first: once a STOP is answered, nothing more may be sent.
    async fn make_durable(&self, keeping: Keeping) -> Result<(), &'static str> {
        let Keeping { facts, people, messages } = keeping;
        let recorded = self.record(facts, people).await;
        {
            let mut joining = self.0.joining.lock();
            joining.in_flight -= 1;
            joining.is_sound &= recorded.is_ok();
        }
        recorded?;
        for message in messages {
            self.count(&message);
            if !message.handled {
                self.hand_over(Work::Message(message)).await;
            }
        }
        Ok(())
    }

    async fn record(&self, facts: Vec<Fact>, people: Vec<domain::person::PersonFact>) -> Result<(), &'static str> {
        let store = &self.0.store;
        if !people.is_empty() {
            store.record_people(people).await.map_err(|_| "the store can't record what people want")?;
        }
        if !facts.is_empty() {
            store.record(Lane::Standard, facts).await.map_err(|_| "the store can't record incoming messages")?;
        }
        Ok(())
    }

    fn count(&self, message: &IncomingMessage) {
        let stats = &self.0.stats;
        match message.account {
            Some(_) => count(&stats.messages),
            None => {
                count(&stats.unowned);
                let phone = message.phone.map(domain::phone::Phone::masked).unwrap_or_default();
                tracing::warn!(target: "two_way", number = &*message.number, phone, id = %message.id, "an incoming message to a number and keyword that no account owns is kept");
            }
        }
        if message.late_part.is_some() {
            count(&stats.late_parts);
        } else if !message.is_complete() {
            count(&stats.incomplete);
        }
        if message.flaw.is_some() {
            count(&stats.flawed);
        }
    }

    /// Waits while the queue is full: then the operator is answered later.
    pub(super) async fn hand_over(&self, work: Work) {
        let talker = usize::try_from(work.person() % self.0.talkers.len() as u64).unwrap_or(0);
        // A closed queue means that two-way has stopped; the message stays to be answered after the next start.
        let _ = self.0.talkers[talker].send(work).await;
    }

    /// Hands over only if there is room.
    pub(super) fn try_hand_over(&self, work: Work) {
        let talker = usize::try_from(work.person() % self.0.talkers.len() as u64).unwrap_or(0);
        let _ = self.0.talkers[talker].try_send(work);
    }

    /// Long messages whose time is over are told as far as they came.
    pub(super) async fn expire(&self, now: UnixMillis) {
        let keeping = {
            let control = self.0.store.control();
            let mut joining = self.0.joining.lock();
            if !joining.is_sound {
                return;
            }
            let mut keeping = Keeping::default();
            joining
                .joiner
                .expire(now)
                .into_iter()
                .for_each(|joined| keeping.take(&control, &self.0.store, joined.into()));
            if keeping.facts.is_empty() {
                return;
            }
            joining.in_flight += 1;
            keeping
        };
        if let Err(reason) = self.make_durable(keeping).await {
            tracing::error!(target: "two_way", reason, "long messages whose time is over can't be told yet");
        }
    }

    /// Builds the joiner anew when it may not know what the store knows.
    pub(super) async fn heal(&self) {
        {
            let joining = self.0.joining.lock();
            if joining.is_sound || joining.in_flight > 0 {
                return;
            }
        }
        match self.read_back().await {
            Ok(()) => tracing::info!(target: "two_way", "long messages were read back from the store"),
            Err(error) => {
                tracing::error!(target: "two_way", %error, "long messages can't be read back, parts are refused");
            }
        }
    }

    /// Reads back the long messages that wait for parts.
    pub(super) async fn read_back(&self) -> Result<(), QuestionError> {
        let since = self.0.clock.now().plus_ms(-LATE_PART_LIFE_MS - self.0.options.join_ms());
        let parts = self.0.store.incoming_parts(since, JOIN_PARTS_READ_MAX).await?;
        let mut joiner = Joiner::new(self.0.options.join_ms());
        parts.iter().for_each(|(part, told)| joiner.restore(part, *told));
        let mut joining = self.0.joining.lock();
        (joining.joiner, joining.is_sound) = (joiner, true);
        Ok(())
    }
}
