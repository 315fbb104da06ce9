//! The HTTP side: from a socket to a call, and from its outcome to the contract's envelope.
//!
//! [`serve`] owns the sockets: listeners, TLS, every time and size limit, the graceful stop. It hands
//! each request to a [`serve::Handler`]. Three handlers exist: [`api`], the SMS API v2.1 (paths, keys,
//! bodies, one file per resource), [`links`] (short links), and [`operations`] (metrics and health, on a listener of its own).
//! [`auth`] turns the two key headers into an account and a key; [`envelope`] writes every answer;
//! [`body`] reads request bodies within their limits.
//! [`backend`] is what the API asks, and its thin adapter over the flow and the store.

pub mod api;
pub mod auth;
pub mod backend;
pub mod body;
pub mod envelope;
pub mod links;
pub mod operations;
pub mod serve;
