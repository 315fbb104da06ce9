//! The suite every backend passes.
//!
//! A backend's tests walk through [`cases`], give each a fresh [`Place`] and call it. What the cases
//! use of the store is its public face only.

mod accepting;
mod all;
mod clicking;
mod events;
pub mod fixture;
mod incoming;
mod listing;
mod receipts;
mod rerouting;
mod telling;
mod waiting;

pub use all::cases;
pub use fixture::{Case, Place};
