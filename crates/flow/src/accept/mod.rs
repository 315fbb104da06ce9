//! Accept: from what a client asked to a durable request, or a refusal that says why.

mod balance;
mod cancel;
mod check;
mod grant;
mod order;
mod recipients;
mod write;

pub(crate) use balance::Meters;
pub use cancel::CancelOutcome;
pub use grant::Accept;
pub use order::{Alternative, Charge, Forcing, Granted, Order, Preview, Refusal, RefusalDetail};
