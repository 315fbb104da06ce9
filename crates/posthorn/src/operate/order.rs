//! The requests, in the words of both ends.

use serde::{Deserialize, Serialize};

/// What can be asked of a running server.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
pub enum Order {
    /// What waits, for which carrier, and with `measure` how fast it leaves, which takes a second.
    Queue {
        /// Watch how fast it leaves.
        measure: bool,
    },
    /// What needs attention, then everything else of note.
    Status,
    /// End messages that wait.
    Purge(PurgeOrder),
    /// Have messages that wait wait for another carrier.
    Move(MoveOrder),
    /// Show PDUs as they come and go.
    Trace(TraceOrder),
    /// Tell everything that is known of a message.
    Explain(ExplainOrder),
    /// Tell what would become of a message that nobody sends.
    Foresee(ForeseeOrder),
    /// What people wrote to numbers and keywords that no account owns, newest first.
    Unowned(UnownedOrder),
}

/// Which incoming messages without an owner are to be shown, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnownedOrder {
    /// How many of the newest.
    pub count: u32,
    /// Show texts and whole phone numbers; noted in the audit.
    pub show_text: bool,
    /// Why they are looked at.
    pub reason: Option<String>,
}

/// Which message is to be explained.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExplainOrder {
    /// Its externalId, that of its request, or its id.
    pub reference: String,
    /// Show whole phone numbers; noted in the audit.
    pub show_numbers: bool,
    /// Why whole numbers are looked at.
    pub reason: Option<String>,
}

/// A send that is only looked at.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ForeseeOrder {
    /// The recipient.
    pub to: String,
    /// The sender.
    pub sender: String,
    /// The text.
    pub text: String,
    /// Name of the account; none = the one that has the sender.
    pub account: Option<String>,
    /// Whether it would be sent in the Priority lane.
    pub priority: bool,
    /// How the text is to be written; none = as the account says.
    pub encoding: Option<String>,
}

/// Which of the messages that wait and are due.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SelectionOrder {
    /// Name of the carrier they wait for.
    pub carrier: String,
    /// Name of their lane; none = both.
    pub lane: Option<String>,
    /// Name of their account; none = all.
    pub account: Option<String>,
}

/// Which waiting messages are to be ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PurgeOrder {
    /// Which.
    pub selection: SelectionOrder,
    /// Kept in the audit and in the history of each message.
    pub reason: String,
    /// Only count them.
    pub dry_run: bool,
}

/// Which waiting messages are to wait for which other carrier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MoveOrder {
    /// Which.
    pub selection: SelectionOrder,
    /// Name of the other carrier.
    pub to: String,
    /// Kept in the audit and in the history of each message.
    pub reason: String,
    /// Only count them.
    pub dry_run: bool,
}

/// Which PDUs are to be shown, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TraceOrder {
    /// Name of a carrier.
    pub carrier: Option<String>,
    /// One of its binds, from 0.
    pub bind: Option<u16>,
    /// Digits of a sender or recipient.
    pub number: Option<String>,
    /// Show texts of messages; noted in the audit.
    pub show_text: bool,
    /// Show whole phone numbers; noted in the audit.
    pub show_numbers: bool,
    /// When the trace ends by itself.
    pub seconds: u32,
    /// Why texts or numbers are looked at.
    pub reason: Option<String>,
}
