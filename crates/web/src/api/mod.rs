//! The SMS API: from a request to its answer.
//!
//! [`Api`] is the [`crate::serve::Handler`] of the main listeners. A request goes through `path` (which
//! resource, which methods), the keys, `call` (body and content type) and one file of [`v2_1`]; whatever
//! goes wrong on the way becomes an envelope, and one log line is written.

mod call;
mod explained;
mod foreseen;
mod handler;
mod incoming_item;
mod item;
pub mod json;
mod outcome;
mod path;
mod query;
pub mod v2_1;

pub use explained::Explained;
pub use foreseen::Foreseen;
pub use handler::{Api, Options};
pub use item::SmsItem;
pub use outcome::Outcomes;
