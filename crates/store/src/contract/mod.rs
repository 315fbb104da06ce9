//! The suite every backend passes.
//!
//! A backend's tests walk through [`cases`], give each a fresh [`Place`] and call it. What the cases
//! use of the store is its public face only.

mod accepting;
pub mod fixture;
mod listing;
mod receipts;
mod telling;
mod waiting;

pub use fixture::{Case, Place};

/// All cases by name.
#[must_use]
pub fn cases() -> Vec<(&'static str, Case)> {
    [accepting::CASES, waiting::CASES, receipts::CASES, telling::CASES, listing::CASES].concat()
}
