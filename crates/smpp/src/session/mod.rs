//! The engine under both ends of a session: one task owns the socket and does everything in turns.
//!
//! A turn reads what is there, matches responses to their slots, hands requests to the handler, pulls new work while
//! the window has room, and writes everything that came of it at once. Nothing waits for anything else: a peer that
//! does not read stops the pulling and the writing, never the reading.
//!
//! Bounds: the window ([`SessionOptions::window_max`]), the inbox of unanswered requests
//! ([`SessionOptions::inbox_max`]), the octets waiting to be written ([`SessionOptions::write_octets_max`]), the frame
//! ([`SessionOptions::frame_octets_max`]).
//!
//! At the inbox bound further requests are refused for now (`RX_T_APPN` towards an SMSC, `RTHROTTLED` towards an ESME)
//! and reading goes on. To stop reading instead would leave the responses to our own requests in the socket behind the
//! requests we have no room for; they would time out and be sent again, and people would get their messages twice.

mod answer;
mod batch;
mod engine;
mod frames;
mod handle;
mod options;
mod outcome;
mod send;
mod timers;
mod watch;
mod window;

pub use answer::{Answer, Answers};
pub use batch::RequestBatch;
pub(crate) use engine::{Engine, Handler, Start};
pub use handle::{SessionHandle, SessionStats};
pub(crate) use options::Role;
pub use options::{ReleaseOn, SessionEnd, SessionOptions, TlvUse};
pub use outcome::{Outcome, OutcomeBatch};
pub use send::PushError;
pub(crate) use send::SendBatch;
pub use watch::{Direction, FrameWatcher};
