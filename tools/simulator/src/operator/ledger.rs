//! What the operator was given, part by part.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use super::behaviour::Outcome;
use super::join::{Joiner, Message};

/// Entries kept of each kind; what comes after is only counted.
const ENTRIES_MAX: usize = 5_000_000;

/// One submit_sm or data_sm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// Which session it came over, counted from 1.
    pub session: u64,
    /// Its `sequence_number`.
    pub sequence_number: u32,
    /// When it came, in milliseconds since the operator was started.
    pub at_ms: u64,
    /// Sender.
    pub source: String,
    /// Recipient.
    pub destination: String,
    /// The text of this part, decoded.
    pub text: String,
    /// Reference, total and number, if it is a part of a long message.
    pub concatenation: Option<(u16, u8, u8)>,
    /// Whether it came in a data_sm.
    pub by_data_sm: bool,
    /// The octets as they came, user data header included.
    pub short_message: Vec<u8>,
    /// `esm_class`.
    pub esm_class: u8,
    /// `data_coding`.
    pub data_coding: u8,
    /// `registered_delivery`.
    pub registered_delivery: u8,
    /// `validity_period`.
    pub validity_period: String,
    /// The id given to it; empty if it was refused.
    pub id: String,
    /// The command_status it was answered with; `None` if it was taken and is never answered.
    pub command_status: Option<u32>,
}

/// A receipt that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentReceipt {
    /// When, in milliseconds since the operator was started.
    pub at_ms: u64,
    /// The id as it stood in the answer to the message.
    pub id_in_answer: String,
    /// The recipient of the message.
    pub recipient: String,
    /// What it says.
    pub outcome: Outcome,
}

/// Who bound, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindAttempt {
    /// When, in milliseconds since the operator was started.
    pub at_ms: u64,
    /// The login given.
    pub system_id: String,
    /// Whether it asked to send.
    pub transmits: bool,
    /// Whether it asked to receive.
    pub receives: bool,
    /// The command_status it was answered with.
    pub command_status: u32,
}

/// Everything the operator saw. Counters are always kept, the rest only while recording is on.
#[derive(Debug)]
pub struct Ledger {
    /// Parts received.
    pub submitted: AtomicU64,
    /// Parts accepted, those included that are never answered.
    pub accepted: AtomicU64,
    /// Parts refused.
    pub refused: AtomicU64,
    /// Receipts sent, repeated ones included.
    pub receipts: AtomicU64,
    /// Receipts that were acknowledged with ROK.
    pub receipts_acknowledged: AtomicU64,
    /// Receipts that were answered otherwise, or not.
    pub receipts_refused: AtomicU64,
    /// Parts of incoming messages sent, repeated ones included.
    pub incoming: AtomicU64,
    /// Parts of incoming messages that were acknowledged with ROK.
    pub incoming_acknowledged: AtomicU64,
    /// Receipts and incoming parts that were given up, or found no room.
    pub dropped: AtomicU64,
    /// Binds accepted.
    pub binds: AtomicU64,
    /// Connections this end cut.
    pub cuts: AtomicU64,
    recording: AtomicBool,
    parts: Mutex<Vec<Submitted>>,
    messages: Mutex<(Joiner, Vec<Message>)>,
    sent_receipts: Mutex<Vec<SentReceipt>>,
    acknowledged_ids: Mutex<Vec<String>>,
    bind_attempts: Mutex<Vec<BindAttempt>>,
    changed: watch::Sender<()>,
}

impl Ledger {
    pub(super) fn new(recording: bool) -> Self {
        Self {
            submitted: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            receipts: AtomicU64::new(0),
            receipts_acknowledged: AtomicU64::new(0),
            receipts_refused: AtomicU64::new(0),
            incoming: AtomicU64::new(0),
            incoming_acknowledged: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            binds: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            recording: AtomicBool::new(recording),
            parts: Mutex::default(),
            messages: Mutex::default(),
            sent_receipts: Mutex::default(),
            acknowledged_ids: Mutex::default(),
            bind_attempts: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Whether entries are kept; counters are in any case.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording.load(Ordering::Relaxed)
    }

    /// All parts so far, in the order of arrival.
    #[must_use]
    pub fn parts(&self) -> Vec<Submitted> {
        self.parts.lock().clone()
    }

    /// All messages so far that were accepted with all their parts, in the order they became whole.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().1.clone()
    }

    /// All receipts sent so far.
    #[must_use]
    pub fn sent_receipts(&self) -> Vec<SentReceipt> {
        self.sent_receipts.lock().clone()
    }

    /// Ids (as given in the answer) whose receipts were acknowledged with ROK.
    #[must_use]
    pub fn acknowledged_ids(&self) -> Vec<String> {
        self.acknowledged_ids.lock().clone()
    }

    /// All binds so far, refused ones included.
    #[must_use]
    pub fn bind_attempts(&self) -> Vec<BindAttempt> {
        self.bind_attempts.lock().clone()
    }

    /// Waits until `wanted` holds and says whether it did within `within`.
    pub async fn wait_for(&self, within: Duration, wanted: impl Fn(&Self) -> bool) -> bool {
        let mut changed = self.changed.subscribe();
        let holds = async {
            while !wanted(self) {
                changed.mark_unchanged();
                // Looked at again after the mark, so that no change falls between the two.
                if wanted(self) || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        // The answer is the condition itself, whoever was faster.
        let _ = timeout(within, holds).await;
        wanted(self)
    }

    /// Tells those who wait. Called once for each batch.
    pub(super) fn tell(&self) {
        self.changed.send_replace(());
    }

    /// Joins a part that was taken; gives the message when it is whole.
    pub(super) fn join(&self, part: &Submitted) -> Option<Message> {
        let mut messages = self.messages.lock();
        let whole = messages.0.add(&part.source, &part.destination, &part.text, part.concatenation)?;
        if self.is_recording() {
            keep(&mut messages.1, whole.clone());
        }
        Some(whole)
    }

    pub(super) fn add(&self, part: Submitted) {
        if self.is_recording() {
            keep(&mut self.parts.lock(), part);
        }
    }

    pub(super) fn add_receipt(&self, receipt: SentReceipt) {
        keep(&mut self.sent_receipts.lock(), receipt);
    }

    pub(super) fn add_acknowledged(&self, id: String) {
        keep(&mut self.acknowledged_ids.lock(), id);
    }

    pub(super) fn add_bind(&self, attempt: BindAttempt) {
        if attempt.command_status == 0 {
            self.binds.fetch_add(1, Ordering::Relaxed);
        }
        keep(&mut self.bind_attempts.lock(), attempt);
        self.tell();
    }
}

fn keep<T>(entries: &mut Vec<T>, entry: T) {
    if entries.len() < ENTRIES_MAX {
        entries.push(entry);
    }
}
