//! The setup file: what it may hold, and every problem of one that holds something else.
//!
//! [`reader`] takes typed values out of TOML tables and reports what does not fit, [`values`] knows the
//! texts with a form of their own, and [`carrier`], [`route`] and [`account`] read one kind of entry each.

mod account;
mod bot;
mod carrier;
mod document;
mod file;
mod link;
mod number;
mod problem;
mod reader;
mod route;
mod values;

pub use file::{NumberWithBot, Setup};
pub use problem::{SetupProblem, SetupProblems};
