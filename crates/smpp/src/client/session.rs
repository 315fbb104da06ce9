//! Binding to an SMSC.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::handler::{Adapter, ClientHandler};
use crate::encode::EncodeError;
use crate::handshake::{Handshake, HandshakeError};
use crate::pdu::{Bind, BindMode, BindResp, Decoded, Pdu, decode};
use crate::session::{Engine, Role, SessionEnd, SessionHandle, SessionOptions, Start, TlvUse};
use crate::{CommandId, CommandStatus, FrameCutter};

/// The sequence number of the bind request, the first of a session.
const BIND_SEQUENCE_NUMBER: u32 = 1;

/// The first version with optional parameters.
const VERSION_WITH_TLVS: u8 = 0x34;

/// What a peer speaks that does not say so (SMPP 3.4 §5.3.2.25).
const VERSION_UNSAID: u8 = 0x33;

/// Why a bind did not come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// The SMSC said no; see [`crate::reconnect`] for what to do about each status.
    #[error("the operator refused the bind: {0}: {text}", text = .0.meaning())]
    Refused(CommandStatus),
    /// The SMSC did not answer in time.
    #[error("the operator did not answer the bind request within {0:?}")]
    TimedOut(Duration),
    /// The connection did not carry a bind.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The bind request cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// What the SMSC said when it accepted the bind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The directions of the session.
    pub mode: BindMode,
    /// Who the SMSC says it is.
    pub system_id: Vec<u8>,
    /// The version it speaks, 0x33 if it does not say.
    pub interface_version: u8,
    /// Whether optional parameters are sent to it.
    pub tlvs_allowed: bool,
}

/// A bound session that does not run yet.
#[derive(Debug)]
pub struct ClientSession<S> {
    stream: S,
    bound: Bound,
    start: Start,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ClientSession<S> {
    /// Binds over a connected stream, within `options.bind_timeout`.
    ///
    /// # Errors
    /// [`BindError`]; the stream is closed by dropping it.
    pub async fn bind(stream: S, bind: &Bind<'_>, options: SessionOptions) -> Result<Self, BindError> {
        let handshake = Handshake { stream, cutter: FrameCutter::new(options.frame_octets_max) };
        Self::bind_over(handshake, bind, options).await
    }

    /// Binds over a connection that may have been read from already.
    pub(super) async fn bind_over(
        mut handshake: Handshake<S>,
        bind: &Bind<'_>,
        options: SessionOptions,
    ) -> Result<Self, BindError> {
        let mut request = BytesMut::new();
        bind.encode(BIND_SEQUENCE_NUMBER, &mut request)?;
        let answer = async {
            handshake.write(&request).await?;
            let is_answer =
                |id: CommandId| id == CommandId::GENERIC_NACK || (id.is_response() && BindMode::of(id).is_some());
            handshake.wait_for(is_answer).await
        };
        let (header, frame) = if options.bind_timeout.is_zero() {
            answer.await?
        } else {
            timeout(options.bind_timeout, answer)
                .await
                .map_err(|_elapsed| BindError::TimedOut(options.bind_timeout))??
        };
        if !header.command_status.is_ok() || header.command_id == CommandId::GENERIC_NACK {
            return Err(BindError::Refused(header.command_status));
        }
        let bound = bound(bind.mode, &frame, options.tlv_use);
        let start = Start {
            role: Role::Client,
            mode: bind.mode,
            tlvs_allowed: bound.tlvs_allowed,
            options,
            cutter: handshake.cutter,
            out: BytesMut::new(),
            next_sequence_number: BIND_SEQUENCE_NUMBER + 1,
            handle: SessionHandle::new(),
        };
        Ok(Self { stream: handshake.stream, bound, start })
    }

    /// The way into the session while it runs.
    #[must_use]
    pub fn handle(&self) -> SessionHandle {
        self.start.handle.clone()
    }

    /// What the SMSC said when it accepted the bind.
    #[must_use]
    pub const fn bound(&self) -> &Bound {
        &self.bound
    }

    /// Runs the session to its end. Dropping the future closes the connection without `unbind`; the handler is told
    /// of every open slot in either case.
    pub async fn run<H: ClientHandler>(self, handler: H) -> SessionEnd {
        Engine::new(self.stream, Adapter(handler), self.start).run().await
    }
}

fn bound(mode: BindMode, frame: &[u8], tlv_use: TlvUse) -> Bound {
    let (system_id, version) = match decode(frame) {
        Decoded::Parsed { pdu: Pdu::BindResp(BindResp { system_id, tlvs, .. }), .. } => {
            (system_id.to_vec(), tlvs.sc_interface_version())
        }
        _ => (Vec::new(), None),
    };
    let interface_version = version.unwrap_or(VERSION_UNSAID);
    let tlvs_allowed = match tlv_use {
        TlvUse::Always => true,
        TlvUse::Never => false,
        TlvUse::ByPeerVersion => interface_version >= VERSION_WITH_TLVS,
    };
    Bound { mode, system_id, interface_version, tlvs_allowed }
}
