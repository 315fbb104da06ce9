//! Send: keeps the binds to the carriers, their windows and their pace.
//!
//! Each bind is one task that owns its socket and pulls from the lines as its window allows; nothing
//! queues between a line and a socket. A slot of the window is free again only when what became of
//! its part is durable, so that a crash can repeat no more parts than the windows hold.

mod bind;
mod breaker;
mod carrier;
mod doubt;
mod encode;
mod form;
mod full;
mod gate;
mod handler;
mod hedge;
mod intents;
mod login;
mod offer;
mod outbind;
mod pace;
mod places;
mod references;
mod refusals;
mod service;
mod slots;
mod statuses;
mod throttle;
pub mod trace;
mod verdict;

pub use carrier::{BindState, BindView, CarrierState};
pub use service::{Handle, Options, Service};
pub use throttle::PaceReason;
