//! Route: which way a message leaves.
//!
//! Routes by network come first, then the longest prefix wins, then the order of the setup file; a route
//! for some accounts, senders or one lane is passed over for others. Within a route the carriers come in
//! the order that it asks for ([`pick`]): as written, by weight or by cost. A carrier in trouble is given
//! less where there is another way ([`crate::health`]).
//!
//! [`plan`](Router::plan) is one walk over the candidates, and [`explain`](Router::explain) is the same
//! walk with every step written down. What waits for a carrier that is down or gone is moved to another
//! way by [`mover`]; [`transfer`] moves by order.

mod considered;
mod figures;
mod mover;
mod pick;
mod router;
mod transfer;
mod walk;

pub use considered::{Considered, Explanation, Ruling};
pub use figures::{Figures, Move};
pub use mover::Mover;
pub use router::{NoWay, Plan, Router, Trip};
pub use transfer::{Transfer, TransferError, Transferred};
