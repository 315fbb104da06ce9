//! From the two key headers to an account and a key, or the reason why not.
//!
//! Keys are high-entropy secrets, so a fast hash is right: one SHA-256 per request and a look into the
//! control snapshot. Nothing is cached, so a revoked key is refused as soon as the snapshot changes.

mod address;
mod attempts;
mod verify;

pub use address::{ClientAddress, TrustedProxies};
pub use attempts::{Attempts, WINDOW_SECONDS, WRONG_KEYS_MAX};
pub use verify::{Caller, verify};
