//! The listeners of one handler.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use domain::random::Random;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::Shared;
use super::gate::Gate;
use super::handler::Handler;
use super::listener::{Listener, bind};
use super::options::{Options, OptionsError};
use super::tls::Tls;
use super::tls_files::TlsError;
use crate::envelope::UniqIds;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration can't be used.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address is taken, or not ours.
    #[error("can't listen on {address} ({section}.{key}): {source}; is another server running there?")]
    Bind {
        /// The section of the configuration.
        section: &'static str,
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Bound listeners, ready to run.
pub struct Service<H> {
    shared: Arc<Shared<H>>,
    listeners: Vec<Listener>,
    handle: Handle,
}

/// What can be asked about a running service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    listen: Option<SocketAddr>,
    listen_tls: Option<SocketAddr>,
    gate: Arc<Gate>,
}

impl Handle {
    /// Where plain HTTP is answered; with the port that was picked, if the configured one was 0.
    #[must_use]
    pub fn listen(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// Where HTTPS is answered.
    #[must_use]
    pub fn listen_tls(&self) -> Option<SocketAddr> {
        self.listen_tls
    }

    /// Open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.gate.open()
    }
}

impl<H: Handler> Service<H> {
    /// Binds the addresses; must be called within a tokio runtime. Blocks briefly on files and sockets.
    ///
    /// # Errors
    /// [`Error`], in words for the person who starts the server.
    pub fn bind(options: &Options, data_dir: &Path, random: &Random, handler: H) -> Result<Self, Error> {
        options.check()?;
        let plain = bind_key(options, "listen", &options.listen)?;
        let secure = bind_key(options, "listen_tls", &options.listen_tls)?;
        let gate = Gate::new(options.connections_max, options.connections_per_address_max);
        let local = |socket: &Option<TcpListener>| socket.as_ref().and_then(|socket| socket.local_addr().ok());
        let handle = Handle { listen: local(&plain), listen_tls: local(&secure), gate };
        let mut listeners: Vec<Listener> = plain.into_iter().map(|socket| Listener { socket, tls: None }).collect();
        if let Some(socket) = secure {
            let tls = Tls::open(&options.certificate_file, &options.private_key_file, data_dir)?;
            listeners.push(Listener { socket, tls: Some(tls) });
        }
        let uniq_ids = Arc::new(UniqIds::new(random));
        Ok(Self { shared: Arc::new(Shared::new(handler, options, uniq_ids)), listeners, handle })
    }

    /// A handle.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until `drain` holds `true` (or its sender is gone): then accepts nothing new, finishes
    /// what is in progress within `drain_ms`, and returns.
    pub async fn run(self, drain: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        let mut reloading = JoinSet::new();
        for listener in self.listeners {
            if let Some(tls) = &listener.tls {
                reloading.spawn(Arc::clone(tls).follow());
            }
            running.spawn(listener.run(Arc::clone(&self.shared), Arc::clone(&self.handle.gate), drain.clone()));
        }
        while running.join_next().await.is_some() {}
        reloading.shutdown().await;
    }
}

fn bind_key(options: &Options, key: &'static str, value: &str) -> Result<Option<TcpListener>, Error> {
    let Some(address) = options.address(key, value)? else { return Ok(None) };
    let section = options.section;
    bind(address).map(Some).map_err(|source| Error::Bind { section, key, address, source })
}
