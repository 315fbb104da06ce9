//! Explain: everything that is known of how a message came to be what it is.
//!
//! What happened is read from the store. How the way was chosen is not kept message by message: it is
//! worked out again from the control data and the carriers' health of now, and [`Basis`] says how far that
//! can be trusted.

mod account;
mod handle;

pub use account::{Account, Basis, Writing};
pub use handle::Explain;
