//! SMPP 3.4, both ends: frames, PDUs, sessions with a window and timers.
//!
//! - [`frame`] cuts one frame at a time out of a byte stream; a bad `command_length` is the only fatal error there is.
//! - [`pdu`] decodes frames without copying and without giving up: a body either parses (with [`pdu::Quirks`]) or is
//!   [`pdu::Decoded::Damaged`], and neither costs the session.
//! - [`tlv`] walks optional parameters; [`receipt`] reads delivery reports.
//! - [`client`] is the ESME end of a session, [`server`] the SMSC end; both run on the engine in [`session`].
//! - [`reconnect`] says when to try again, [`tls`] dresses a stream in TLS.
//!
//! The additions of SMPP 5.0 are parsed (status codes, `congestion_state`), never required.

pub mod client;
pub mod command_id;
pub mod command_status;
mod cursor;
pub mod encode;
pub mod frame;
mod handshake;
pub mod pdu;
pub mod receipt;
pub mod reconnect;
pub mod server;
pub mod session;
pub mod tls;
pub mod tlv;

pub use command_id::CommandId;
pub use command_status::CommandStatus;
pub use frame::{FrameCutter, FrameError, Header};
pub use handshake::HandshakeError;
