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
pub struct Outbound<S> {
    handshake: Handshake<S>,
    system_id: Vec<u8>,
    password: Vec<u8>,
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
    let (system_id, password) = match decode(&frame) {
        Decoded::Parsed { pdu: Pdu::Outbind(outbind), .. } => (outbind.system_id.to_vec(), outbind.password.to_vec()),
        // Who can't be read is nobody.
        _ => (Vec::new(), Vec::new()),
    };
    Ok(Outbound { handshake, system_id, password })
}

impl<S> std::fmt::Debug for Outbound<S> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let system_id = String::from_utf8_lossy(&self.system_id);
        formatter.debug_struct("Outbound").field("system_id", &system_id).finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Outbound<S> {
    /// Who the operator says it is.
    #[must_use]
    pub fn system_id(&self) -> &[u8] {
        &self.system_id
    }

    /// What it gives to prove that.
    #[must_use]
    pub fn password(&self) -> &[u8] {
        &self.password
    }

    /// Answers with a bind.
    ///
    /// # Errors
    /// [`BindError`], or that the peer closed the connection.
    pub async fn bind(self, bind: &Bind<'_>, options: SessionOptions) -> Result<ClientSession<S>, BindError> {
        ClientSession::bind_over(self.handshake, bind, options).await
    }
}
