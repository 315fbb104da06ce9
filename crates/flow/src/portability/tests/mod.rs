//! Asking a service over real sockets, whatever it answers.

mod asking;
mod file;
mod hostile;
mod server;
mod trust;
