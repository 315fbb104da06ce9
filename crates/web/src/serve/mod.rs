//! Sockets: listeners, TLS, every time and size limit, the graceful stop.
//!
//! The accept loop is our own, over hyper-util's connection: `axum::serve` sets no timers at all. What
//! is bounded: connections in all and per address, the time to the first request, the time for headers
//! (also between two requests on a kept connection), their size and number, streams and resets of an
//! HTTP/2 connection, the TLS handshake, the life of a connection.
//!
//! What hyper answers on its own, without a request ever reaching a handler, is a bare status line. On
//! HTTP/1 `wire` replaces it by the contract's envelope. Two cases are left: a connection whose headers
//! do not arrive in time is closed without an answer (there is no request to answer yet), and on HTTP/2
//! malformed or oversized headers are refused by the protocol itself (stream reset, or a bare 431).

mod connection;
mod gate;
mod handler;
mod listener;
mod options;
mod service;
mod tls;
mod tls_files;
mod wire;

pub use handler::{Handler, Origin, close_after};
pub use options::{Options, OptionsError};
pub use service::{Error, Handle, Service};
