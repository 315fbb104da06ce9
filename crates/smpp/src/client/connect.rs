//! Connecting to an SMSC by TCP, and TLS where the operator offers it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::tls::{ClientTls, TlsError};

/// How to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// For the name look-up, the connection and the TLS handshake together.
    pub connect_timeout: Duration,
    /// TLS, if the operator offers it.
    pub tls: Option<ClientTls>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(5), tls: None }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No address answered.
    #[error("cannot connect to {host}:{port}: {source}")]
    Tcp {
        /// The host tried.
        host: String,
        /// The port tried.
        port: u16,
        /// The reason of the last address.
        source: io::Error,
    },
    /// Nothing answered in time.
    #[error("{host}:{port} did not answer within {within:?}")]
    TimedOut {
        /// The host tried.
        host: String,
        /// The port tried.
        port: u16,
        /// The time allowed.
        within: Duration,
    },
    /// TLS failed.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A connection to an SMSC.
#[derive(Debug)]
pub enum Transport {
    /// In the clear.
    Plain(TcpStream),
    /// In TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Octets that the kernel takes beyond those that are on their way (`TCP_NOTSENT_LOWAT`): what it holds can't be overtaken
/// by a message that is more urgent.
const UNSENT_OCTETS_MAX: u32 = 16 * 1024;

/// Prepares a connection for a session: small segments are not delayed (`TCP_NODELAY`), because batching is the session's
/// business, and what can't be sent yet stays in the session, where it is little ([`UNSENT_OCTETS_MAX`]).
///
/// # Errors
/// The system refuses it; the connection is of no use then.
pub fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_OCTETS_MAX)?;
    Ok(())
}

/// Connects to `host` and `port`; the connection is [tuned](tune).
///
/// # Errors
/// [`ConnectError`].
pub async fn connect(host: &str, port: u16, options: &ConnectOptions) -> Result<Transport, ConnectError> {
    let tcp = |source| ConnectError::Tcp { host: host.to_owned(), port, source };
    let connecting = async {
        let stream = TcpStream::connect((host, port)).await.map_err(tcp)?;
        tune(&stream).map_err(tcp)?;
        match &options.tls {
            None => Ok(Transport::Plain(stream)),
            Some(tls) => Ok(Transport::Tls(Box::new(tls.connect(host, stream).await?))),
        }
    };
    let timed_out = |_elapsed| ConnectError::TimedOut { host: host.to_owned(), port, within: options.connect_timeout };
    timeout(options.connect_timeout, connecting).await.map_err(timed_out)?
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, octets),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
