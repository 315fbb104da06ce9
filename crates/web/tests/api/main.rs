//! The API through real sockets, over a fake backend.

#![allow(clippy::unwrap_used, reason = "a surprise ends a test")]

#[path = "../support/mod.rs"]
mod support;

mod auth;
mod bodies;
mod drain;
mod events;
mod explain;
mod hlr;
mod hostile;
mod http2;
mod incoming;
mod links;
mod lists;
mod operations;
mod problems;
mod random;
mod send;
mod tls;
