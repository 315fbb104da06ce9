//! Follow: from an opened short link to the page behind it. What a link leads to follows from the message
//! it stands in; that it was opened is a fact, recorded before the answer.

mod bounds;
mod handle;
mod location;
mod stats;
mod target;

pub use handle::{Follow, Visit};
pub(crate) use location::location;
pub use stats::Stats;
