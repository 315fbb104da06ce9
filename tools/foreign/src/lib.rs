//! Ends that others wrote, in other languages: installed from their registries the first time, then run by tests.
//!
//! Packages are kept in `target/interop`, each with its version in the folder's name; a test that can't install its own
//! fails and says what is missing.

mod install;
mod peer;

pub use install::{node, python};
pub use peer::Peer;
