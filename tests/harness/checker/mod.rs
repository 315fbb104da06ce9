//! The judge: holds every book of a run against the others. It knows nothing of how the platform works.

mod breach;
mod evidence;
mod judge;
mod ways;

#[cfg(test)]
mod tests;

pub use breach::{Breach, Invariant};
pub use evidence::Evidence;
pub use judge::{judge, verdict};
