//! Accept: from what a client asked to a durable request, or a refusal that says why.

mod answer;
mod balance;
mod cancel;
mod check;
mod codes;
mod grant;
mod links;
mod networks;
mod order;
mod preview;
mod recipients;
mod write;

pub use answer::{Answer, AnswerKind};
pub(crate) use balance::Meters;
pub use cancel::CancelOutcome;
pub(crate) use check::Shortener;
pub use grant::Accept;
pub use order::{Alternative, Charge, Forcing, Granted, Order, Preview, Refusal, RefusalDetail};
