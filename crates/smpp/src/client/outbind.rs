//! Connections that the operator opens: it sends `outbind`, and this end binds over the same connection
//! (SMPP 3.4 §2.2.1, §4.1.7).

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::session::{BindError, ClientSession};
use crate::handshake::Handshake;
use crate::pdu::{Bind, Decoded, Pdu, decode};
use crate::session::SessionOptions;
use crate::{CommandId, FrameCutter};

/// A connection whose operator has asked for a bind.
#[derive(Debug)]
pub struct Outbound<S> {
    handshake: Handshake<S>,
    system_id: Vec<u8>,
}

/// Waits for the `outbind` on a connection that the operator has opened, within `options.bind_timeout`.
///
/// # Errors
/// [`BindError`]; the stream is closed by dropping it.
pub async fn read_outbind<S>(stream: S, options: &SessionOptions) -> Result<Outbound<S>, BindError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut handshake = Handshake { stream, cutter: FrameCutter::new(options.frame_octets_max) };
    let waiting = handshake.wait_for(|id| id == CommandId::OUTBIND);
    let (_, frame) = timeout(options.bind_timeout, waiting)
        .await
        .map_err(|_elapsed| BindError::TimedOut(options.bind_timeout))??;
    let system_id = match decode(&frame) {
        Decoded::Parsed { pdu: Pdu::Outbind(outbind), .. } => outbind.system_id.to_vec(),
        // Who it says it is decides nothing.
        _ => Vec::new(),
    };
    Ok(Outbound { handshake, system_id })
}

impl<S: AsyncRead + AsyncWrite + Unpin> Outbound<S> {
    /// Who the operator says it is.
    #[must_use]
    pub fn system_id(&self) -> &[u8] {
        &self.system_id
    }

    /// Answers with a bind.
    ///
    /// # Errors
    /// [`BindError`], or that the peer closed the connection.
    pub async fn bind(self, bind: &Bind<'_>, options: SessionOptions) -> Result<ClientSession<S>, BindError> {
        ClientSession::bind_over(self.handshake, bind, options).await
    }
}
