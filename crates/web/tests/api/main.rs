//! The API through real sockets, over a fake backend.

#[path = "../support/mod.rs"]
mod support;

mod auth;
mod bodies;
mod lists;
mod send;
