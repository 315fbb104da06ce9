//! The two roads a message can take.

use serde::{Deserialize, Serialize};

use crate::choice::choice;

/// Which road a message takes from its acceptance to the operator. Each lane has its own
/// admission, store files, writer and queue, so that a one-time code never waits behind bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// One-time codes and what is as urgent.
    Priority,
    /// Everything else.
    Standard,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Priority, Self::Standard];

    /// The name used in metrics, logs and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Standard => "standard",
        }
    }

    /// A dense index for arrays with one entry per lane.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::Priority => 0,
            Self::Standard => 1,
        }
    }
}

/// What a message is for. It decides who goes first within a lane, and what happens when it is not
/// known whether an operator took it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Traffic {
    /// A one-time code or what is as urgent: everything on the Priority lane.
    Code,
    /// Something the recipient waits for: orders, alerts, reminders.
    #[default]
    Transactional,
    /// Marketing and other mass sending.
    Bulk,
}

impl Traffic {
    /// All of them, by the number they are stored under.
    pub const ALL: [Self; 3] = [Self::Code, Self::Transactional, Self::Bulk];

    /// The number it is stored under.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// Finds a class by the number it is stored under.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|traffic| traffic.code() == code)
    }
}

/// What a key may say its messages are for; what asks for priority is a code whatever the key says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyTraffic {
    /// Something the recipient waits for.
    #[default]
    Transactional,
    /// Marketing and other mass sending.
    Bulk,
}

choice!(KeyTraffic { Transactional = "transactional", Bulk = "bulk" });

/// What happens to a part when it is not known whether an operator took it: the connection broke or no
/// answer came. SMPP has no way to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guarantee {
    /// It is sent again and may arrive twice.
    AtLeastOnce,
    /// It is never sent again and may not arrive at all. What is about to be sent is made durable first,
    /// so that this holds over a crash too.
    AtMostOnce,
    /// At least once as long as a code is of use ([`crate::limits::CODE_USEFUL_MS`]), at most once after.
    Codes,
}

choice!(Guarantee { AtLeastOnce = "at-least-once", AtMostOnce = "at-most-once", Codes = "codes" });

impl Guarantee {
    /// Whether a part of a message that was accepted `age_ms` ago must not be sent twice.
    #[must_use]
    pub fn forbids_repeating(self, age_ms: i64) -> bool {
        match self {
            Self::AtLeastOnce => false,
            Self::AtMostOnce => true,
            Self::Codes => age_ms > crate::limits::CODE_USEFUL_MS,
        }
    }
}

/// The guarantee of an account for each class of traffic, under the names of the setup file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Guarantees {
    /// Of codes: a second equal code harms nobody, a missing one blocks a login, a late one is useless.
    #[serde(rename = "code_guarantee")]
    pub code: Guarantee,
    /// Of transactional messages.
    #[serde(rename = "transactional_guarantee")]
    pub transactional: Guarantee,
    /// Of bulk: a double means a complaint and double cost.
    #[serde(rename = "bulk_guarantee")]
    pub bulk: Guarantee,
}

impl Default for Guarantees {
    fn default() -> Self {
        Self { code: Guarantee::Codes, transactional: Guarantee::AtLeastOnce, bulk: Guarantee::AtMostOnce }
    }
}

impl Guarantees {
    /// The one of a class.
    #[must_use]
    pub fn of(&self, traffic: Traffic) -> Guarantee {
        match traffic {
            Traffic::Code => self.code,
            Traffic::Transactional => self.transactional,
            Traffic::Bulk => self.bulk,
        }
    }
}
