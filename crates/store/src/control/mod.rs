//! Control data: who may do what over which carrier, declared in one setup file.
//!
//! - [`Setup`] is a checked setup file: every problem of the file is reported with its place, and a
//!   file with a problem changes nothing.
//! - [`ControlDb`] keeps the control data in `control.db`, one small SQLite file that several processes
//!   may have open. [`ControlDb::plan`] tells what a setup would change, [`ControlDb::apply`] changes it in
//!   one transaction and makes a new version, [`ControlDb::snapshot`] is what the data plane looks into.
//! - [`key_digest`] is the only form in which an application key is kept.
//!
//! # What the file decides
//!
//! The file is the whole truth about carriers and routes, and, for every account it names, about that
//! account's senders, webhooks and numbers: what it leaves out is removed. Accounts and keys it leaves
//! out are kept and reported as kept, for taking access away must never be a side effect of an omission.
//! A secret the file leaves out (an application key, `secret_key`, `signing_secret`) is generated when the
//! entry is first applied, given back once in [`Applied::generated`], and kept by every later apply.
//!
//! A route is known by its prefix or network, and among equals by its place in the file. The order of
//! routes with different prefixes decides nothing, so changing it is no change.
//!
//! # What is secret
//!
//! What must be readable again (carrier passwords, webhook secrets) is sealed with XChaCha20-Poly1305 under
//! the master key and bound to its table, column and row. Keys are kept as a SHA-256 digest of the pair.

mod apply;
mod audit;
mod author;
mod change;
mod conflict;
mod content;
mod database;
mod diff;
mod entity;
mod error;
mod follow;
mod history;
mod hold;
mod key;
mod limits;
mod load;
mod master_key;
mod rotate;
mod schema;
mod setup;
mod snapshot;
mod vault;
mod versions;
mod write;

#[cfg(test)]
mod tests;

pub use apply::{Applied, Generated, GeneratedSecret};
pub use audit::AuditEntry;
pub use author::{Author, Note};
pub use change::{Change, ChangeKind, FieldChange};
pub use database::ControlDb;
pub use diff::Diff;
pub use domain::control::HoldMode;
pub use error::ControlError;
pub use follow::Follower;
pub use key::{has_check_digits, key_digest};
pub use rotate::Rotation;
pub use setup::{NumberWithBot, Setup, SetupProblem, SetupProblems};
pub use versions::VersionInfo;
