//! Reading and writing before a session runs: one frame at a time, no window.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::encode::{header_only, message_response};
use crate::tlv::Tlvs;
use crate::{CommandId, CommandStatus, FrameCutter, FrameError, Header};

/// Why no bind came about on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The peer closed the connection.
    #[error("the peer closed the connection before the bind was done")]
    PeerClosed,
    /// The peer unbound.
    #[error("the peer unbound before the bind was done")]
    PeerUnbound,
    /// The connection broke.
    #[error("the connection broke before the bind was done: {0}")]
    Broken(std::io::ErrorKind),
    /// The stream cannot be cut into frames; it may not be SMPP at all, or TLS where none is expected.
    #[error("the peer does not speak SMPP here: {0}")]
    OutOfStep(#[from] FrameError),
}

#[derive(Debug)]
pub(crate) struct Handshake<S> {
    pub(crate) stream: S,
    pub(crate) cutter: FrameCutter,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Handshake<S> {
    pub(crate) async fn write(&mut self, octets: &[u8]) -> Result<(), HandshakeError> {
        let broken = |error: std::io::Error| HandshakeError::Broken(error.kind());
        self.stream.write_all(octets).await.map_err(broken)?;
        self.stream.flush().await.map_err(broken)
    }

    async fn read_frame(&mut self) -> Result<(Header, Vec<u8>), HandshakeError> {
        loop {
            match self.cutter.next_frame() {
                Ok(Some(frame)) => {
                    if let Some(header) = Header::read(frame) {
                        return Ok((header, frame.to_vec()));
                    }
                }
                Ok(None) => {
                    let read = self.stream.read(self.cutter.spare()).await;
                    let octets = read.map_err(|error| HandshakeError::Broken(error.kind()))?;
                    if octets == 0 {
                        return Err(HandshakeError::PeerClosed);
                    }
                    self.cutter.received(octets);
                }
                Err(error) => {
                    let mut out = BytesMut::new();
                    header_only(CommandId::GENERIC_NACK, CommandStatus::RINVCMDLEN, 0, &mut out);
                    self.write(&out).await?;
                    return Err(error.into());
                }
            }
        }
    }

    /// The next frame for which `wanted` holds; requests before it are answered as OPEN allows (SMPP 3.4 §2.2).
    pub(crate) async fn wait_for(
        &mut self,
        wanted: impl Fn(CommandId) -> bool,
    ) -> Result<(Header, Vec<u8>), HandshakeError> {
        loop {
            let (header, frame) = self.read_frame().await?;
            let id = header.command_id;
            if wanted(id) {
                return Ok((header, frame));
            }
            let (number, mut out) = (header.sequence_number, BytesMut::new());
            match id {
                CommandId::ENQUIRE_LINK => {
                    header_only(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ROK, number, &mut out);
                }
                CommandId::UNBIND => header_only(CommandId::UNBIND_RESP, CommandStatus::ROK, number, &mut out),
                _ => match id.response() {
                    Some(response) => {
                        let status = CommandStatus::RINVBNDSTS;
                        message_response(response, status, number, &[], Tlvs::EMPTY, &mut out);
                    }
                    None if !id.is_known() && !id.is_response() => {
                        header_only(CommandId::GENERIC_NACK, CommandStatus::RINVCMDID, number, &mut out);
                    }
                    None => {}
                },
            }
            self.write(&out).await?;
            if id == CommandId::UNBIND {
                return Err(HandshakeError::PeerUnbound);
            }
        }
    }
}
