//! Our ends against the ends of others: `rusmppc`, Python's `smpplib` and npm's `smpp`.
//!
//! The foreign packages are installed into `target/interop` the first time; a test that cannot install them fails.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod esme;
mod foreign_clients;
mod foreign_server;
mod peers;
mod smsc;
