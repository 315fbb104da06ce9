//! The sessions with operators under everything that goes wrong on a line and behind it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod codes;
mod elsewhere;
mod faults;
mod hosts;
mod interop;
mod proxy;
mod refused_binds;
mod rig;
mod statuses;
mod throttle;
mod ways;
