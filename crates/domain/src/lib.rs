//! Words and rules of the platform, without I/O: every other crate speaks in these terms.
//!
//! Layout: [`id`] and [`clock`] name things and moments; [`phone`], [`sender`], [`money`] and
//! [`lane`] are the small values; [`request`] is what a client asked for; [`fact`] is what happened
//! since, [`link`] and [`click`] what happens on its short links; [`state`] is the only place where facts become
//! a status; [`event`] is what accounts are told;
//! [`control`] is who may do what over which carrier; [`incoming`], [`keyword`], [`reserved`], [`person`]
//! and [`bot`] are about what people write; [`problem`] lists every error code a client can meet;
//! [`limits`] every bound.

pub mod bot;
pub mod choice;
pub mod click;
pub mod clock;
pub mod control;
pub mod encoding;
pub mod event;
pub mod fact;
pub mod id;
pub mod incoming;
pub mod keyword;
pub mod lane;
pub mod limits;
pub mod link;
pub mod money;
pub mod network;
pub mod operator_id;
pub mod permission;
pub mod person;
pub mod phone;
pub mod prefix;
pub mod problem;
pub mod quiet;
pub mod random;
pub mod receipt;
pub mod request;
pub mod reserved;
pub mod sender;
pub mod state;
#[cfg(test)]
mod state_tests;
pub mod timestamp;
pub mod webhook;
