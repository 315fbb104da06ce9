//! What comes back from operators, over the real flow and the real store, with operators that do as they are told.

#![allow(clippy::unwrap_used, reason = "a surprise ends a test")]

mod flood;
mod ids;
mod long;
mod order;
mod place;
mod silence;
mod smsc;
