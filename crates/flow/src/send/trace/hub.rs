//! Who looks, and at what.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use domain::clock::UnixMillis;
use domain::control::Carrier;
use domain::limits::{TRACE_FRAMES_MAX, TRACED_REQUESTS_MAX, TRACES_MAX};
use parking_lot::Mutex;
use smpp::Header;
use smpp::pdu::{Decoded, Pdu, decode};
use smpp::session::Direction;
use tokio::sync::mpsc;

/// Stands for the bind of sessions that the operator opened: they have no number among those that we open.
pub const OUTBIND: u16 = u16::MAX;

/// What someone wants to see. What is left open does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceFilter {
    /// Name of the carrier.
    pub carrier: Option<String>,
    /// Bind, from 0.
    pub bind: Option<u16>,
    /// Digits of a sender or recipient.
    pub number: Option<String>,
}

/// A frame somebody wanted to see.
#[derive(Clone, Debug)]
pub struct TracedFrame {
    /// When.
    pub at: UnixMillis,
    /// Over which carrier.
    pub carrier: Arc<Carrier>,
    /// Over which of its binds, from 0; [`OUTBIND`] for a session that the operator opened.
    pub bind: u16,
    /// Which way.
    pub direction: Direction,
    /// The frame, header included.
    pub octets: Box<[u8]>,
}

/// The way to all traces. Cheap to clone.
#[derive(Clone, Default)]
pub struct Traces(pub(super) Arc<Hub>);

#[derive(Default)]
pub(super) struct Hub {
    looking: AtomicUsize,
    lookers: Mutex<Vec<Looker>>,
    names: AtomicU64,
}

struct Looker {
    name: u64,
    filter: TraceFilter,
    frames: mpsc::Sender<TracedFrame>,
    missed: Arc<AtomicU64>,
    /// Requests with the number that is looked for; their answers carry no number.
    requests: HashSet<(u64, Direction, u32)>,
}

/// What one looker sees. It ends when this is dropped.
pub struct TraceStream {
    frames: mpsc::Receiver<TracedFrame>,
    missed: Arc<AtomicU64>,
    name: u64,
    hub: Arc<Hub>,
}

impl Traces {
    /// Begins to look; `None` when too many look already.
    #[must_use]
    pub fn open(&self, filter: TraceFilter) -> Option<TraceStream> {
        let mut lookers = self.0.lookers.lock();
        if lookers.len() >= TRACES_MAX {
            return None;
        }
        let (sender, frames) = mpsc::channel(TRACE_FRAMES_MAX);
        let (name, missed) = (self.0.names.fetch_add(1, Ordering::Relaxed), Arc::<AtomicU64>::default());
        lookers.push(Looker { name, filter, frames: sender, missed: Arc::clone(&missed), requests: HashSet::new() });
        self.0.looking.store(lookers.len(), Ordering::Relaxed);
        Some(TraceStream { frames, missed, name, hub: Arc::clone(&self.0) })
    }
}

impl TraceStream {
    /// The next frame; waits for one.
    pub async fn next(&mut self) -> Option<TracedFrame> {
        self.frames.recv().await
    }

    /// Whether another frame is there already.
    #[must_use]
    pub fn has_more(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Frames that were missed since the last time because this one did not keep up.
    pub fn take_missed(&mut self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }
}

impl Drop for TraceStream {
    fn drop(&mut self) {
        let mut lookers = self.hub.lookers.lock();
        lookers.retain(|looker| looker.name != self.name);
        self.hub.looking.store(lookers.len(), Ordering::Relaxed);
    }
}

impl Hub {
    pub(super) fn looks(&self) -> bool {
        self.looking.load(Ordering::Relaxed) > 0
    }

    /// Gives a frame of session `session` to whoever wants it.
    pub(super) fn show(&self, session: u64, frame: &TracedFrame) {
        for looker in self.lookers.lock().iter_mut() {
            if looker.wants(session, frame) && looker.frames.try_send(frame.clone()).is_err() {
                looker.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Looker {
    fn wants(&mut self, session: u64, frame: &TracedFrame) -> bool {
        let TraceFilter { carrier, bind, number } = &self.filter;
        let other_carrier = carrier.as_ref().is_some_and(|name| *name != frame.carrier.name);
        if other_carrier || bind.is_some_and(|bind| bind != frame.bind) {
            return false;
        }
        let Some(number) = number else { return true };
        let Some(header) = Header::read(&frame.octets) else { return false };
        if header.command_id.is_response() {
            return self.requests.remove(&(session, opposite(frame.direction), header.sequence_number));
        }
        let wanted = numbers(&frame.octets).is_some_and(|numbers| numbers.contains(&number.as_bytes()));
        if wanted {
            if self.requests.len() >= TRACED_REQUESTS_MAX {
                // Answers that never came; the trace goes on without those that still may.
                self.requests.clear();
            }
            self.requests.insert((session, frame.direction, header.sequence_number));
        }
        wanted
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::In => Direction::Out,
        Direction::Out => Direction::In,
    }
}

/// Digits of sender and recipient of a message.
fn numbers(frame: &[u8]) -> Option<[&[u8]; 2]> {
    let Decoded::Parsed { pdu, .. } = decode(frame) else { return None };
    let sm = match pdu {
        Pdu::SubmitSm(sm) | Pdu::DeliverSm(sm) => sm,
        Pdu::DataSm(data) => data.as_sm(),
        _ => return None,
    };
    Some([sm.source.digits, sm.destination.digits].map(|digits| digits.strip_prefix(b"+").unwrap_or(digits)))
}
