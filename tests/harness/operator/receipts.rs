//! Receipts that are due: kept until a session takes them, and again when it dies before they are answered.

use std::collections::VecDeque;
use std::time::Instant;

use parking_lot::Mutex;

/// A receipt to be sent.
#[derive(Clone, Debug)]
pub struct Due {
    /// Not before.
    pub at: Instant,
    /// Sender of the message: the receipt goes back to it.
    pub source: String,
    /// The number that was written to.
    pub destination: String,
    /// The id the message was given.
    pub operator_id: String,
}

/// The receipts waiting.
#[derive(Default)]
pub struct Waiting {
    due: Mutex<VecDeque<Due>>,
}

impl Waiting {
    /// One more.
    pub fn add(&self, due: Due) {
        self.due.lock().push_back(due);
    }

    /// Back to the front: its session died before it was answered.
    pub fn put_back(&self, due: Due) {
        self.due.lock().push_front(due);
    }

    /// Takes up to `count` that are due.
    #[must_use]
    pub fn take(&self, count: usize) -> Vec<Due> {
        let now = Instant::now();
        let mut due = self.due.lock();
        let mut ready = Vec::new();
        let mut index = 0;
        while ready.len() < count
            && let Some(receipt) = due.get(index)
        {
            if receipt.at <= now {
                ready.extend(due.remove(index));
            } else {
                index += 1;
            }
        }
        ready
    }

    /// How many wait.
    #[must_use]
    pub fn count(&self) -> usize {
        self.due.lock().len()
    }
}
