//! Enqueue: decides which line a message waits in, and when its time has come.
//!
//! A line is the messages of one lane that wait for one carrier. It holds a bounded number of them in
//! memory; the rest stays in the store and is fetched, account by account, as the line empties
//! ([`service`]). A message that is in memory or with a bind is *held* by its line, so that it is never
//! fetched twice. In which order messages leave is decided by [`fair`].

mod encoded;
mod fair;
mod job;
mod line;
#[cfg(test)]
mod line_tests;
mod lines;
mod moving;
#[cfg(test)]
mod moving_tests;
mod selection;
mod service;
mod spill;

pub(crate) use encoded::can_carry;
pub use encoded::{Encoded, ReferenceOctets};
pub(crate) use job::Shared;
pub use job::{Entry, Job};
pub use line::Line;
pub use lines::Enqueue;
pub(crate) use moving::{Unwanted, Whole, hand_over};
pub use selection::Selection;
pub(crate) use selection::is_whole;
pub use service::Service;
