//! Accept: from what a client asked to a durable request, or a refusal that says why.

mod order;

pub use order::{Charge, Granted, Order, Preview, Refusal, RefusalDetail};
