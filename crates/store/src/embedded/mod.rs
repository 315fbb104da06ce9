//! The embedded backend: message data in spans of SQLite files.
//!
//! A span holds the messages of one lane whose ids lie between its first id and the next span's. The
//! way of a fact: [`queue`] → [`writer`] (one thread per lane) → [`commit`] folds it into rows
//! ([`write`]) → one durable transaction → [`publish`] tells memory ([`index`], [`live`]) and the
//! watcher → whoever waits is released. Questions ([`ask_message`], [`ask_lines`], [`ask_receipts`], [`ask_events`],
//! [`search`]) run on [`readers`] with pooled [`connections`]. [`keeper`] copies logs back and begins
//! new spans; [`recover`] brings everything back at start.

mod aside;
pub(crate) mod ask_events;
pub(crate) mod ask_incoming;
pub(crate) mod ask_lines;
pub(crate) mod ask_message;
pub(crate) mod ask_receipts;
pub(crate) mod clicks;
mod columns;
pub(crate) mod commit;
mod connections;
pub(crate) mod database;
mod dedup;
mod disk;
pub(crate) mod engine;
mod event_rows;
pub(crate) mod files;
pub(crate) mod filter;
pub(crate) mod hash;
mod health;
mod incoming_index;
mod incoming_rows;
mod index;
mod keep;
mod keeper;
mod late_keys;
mod limits;
mod live;
mod parked;
mod payload;
pub(crate) mod people;
pub(crate) mod publish;
pub(crate) mod queue;
mod read;
mod readers;
mod recover;
mod retention;
mod seal;
mod sealer;
pub(crate) mod search;
pub(crate) mod shared;
mod span;
mod steps;
mod sum;
pub(crate) mod sums;
pub(crate) mod tables;
pub(crate) mod wal;
mod write;
mod writer;
