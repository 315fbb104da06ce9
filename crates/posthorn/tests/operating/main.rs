//! Operating a running server by the command line: the real program, simulated operators in this process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod explaining;
mod holding;
mod incoming;
mod looking;
mod moving;
mod place;
mod porting;
mod refusing;
mod versions;
mod webhooks;
