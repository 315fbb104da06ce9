//! What the lanes promise, over the real store and a message centre on loopback.

#![allow(clippy::unwrap_used, reason = "a surprise ends a test")]

mod codes;
mod fairness;
mod hostage;
mod support;
mod trouble;
mod unknown;
