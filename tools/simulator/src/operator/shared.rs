//! What the sessions of an operator share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::clock::Clock;
use parking_lot::{Mutex, RwLock};
use smpp::session::SessionHandle;
use tokio::sync::{Notify, broadcast};

use super::agenda::Agenda;
use super::answers::HeldAnswers;
use super::behaviour::Behaviour;
use super::delivery::{Delivery, Digits};
use super::join::Message;
use super::ledger::Ledger;
use super::listener::Event;

/// Receipts and incoming parts that wait; beyond it they are dropped and counted.
const DELIVERIES_MAX: usize = 5_000_000;
/// Recipients whose tries are counted; beyond it counting starts anew.
const TRIES_MAX: usize = 10_000;
/// Things that happened and are not looked at yet.
const EVENTS_MAX: usize = 10_000;
/// What the rate limit lets through at once, in microseconds of its rate.
const BURST_US: u64 = 100_000;
/// How often it is looked whether subscribers write by themselves.
const LOOK_FOR_WRITERS_EVERY: Duration = Duration::from_millis(50);
/// No wake-up is planned.
const NEVER: u64 = u64::MAX;

/// A bound session, as others see it.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) number: u64,
    pub(super) handle: SessionHandle,
    pub(super) cut: Arc<Notify>,
    /// Its connection ends with RST.
    pub(super) reset: Arc<AtomicBool>,
    pub(super) held: Arc<HeldAnswers>,
    /// Whether it takes receipts.
    pub(super) receives: bool,
}

impl Bound {
    /// Cuts the connection without a word.
    pub(super) fn cut(&self, with_reset: bool) {
        self.reset.fetch_or(with_reset, Ordering::Relaxed);
        self.cut.notify_one();
    }
}

pub(super) struct Shared {
    pub(super) ledger: Ledger,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) messages: broadcast::Sender<Message>,
    pub(super) clock: Clock,
    /// Ids go on from here, so that no two runs give the same.
    pub(super) id_base: u64,
    pub(super) system_id: String,
    pub(super) password: String,
    pub(super) sessions: Mutex<Vec<Bound>>,
    start: Instant,
    behaviour: RwLock<Arc<Behaviour>>,
    deliveries: Mutex<Agenda<Delivery>>,
    wake_at_ms: AtomicU64,
    wake_changed: Notify,
    /// When the rate limit has caught up, in microseconds since the start.
    paced_until_us: Mutex<u64>,
    tries: Mutex<HashMap<Vec<u8>, u8>>,
    sessions_so_far: AtomicU64,
    references_so_far: AtomicU64,
}

impl Shared {
    pub(super) fn new(system_id: &str, password: &str, behaviour: Behaviour, recording: bool) -> Self {
        let clock = Clock::system();
        Self {
            ledger: Ledger::new(recording),
            events: broadcast::channel(EVENTS_MAX).0,
            messages: broadcast::channel(EVENTS_MAX).0,
            id_base: clock.now().0.unsigned_abs() * 1_000,
            clock,
            system_id: system_id.to_owned(),
            password: password.to_owned(),
            sessions: Mutex::default(),
            start: Instant::now(),
            behaviour: RwLock::new(Arc::new(behaviour)),
            deliveries: Mutex::default(),
            wake_at_ms: AtomicU64::new(NEVER),
            wake_changed: Notify::new(),
            paced_until_us: Mutex::default(),
            tries: Mutex::default(),
            sessions_so_far: AtomicU64::new(0),
            references_so_far: AtomicU64::new(0),
        }
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(NEVER)
    }

    /// Milliseconds since the start.
    pub(super) fn now_ms(&self) -> u64 {
        self.now_us() / 1_000
    }

    pub(super) fn next_session(&self) -> u64 {
        self.sessions_so_far.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The next reference of a long incoming message.
    pub(super) fn next_reference(&self) -> u8 {
        (self.references_so_far.fetch_add(1, Ordering::Relaxed) % 256) as u8
    }

    pub(super) fn behaviour(&self) -> Arc<Behaviour> {
        Arc::clone(&self.behaviour.read())
    }

    pub(super) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.write() = Arc::new(behaviour);
        self.wake_at(self.now_ms());
    }

    /// Puts deliveries up for their times.
    pub(super) fn schedule(&self, new: impl IntoIterator<Item = (u64, Delivery)>) {
        let mut deliveries = self.deliveries.lock();
        for (at_ms, delivery) in new {
            if deliveries.len() >= DELIVERIES_MAX {
                self.ledger.dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            deliveries.push(at_ms, delivery);
        }
        let next = deliveries.next_at();
        drop(deliveries);
        if let Some(at_ms) = next {
            self.wake_at(at_ms);
        }
    }

    /// Puts back what could not be sent, in its order, before everything else.
    pub(super) fn put_back(&self, unsent: impl DoubleEndedIterator<Item = Delivery>) {
        let mut deliveries = self.deliveries.lock();
        unsent.rev().for_each(|delivery| deliveries.push_front(delivery));
    }

    /// Moves up to `count` deliveries that are due into `out`.
    pub(super) fn take_due(&self, now_ms: u64, count: usize, out: &mut Vec<Delivery>) {
        let mut deliveries = self.deliveries.lock();
        while out.len() < count
            && let Some(delivery) = deliveries.pop_due(now_ms)
        {
            out.push(delivery);
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.deliveries.lock().len()
    }

    /// Has the sessions woken at this time.
    pub(super) fn wake_at(&self, at_ms: u64) {
        if self.wake_at_ms.fetch_min(at_ms, Ordering::SeqCst) > at_ms {
            self.wake_changed.notify_one();
        }
    }

    /// Wakes the sessions when something is due, for ever.
    pub(super) async fn keep_waking(&self) {
        loop {
            let next_ms = self.wake_at_ms.load(Ordering::SeqCst);
            let due = async {
                if next_ms == NEVER {
                    return std::future::pending().await;
                }
                tokio::time::sleep_until((self.start + Duration::from_millis(next_ms)).into()).await;
            };
            tokio::select! {
                () = self.wake_changed.notified() => continue,
                () = due => {}
            }
            self.wake_at_ms.store(NEVER, Ordering::SeqCst);
            if let Some(at_ms) = self.do_what_is_due() {
                self.wake_at_ms.fetch_min(at_ms, Ordering::SeqCst);
            }
        }
    }

    /// Lets subscribers write by themselves, for ever.
    pub(super) async fn keep_writing(&self) {
        let mut number = 0;
        loop {
            let behaviour = self.behaviour();
            let kinds = &behaviour.incoming;
            if behaviour.incoming_every_ms == 0 || kinds.is_empty() {
                tokio::time::sleep(LOOK_FOR_WRITERS_EVERY).await;
                continue;
            }
            let kind = kinds[(number % kinds.len() as u64) as usize];
            let now_ms = self.now_ms();
            let parts = kind.write(behaviour.seed, number, &behaviour.incoming_to);
            self.schedule(parts.into_iter().map(|part| (now_ms, part)));
            number += 1;
            tokio::time::sleep(Duration::from_millis(behaviour.incoming_every_ms)).await;
        }
    }

    /// The other sessions that take receipts.
    pub(super) fn other_receivers(&self, number: u64) -> Vec<SessionHandle> {
        let sessions = self.sessions.lock();
        let others = sessions.iter().filter(|bound| bound.receives && bound.number != number);
        others.map(|bound| bound.handle.clone()).collect()
    }

    /// Sends answers, lets sessions take deliveries, and says when the next of either is due.
    fn do_what_is_due(&self) -> Option<u64> {
        let (now_ms, behaviour) = (self.now_ms(), self.behaviour());
        let frozen = behaviour.is_frozen(now_ms);
        // What is due already needs no further wake-up: a session that gets room asks by itself.
        let mut next = self.deliveries.lock().next_after(now_ms);
        next = next.into_iter().chain(behaviour.swallows_until(now_ms)).min();
        for bound in self.sessions.lock().iter() {
            let answer = if frozen { None } else { bound.held.send_due(now_ms) };
            next = next.into_iter().chain(answer).min();
            bound.handle.wake();
        }
        next
    }

    /// Whether the rate limit is exceeded (generic cell rate algorithm with a burst of 100 ms).
    pub(super) fn is_too_fast(&self, rate_per_second: u32) -> bool {
        if rate_per_second == 0 {
            return false;
        }
        let now_us = self.now_us();
        let mut paced_until_us = self.paced_until_us.lock();
        if *paced_until_us > now_us + BURST_US {
            return true;
        }
        *paced_until_us = (*paced_until_us).max(now_us) + 1_000_000 / u64::from(rate_per_second);
        false
    }

    /// Counts a try of this recipient and says the how manieth it is.
    pub(super) fn tries(&self, recipient: &[u8]) -> u8 {
        let mut tries = self.tries.lock();
        if tries.len() >= TRIES_MAX {
            tries.clear();
        }
        let count = tries.entry(recipient.to_vec()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    pub(super) fn forget_tries(&self, recipient: &[u8]) {
        self.tries.lock().remove(recipient);
    }

    /// Whether anyone wants to see parts as they come.
    pub(super) fn is_watched(&self) -> bool {
        self.ledger.is_recording() || self.events.receiver_count() > 0 || self.messages.receiver_count() > 0
    }
}

impl Digits {
    /// Whether a handset could write to this address.
    pub(super) fn can_be_written_to(&self) -> bool {
        self.address().digits.iter().all(u8::is_ascii_digit) && !self.address().digits.is_empty()
    }
}
