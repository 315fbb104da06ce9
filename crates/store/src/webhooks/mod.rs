//! What is remembered of webhook endpoints beside their events: which are in trouble or off, and the latest
//! attempts. Kept in a small database of its own, `webhooks.db`. It is a help, not a promise: what a power cut
//! takes of it costs a count that begins anew or an attempt that can't be looked at.

mod bounds;
mod database;
mod schema;

pub use bounds::{ATTEMPTS_KEPT_MAX, TROUBLES_KEPT_MAX};
pub(crate) use database::WebhookDb;
