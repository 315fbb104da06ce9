//! Health: how well each operator connection does, and so how much of the traffic that could go elsewhere
//! it is given.
//!
//! Binds and receipts report what they see to a [`Vital`] per carrier; the service looks at it a few times
//! a second and moves the carrier's *share* in steps, down when it fails and up again when it does well.
//! Route planning reads the shares. A share never stops a carrier that is the only way.

mod bounds;
mod handle;
mod judge;
mod service;
mod vital;

pub use handle::{Health, Standing};
pub use judge::Trouble;
pub use service::Service;
pub use vital::Vital;
