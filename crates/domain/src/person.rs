//! What is known of people: who wants no more messages, and who is in the middle of a talk with a bot.

use serde::{Deserialize, Serialize};

use crate::clock::UnixMillis;
use crate::id::{AccountId, MessageId};
use crate::phone::Phone;

/// Who put somebody on the opt-out list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptOutOrigin {
    /// The person, with a word such as STOP.
    Person,
    /// The account, through the API.
    Account,
}

impl OptOutOrigin {
    /// Both with their stable names.
    pub const NAMES: [(Self, &'static str); 2] = [(Self::Person, "person"), (Self::Account, "account")];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self == Self::Person { "person" } else { "account" }
    }
}

/// Names an entry of the opt-out list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OptOutKey {
    /// Whose list.
    pub account: AccountId,
    /// Who gets no messages.
    pub phone: Phone,
    /// From which sender or number; empty = from none of the account's.
    pub sender: Box<str>,
}

/// An entry of the opt-out list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    /// Who, and from whom.
    pub key: OptOutKey,
    /// Since when.
    pub at: UnixMillis,
    /// Who put it there.
    pub origin: OptOutOrigin,
}

/// Names a conversation: a number of an account and a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TalkKey {
    /// Whose number.
    pub account: AccountId,
    /// The number.
    pub number: Box<str>,
    /// The person.
    pub phone: Phone,
}

/// Where a person stands in a talk with a bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// The flow; empty after a hand-over to a person.
    pub flow: String,
    /// The step whose answer is awaited.
    pub step: String,
    /// What was answered so far, by step.
    pub answers: Vec<(String, String)>,
    /// Answers to this step that were not understood.
    pub misses: u32,
}

impl Position {
    /// Whether a person has taken over from the bot.
    #[must_use]
    pub fn is_handed_over(&self) -> bool {
        self.flow.is_empty()
    }
}

/// A talk that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// Who talks.
    pub key: TalkKey,
    /// Where they are.
    pub position: Position,
    /// When it ends by itself.
    pub until: UnixMillis,
    /// The incoming message that brought it here: the same one again changes nothing.
    pub last: MessageId,
}

/// Something that is now known of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonFact {
    /// Wants no more messages.
    OptedOut(OptOut),
    /// Wants messages again.
    OptedIn(OptOutKey),
    /// A talk begins or goes on.
    Talks(Talk),
    /// A talk has ended.
    TalkEnded(TalkKey),
}
