//! What the operator was given, part by part.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

/// One submit_sm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// Which session it came over, counted from 1.
    pub session: u64,
    /// Sender.
    pub source: String,
    /// Recipient.
    pub destination: String,
    /// The text of this part, decoded.
    pub text: String,
    /// Reference, total and number, if it is a part of a long message.
    pub concatenation: Option<(u16, u8, u8)>,
    /// The octets as they came, user data header included.
    pub short_message: Vec<u8>,
    /// `data_coding`.
    pub data_coding: u8,
    /// `registered_delivery`.
    pub registered_delivery: u8,
    /// `validity_period`.
    pub validity_period: String,
    /// The id given to it; empty if it was refused.
    pub id: String,
    /// The command_status it was answered with; `None` if it was not answered.
    pub command_status: Option<u32>,
}

/// Everything the operator saw. Counters are always kept, the parts only while recording is on.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Parts received.
    pub submitted: AtomicU64,
    /// Parts accepted.
    pub accepted: AtomicU64,
    /// Receipts sent.
    pub receipts: AtomicU64,
    /// Receipts that were acknowledged with ROK.
    pub receipts_acknowledged: AtomicU64,
    /// Receipts that were answered otherwise, or not.
    pub receipts_refused: AtomicU64,
    /// Binds accepted.
    pub binds: AtomicU64,
    recording: AtomicBool,
    parts: Mutex<Vec<Submitted>>,
    acknowledged_ids: Mutex<Vec<String>>,
}

impl Ledger {
    pub(super) fn new(recording: bool) -> Self {
        Self { recording: AtomicBool::new(recording), ..Self::default() }
    }

    /// Whether parts are kept; counters are in any case.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, part: Submitted) {
        self.parts.lock().push(part);
    }

    pub(super) fn add_acknowledged(&self, id: String) {
        self.acknowledged_ids.lock().push(id);
    }

    /// All parts so far, in the order of arrival.
    #[must_use]
    pub fn parts(&self) -> Vec<Submitted> {
        self.parts.lock().clone()
    }

    /// Ids (as given in the answer) whose receipts were acknowledged with ROK.
    #[must_use]
    pub fn acknowledged_ids(&self) -> Vec<String> {
        self.acknowledged_ids.lock().clone()
    }
}
