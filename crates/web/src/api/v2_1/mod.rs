//! Version 2.1 of the API, one file per resource. `/v2` answers the same.

pub(super) mod cancel;
mod filter;
pub(super) mod list;
pub(super) mod preview;
pub(super) mod send;
pub(super) mod senders;
pub(super) mod statuses;
