//! Everything remembered. One interface, batch-shaped, in two halves: facts are recorded
//! ([`Store::accept`], [`Store::record`]), questions are asked ([`question`]).
//!
//! The embedded backend keeps message data in spans of SQLite files ([`embedded`]); control data
//! (accounts, keys, carriers, routes) lives in a small database of its own ([`control`]). Everything
//! above this crate must not know which backend runs; [`contract`] is the suite every backend passes.

pub mod contract;
pub mod control;
pub mod embedded;
pub mod question;
pub mod watcher;
pub mod webhooks;

mod check;
mod error;
mod handle;
mod handle_events;
mod late;
mod options;
mod people;

pub use check::{CheckReport, FileRepair, FileReport, RepairReport, check, repair};
pub use error::{Damage, OpenError, QuestionError, RecordError};
pub use handle::{AcceptOutcome, Store};
pub use late::Late;
pub use options::{Hooks, Options};
pub use watcher::{Committed, Moved, Watcher};
