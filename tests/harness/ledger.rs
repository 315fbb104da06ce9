//! What the clients asked for and what they were answered.

use std::sync::Arc;

use parking_lot::Mutex;

/// How a request ended for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered 200: kept, for ever.
    Kept,
    /// Answered with an error: nothing was accepted.
    Refused(u16),
    /// No answer came: there may be one message or none.
    Unanswered,
}

/// One message that a client asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The account's name.
    pub account: String,
    /// The externalId the answer must carry.
    pub external_id: String,
    /// The number, digits only; every message of a run has one of its own.
    pub phone: String,
    /// The text.
    pub text: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The externalId that the answer did carry.
    pub answered_id: Option<String>,
}

/// The clients' book; cheap to clone, shared.
#[derive(Clone, Default)]
pub struct Ledger {
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Ledger {
    /// Enters messages before they are sent, as unanswered; answers the place of the first.
    pub fn enter(&self, messages: Vec<Asked>) -> usize {
        let mut asked = self.asked.lock();
        asked.extend(messages);
        asked.len()
    }

    /// Enters an answer for the `count` messages before `end`.
    pub fn answered(&self, end: usize, count: usize, outcome: Outcome, ids: &[String]) {
        let mut asked = self.asked.lock();
        for (index, message) in asked[end - count..end].iter_mut().enumerate() {
            message.outcome = outcome;
            message.answered_id = ids.get(index).cloned();
        }
    }

    /// A copy.
    #[must_use]
    pub fn copy(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }

    /// How many were answered 200.
    #[must_use]
    pub fn kept_count(&self) -> usize {
        self.asked.lock().iter().filter(|asked| asked.outcome == Outcome::Kept).count()
    }

    /// How many were asked for.
    #[must_use]
    pub fn asked_count(&self) -> usize {
        self.asked.lock().len()
    }
}
