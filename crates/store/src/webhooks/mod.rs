//! What is remembered of webhook endpoints beside their events: which are in trouble or off, and the attempts
//! of the last days. Kept in a small database of its own, `webhooks.db`. It is a help, not a promise: what a power cut
//! takes of it costs a count that begins anew or an attempt that can't be looked at.

mod attempts;
mod bounds;
mod database;
mod schema;

pub(crate) use attempts::Room;
pub use bounds::{ATTEMPTS_DAYS, ATTEMPTS_OCTETS_MAX, TROUBLES_KEPT_MAX};
pub(crate) use database::WebhookDb;
