//! The way into a running session from anywhere, and what it counts.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

use bytes::BytesMut;

use super::answer::Answer;
use super::watch::{FrameWatcher, Watch};

/// No wish beyond going on.
const GO_ON: u8 = 0;
/// Finish the window, then unbind.
const DRAIN: u8 = 1;
/// Unbind now.
const CLOSE: u8 = 2;

/// What the owner wants of a session; later wishes are stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wish {
    GoOn,
    Drain,
    Close,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) window_used: AtomicUsize,
    pub(crate) window_held: AtomicUsize,
    pub(crate) sent: AtomicU64,
    pub(crate) answered: AtomicU64,
    pub(crate) timed_out: AtomicU64,
    pub(crate) answered_late: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) octets_read: AtomicU64,
    pub(crate) octets_written: AtomicU64,
    pub(crate) round_trip_us: AtomicU64,
}

/// What a session has done so far. Taken while it runs, so the figures may be a turn apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionStats {
    /// Requests sent and not ended.
    pub window_used: usize,
    /// Slots ended and not yet given back by the handler.
    pub window_held: usize,
    /// Requests sent: `submit_sm` by a client, `deliver_sm` by a server.
    pub sent: u64,
    /// Requests the peer answered in time.
    pub answered: u64,
    /// Requests the peer did not answer in time.
    pub timed_out: u64,
    /// Answers that came after their time, or to nothing.
    pub answered_late: u64,
    /// Requests of the peer given to the handler: `deliver_sm` at a client, `submit_sm` at a server.
    pub received: u64,
    /// Requests of the peer refused because the inbox was full.
    pub refused: u64,
    /// Requests of the peer that wait for the handler's answer.
    pub unanswered: usize,
    /// Octets read.
    pub octets_read: u64,
    /// Octets written.
    pub octets_written: u64,
    /// The last round trip of a request or an `enquire_link`.
    pub round_trip: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Something was asked of the session since it last looked.
    asked: AtomicBool,
    /// The session is running or about to; waking it again would be wasted.
    awake: AtomicBool,
    waker: Mutex<Option<Waker>>,
    released: AtomicUsize,
    wish: AtomicU8,
    answers: Mutex<BytesMut>,
    pub(crate) unanswered: AtomicUsize,
    ended: AtomicBool,
    pub(crate) watch: Watch,
    pub(crate) counters: Counters,
}

impl Shared {
    fn ask(&self) {
        // The order of these two and of those in `fall_asleep` makes one side always see the other.
        self.asked.store(true, Ordering::SeqCst);
        if !self.awake.swap(true, Ordering::SeqCst)
            && let Some(waker) = self.waker.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
        {
            waker.wake_by_ref();
        }
    }

    pub(crate) fn wake_up(&self, waker: &Waker) {
        self.awake.store(true, Ordering::SeqCst);
        let mut known = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match known.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *known = Some(waker.clone()),
        }
    }

    /// Whether the session may sleep; `false` if something was asked meanwhile.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.awake.store(false, Ordering::SeqCst);
        if self.asked.load(Ordering::SeqCst) {
            self.awake.store(true, Ordering::SeqCst);
            return false;
        }
        true
    }

    pub(crate) fn take_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) && self.asked.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn take_released(&self) -> usize {
        self.released.swap(0, Ordering::AcqRel)
    }

    pub(crate) fn take_answers(&self, out: &mut BytesMut) -> bool {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let any = !answers.is_empty();
        out.extend_from_slice(&answers);
        answers.clear();
        any
    }

    pub(crate) fn wish(&self) -> Wish {
        match self.wish.load(Ordering::Acquire) {
            GO_ON => Wish::GoOn,
            DRAIN => Wish::Drain,
            _ => Wish::Close,
        }
    }

    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }
}

/// A cloneable handle to one session. Everything here may be called from any thread and never waits.
#[derive(Clone)]
pub struct SessionHandle {
    pub(crate) shared: Arc<Shared>,
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SessionHandle").field("stats", &self.stats()).finish()
    }
}

impl SessionHandle {
    pub(crate) fn new() -> Self {
        Self { shared: Arc::default() }
    }

    /// Says that there is work to pull. Costs two atomic operations while the session is busy anyway.
    pub fn wake(&self) {
        self.shared.ask();
    }

    /// Gives back `slots` of the window under [`super::ReleaseOn::Handler`].
    pub fn release(&self, slots: usize) {
        self.shared.released.fetch_add(slots, Ordering::AcqRel);
        self.shared.ask();
    }

    /// Answers requests of the peer and says how many of the answers were taken: none after the session has ended, and
    /// not more than there are unanswered requests, which bounds what can wait here.
    pub fn respond(&self, answers: &[Answer<'_>]) -> usize {
        if self.has_ended() {
            return 0;
        }
        let mut buffer = self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = answers.iter().filter(|answer| answer.write(&self.shared.unanswered, &mut buffer)).count();
        drop(buffer);
        self.shared.ask();
        taken
    }

    /// Stops pulling work, waits until the window is empty, then unbinds.
    pub fn drain(&self) {
        self.shared.wish.fetch_max(DRAIN, Ordering::AcqRel);
        self.shared.ask();
    }

    /// Unbinds now. Responses still under way are taken until the peer answers or the unbind timer ends.
    pub fn close(&self) {
        self.shared.wish.fetch_max(CLOSE, Ordering::AcqRel);
        self.shared.ask();
    }

    /// Lets someone look at the frames of this session from now on; false if somebody else does.
    pub fn watch_frames(&self, watcher: Arc<dyn FrameWatcher>) -> bool {
        self.shared.watch.set(watcher)
    }

    /// Whether the session is over.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.shared.ended.load(Ordering::Acquire)
    }

    /// What the session has done so far.
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SessionStats {
            window_used: counters.window_used.load(Ordering::Relaxed),
            window_held: counters.window_held.load(Ordering::Relaxed),
            sent: read(&counters.sent),
            answered: read(&counters.answered),
            timed_out: read(&counters.timed_out),
            answered_late: read(&counters.answered_late),
            received: read(&counters.received),
            refused: read(&counters.refused),
            unanswered: self.shared.unanswered.load(Ordering::Relaxed),
            octets_read: read(&counters.octets_read),
            octets_written: read(&counters.octets_written),
            round_trip: Duration::from_micros(read(&counters.round_trip_us)),
        }
    }
}
