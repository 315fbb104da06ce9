//! The way into a running server for the person who operates it: a Unix socket in the data directory.
//!
//! Whoever may read the data directory may use it, and nobody else: the socket is its owner's alone, and the kernel says
//! who calls. One JSON object per line: the request, then any number of `{"line":…}`, then one `{"done":…}` or
//! `{"error":"…"}`.

mod ask;
mod bounds;
mod caller;
mod door;
mod path;

pub use ask::{AskError, ask};
pub use caller::Caller;
pub use door::{Desk, Door, Lines};
