//! What the tests of the API share: a fake backend, a running server, a client that writes raw octets.

mod answers;
pub mod client;
pub mod fake;
pub mod log;
pub mod server;
