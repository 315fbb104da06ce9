//! What can be set about a session, and how it can end.

use std::time::Duration;

use crate::frame::{FRAME_OCTETS_MAX, FrameError};

/// When a window slot may carry new work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReleaseOn {
    /// As soon as its outcome is known.
    #[default]
    Answer,
    /// When the handler gives it back by [`super::SessionHandle::release`], for example after a durable commit: what
    /// may be sent twice after a crash is then bounded by the window.
    Handler,
}

/// Whether optional parameters are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlvUse {
    /// Only to a peer that says it speaks 3.4 or later.
    #[default]
    ByPeerVersion,
    /// Always: for operators that forget `sc_interface_version` and understand 3.4 all the same.
    Always,
    /// Never: SMPP 3.3 has none.
    Never,
}

/// Settings of a session. A timer of zero is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionOptions {
    /// From the connection to the bind, or from the bind request to its response.
    pub bind_timeout: Duration,
    /// Silence of the peer after which it is asked whether it lives.
    pub enquire_link_idle: Duration,
    /// How long it may take to say so; then the session is over.
    pub enquire_link_timeout: Duration,
    /// How long a request may stay unanswered.
    pub response_timeout: Duration,
    /// How long the rest of a begun frame may take.
    pub half_frame_timeout: Duration,
    /// Silence of the peer after which the session is over.
    pub inactivity_timeout: Duration,
    /// How long to wait for `unbind_resp`.
    pub unbind_timeout: Duration,
    /// Requests that may be unanswered at a time, at least 1.
    pub window_max: usize,
    /// When a slot of the window is free again.
    pub release_on: ReleaseOn,
    /// Requests of the peer that may wait for the handler's answer.
    pub inbox_max: usize,
    /// Largest frame accepted, in octets, header included.
    pub frame_octets_max: usize,
    /// Octets waiting for a slow peer above which no new work is taken; at four times as many the session ends.
    pub write_octets_max: usize,
    /// Whether optional parameters are sent.
    pub tlv_use: TlvUse,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            bind_timeout: Duration::from_secs(10),
            enquire_link_idle: Duration::from_secs(20),
            enquire_link_timeout: Duration::from_secs(10),
            response_timeout: Duration::from_secs(30),
            half_frame_timeout: Duration::from_secs(10),
            inactivity_timeout: Duration::from_secs(120),
            unbind_timeout: Duration::from_secs(5),
            window_max: 10,
            release_on: ReleaseOn::Answer,
            inbox_max: 2_000,
            frame_octets_max: FRAME_OCTETS_MAX,
            write_octets_max: 256 * 1024,
            tlv_use: TlvUse::ByPeerVersion,
        }
    }
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionEnd {
    /// This end unbound, and the peer agreed.
    #[error("unbound")]
    Unbound,
    /// This end unbound, and the peer did not answer in time.
    #[error("unbound without an answer from the peer")]
    UnboundUnanswered,
    /// The peer unbound.
    #[error("the peer unbound")]
    PeerUnbound,
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    PeerClosed,
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(std::io::ErrorKind),
    /// The stream can no longer be cut into frames.
    #[error("{0}")]
    OutOfStep(#[from] FrameError),
    /// The peer did not answer `enquire_link`.
    #[error("the peer did not answer enquire_link")]
    EnquireLinkTimeout,
    /// The peer sent nothing for too long.
    #[error("the peer was silent for too long")]
    Inactive,
    /// The peer began a frame and did not finish it.
    #[error("the peer did not finish a frame it had begun")]
    HalfFrame,
    /// The peer keeps sending and does not read what it is sent.
    #[error("the peer does not read what it is sent")]
    PeerNotReading,
}

/// Which end of the session this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The ESME.
    Client,
    /// The SMSC.
    Server,
}
