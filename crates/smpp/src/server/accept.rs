//! Taking a bind.

use std::fmt;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::handler::{Adapter, ServerHandler};
use crate::encode::EncodeError;
use crate::handshake::{Handshake, HandshakeError};
use crate::pdu::{BindMode, BindResp, Decoded, Pdu, decode};
use crate::session::{Engine, Role, SessionEnd, SessionHandle, SessionOptions, Start, TlvUse};
use crate::{CommandId, CommandStatus, FrameCutter};

/// The version this end speaks and says so.
const OWN_VERSION: u8 = 0x34;

/// Why no bind was taken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// No bind request came in time.
    #[error("no bind request came within {0:?}")]
    TimedOut(Duration),
    /// The connection did not carry a bind.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The bind request could not be read; it was refused.
    #[error("the bind request could not be read: {0}")]
    Damaged(crate::pdu::Damage),
    /// The answer cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Who wants to bind, and how.
#[derive(Clone, PartialEq, Eq)]
pub struct BindRequest {
    /// The directions asked for.
    pub mode: BindMode,
    /// Who.
    pub system_id: Vec<u8>,
    /// The password given.
    pub password: Vec<u8>,
    /// The type of system given.
    pub system_type: Vec<u8>,
    /// The version the ESME speaks.
    pub interface_version: u8,
    /// The addresses the ESME wants to serve.
    pub address_range: Vec<u8>,
}

impl fmt::Debug for BindRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password stays out of logs.
        out.debug_struct("BindRequest")
            .field("mode", &self.mode)
            .field("system_id", &String::from_utf8_lossy(&self.system_id))
            .field("interface_version", &self.interface_version)
            .finish_non_exhaustive()
    }
}

/// A bind request that waits for its answer.
pub struct PendingBind<S> {
    handshake: Handshake<S>,
    request: BindRequest,
    sequence_number: u32,
    options: SessionOptions,
}

impl<S> fmt::Debug for PendingBind<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PendingBind").field("request", &self.request).finish_non_exhaustive()
    }
}

/// Waits for the bind request on a fresh connection, within `options.bind_timeout`.
///
/// # Errors
/// [`AcceptError`]; the stream is closed by dropping it.
pub async fn read_bind<S>(stream: S, options: SessionOptions) -> Result<PendingBind<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut handshake = Handshake { stream, cutter: FrameCutter::new(options.frame_octets_max) };
    let waiting = handshake.wait_for(CommandId::is_bind);
    let (header, frame) = if options.bind_timeout.is_zero() {
        waiting.await?
    } else {
        timeout(options.bind_timeout, waiting)
            .await
            .map_err(|_elapsed| AcceptError::TimedOut(options.bind_timeout))??
    };
    match decode(&frame) {
        Decoded::Parsed { pdu: Pdu::Bind(bind), .. } => {
            let request = BindRequest {
                mode: bind.mode,
                system_id: bind.system_id.to_vec(),
                password: bind.password.to_vec(),
                system_type: bind.system_type.to_vec(),
                interface_version: bind.interface_version,
                address_range: bind.address_range.to_vec(),
            };
            Ok(PendingBind { handshake, request, sequence_number: header.sequence_number, options })
        }
        Decoded::Damaged { why, .. } => {
            refuse(&mut handshake, header.command_id, why.status(), header.sequence_number).await?;
            Err(AcceptError::Damaged(why))
        }
        Decoded::Parsed { .. } => Err(AcceptError::Handshake(HandshakeError::PeerClosed)),
    }
}

async fn refuse<S>(
    handshake: &mut Handshake<S>,
    request: CommandId,
    status: CommandStatus,
    sequence_number: u32,
) -> Result<(), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut out = BytesMut::new();
    if let Some(response) = request.response() {
        crate::encode::header_only(response, status, sequence_number, &mut out);
    }
    handshake.write(&out).await
}

impl<S: AsyncRead + AsyncWrite + Unpin> PendingBind<S> {
    /// Who wants to bind, and how.
    #[must_use]
    pub const fn request(&self) -> &BindRequest {
        &self.request
    }

    /// Accepts, naming itself `system_id`. The answer goes out when the session runs.
    ///
    /// # Errors
    /// [`AcceptError::Encode`] if `system_id` has more than 15 octets or holds a NUL.
    pub fn accept(self, system_id: &[u8]) -> Result<ServerSession<S>, AcceptError> {
        let version = (self.request.interface_version >= OWN_VERSION).then_some(OWN_VERSION);
        self.accept_as(system_id, version)
    }

    /// [`Self::accept`] saying any version, or none as 3.3 does.
    ///
    /// # Errors
    /// [`AcceptError::Encode`] if `system_id` has more than 15 octets or holds a NUL.
    pub fn accept_as(self, system_id: &[u8], version: Option<u8>) -> Result<ServerSession<S>, AcceptError> {
        let Self { handshake, request, sequence_number, options } = self;
        let mut out = BytesMut::new();
        let status = CommandStatus::ROK;
        BindResp::encode_answer(request.mode, status, system_id, version, sequence_number, &mut out)?;
        let start = Start {
            role: Role::Server,
            mode: request.mode,
            tlvs_allowed: options.tlv_use == TlvUse::Always || request.interface_version >= OWN_VERSION,
            options,
            cutter: handshake.cutter,
            out,
            next_sequence_number: 1,
            handle: SessionHandle::new(),
        };
        Ok(ServerSession { stream: handshake.stream, request, start })
    }

    /// Refuses with `status` and closes the connection.
    ///
    /// # Errors
    /// [`AcceptError::Handshake`] if the answer could not be written.
    pub async fn refuse(mut self, status: CommandStatus) -> Result<(), AcceptError> {
        let command_id = self.request.mode.command_id();
        Ok(refuse(&mut self.handshake, command_id, status, self.sequence_number).await?)
    }
}

/// A bound session that does not run yet.
#[derive(Debug)]
pub struct ServerSession<S> {
    stream: S,
    request: BindRequest,
    start: Start,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ServerSession<S> {
    /// The way into the session while it runs.
    #[must_use]
    pub fn handle(&self) -> SessionHandle {
        self.start.handle.clone()
    }

    /// Who is bound, and how.
    #[must_use]
    pub const fn request(&self) -> &BindRequest {
        &self.request
    }

    /// Runs the session to its end; see [`crate::client::ClientSession::run`].
    pub async fn run<H: ServerHandler>(self, handler: H) -> SessionEnd {
        Engine::new(self.stream, Adapter(handler), self.start).run().await
    }
}
