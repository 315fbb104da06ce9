//! What the judge finds.

use std::fmt;

/// The invariants, by their numbers in the battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Every message answered 200 is there and reaches a final state.
    NothingLost,
    /// Nothing reaches the operator that nobody sent or that was refused.
    NothingMadeUp,
    /// A request without an answer yields one message or none.
    UnansweredOnceAtMost,
    /// Duplicates towards the operator stay within the windows, per crash; none without a crash.
    DuplicatesBounded,
    /// States only move up; one event per move, its id constant.
    StatesMoveUp,
    /// The text at the operator is the text that was accepted.
    TextEqual,
    /// Every receipt that was acknowledged is in the store.
    ReceiptsStored,
    /// Nobody sees what belongs to another account.
    TenantsApart,
}

impl Invariant {
    /// Its number in the battery.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::NothingLost => "I1",
            Self::NothingMadeUp => "I2",
            Self::UnansweredOnceAtMost => "I3",
            Self::DuplicatesBounded => "I4",
            Self::StatesMoveUp => "I5",
            Self::TextEqual => "I6",
            Self::ReceiptsStored => "I7",
            Self::TenantsApart => "I10",
        }
    }
}

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// Which.
    pub invariant: Invariant,
    /// With what.
    pub detail: String,
}

impl Breach {
    /// A broken promise.
    #[must_use]
    pub fn new(invariant: Invariant, detail: impl Into<String>) -> Self {
        Self { invariant, detail: detail.into() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}: {}", self.invariant.number(), self.invariant, self.detail)
    }
}
