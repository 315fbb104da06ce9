//! What the liars have in common: listening on loopback.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A listener that hands over each connection; stops when dropped.
pub struct Line {
    /// Where it listens.
    pub address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Line {
    /// Listens on a free port.
    ///
    /// # Errors
    /// No port is free.
    pub async fn open<F>(mut each: impl FnMut(TcpStream) -> F + Send + 'static) -> Result<Self>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = each(stream);
                tokio::spawn(async move {
                    // Either end may hang up at any time; that ends this connection and nothing else.
                    let _ended = serving.await;
                });
            }
        });
        Ok(Self { address, listening })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
