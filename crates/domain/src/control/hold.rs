//! Carriers that are held back for a while.

use crate::choice::choice;
use crate::clock::UnixMillis;

/// How a carrier is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldMode {
    /// Nothing is sent over it; what is accepted for it waits.
    Paused,
    /// It gets no new messages; what waits for it is still sent.
    Draining,
}

choice!(HoldMode { Paused = "paused", Draining = "draining" });

/// A carrier that is held back: not a version of its settings, but a state that lasts until somebody ends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// How.
    pub mode: HoldMode,
    /// Since when.
    pub since: UnixMillis,
    /// Who did it.
    pub who: String,
    /// Why.
    pub reason: String,
}
