//! Connections to judged addresses only.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::guard::{Guard, Refused};
use super::outbox::BoxFuture;
use super::resolve::{Resolve, SystemResolver};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL has no host that can be connected to.
    #[error("the URL has no usable host")]
    Host,
    /// The name could not be resolved.
    #[error("the name can't be resolved: {0}")]
    LookUp(io::Error),
    /// An address of the name may not be reached.
    #[error("refused: {0}")]
    Refused(Refused),
    /// No address took the connection.
    #[error("can't connect: {0}")]
    Connect(io::Error),
    /// TLS was not agreed on.
    #[error("TLS failed: {0}")]
    Tls(io::Error),
}

/// Resolves, judges every address, and connects to exactly those.
#[derive(Clone)]
pub struct Connector {
    pub(super) guard: Arc<Guard>,
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) tls: TlsConnector,
    pub(super) connect_limit: Duration,
}

impl Connector {
    /// Connects to what the system's resolver says and the guard allows.
    pub(crate) fn new(guard: Guard, tls: TlsConnector, connect_limit: Duration) -> Self {
        Self { guard: Arc::new(guard), resolver: Arc::new(SystemResolver::default()), tls, connect_limit }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<Stream>, ConnectError> {
        let host = uri.host().ok_or(ConnectError::Host)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let encrypted = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let addresses = self.judged(&host, encrypted, port).await?;
        let tcp = timeout(self.connect_limit, first_that_connects(&addresses))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(ConnectError::Connect)?;
        tcp.set_nodelay(true).map_err(ConnectError::Connect)?;
        if !encrypted {
            return Ok(TokioIo::new(Stream::Plain(tcp)));
        }
        let name = ServerName::try_from(host).map_err(|_| ConnectError::Host)?;
        let tls = timeout(self.connect_limit, self.tls.connect(name, tcp))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(ConnectError::Tls)?;
        Ok(TokioIo::new(Stream::Tls(Box::new(tls))))
    }

    /// One denied address refuses the whole name: a mixed answer is an attack or a mistake.
    async fn judged(&self, host: &str, encrypted: bool, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        let addresses = match host.parse::<IpAddr>() {
            Ok(literal) => vec![literal],
            Err(_) => self.resolver.resolve(host.to_owned()).await.map_err(ConnectError::LookUp)?,
        };
        let addresses: Vec<_> = addresses.into_iter().map(|ip| SocketAddr::new(ip.to_canonical(), port)).collect();
        for address in &addresses {
            if let Err(refused) = self.guard.judge(encrypted, *address) {
                tracing::warn!(target: "tell", host, %address, %refused, "a webhook was refused");
                return Err(ConnectError::Refused(refused));
            }
        }
        Ok(addresses)
    }
}

async fn first_that_connects(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl tower::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// A connection with or without TLS.
pub enum Stream {
    /// Plain TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let is_http2 = matches!(self, Self::Tls(tls) if tls.get_ref().1.alpn_protocol() == Some(b"h2"));
        if is_http2 { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

macro_rules! forward {
    ($stream:expr, $method:ident, $context:expr $(, $argument:expr)?) => {
        match $stream.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).$method($context $(, $argument)?),
            Self::Tls(tls) => Pin::new(tls).$method($context $(, $argument)?),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        forward!(self, poll_read, context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        forward!(self, poll_write, context, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, poll_flush, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        forward!(self, poll_shutdown, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        forward!(self, poll_write_vectored, context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }
}
