//! What the API asks of the rest of the house.
//!
//! The API is written against [`Backend`], so that its tests need no store and no operator;
//! [`Live`] is the thin adapter over the flow and the store.

mod live;
mod port;

pub use live::Live;
pub(crate) use live::unanswered;
pub use port::Backend;
