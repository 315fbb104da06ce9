//! Route: which way a message leaves.
//!
//! The longest prefix wins, then the order of the setup file; within a route the carriers in order.
//! A route that asks for direct connections only passes over aggregators.

mod plan;

pub use plan::{Plan, plan};
