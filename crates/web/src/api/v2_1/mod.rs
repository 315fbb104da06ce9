//! Version 2.1 of the API, one file per resource. `/v2` answers the same.

pub(super) mod attempts;
pub(super) mod cancel;
pub(super) mod clicks;
pub(super) mod conversation;
pub(super) mod dead_events;
pub(super) mod events;
pub(super) mod explain;
mod filter;
pub(super) mod hlr;
pub(super) mod incoming;
pub(super) mod list;
pub(super) mod opt_outs;
pub(super) mod preview;
pub(super) mod replay;
pub(super) mod send;
pub(super) mod senders;
pub(super) mod statuses;
pub(super) mod talks;
pub(super) mod webhooks;
