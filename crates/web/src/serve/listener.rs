//! The accept loop.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use domain::problem::Problem;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::{Shared, serve, stopped};
use super::gate::{Gate, Pass};
use super::handler::Handler;
use super::tls::Tls;
use crate::envelope::{Answer, UniqIds};

/// Connections the kernel keeps until they are accepted.
const BACKLOG: u32 = 4_096;
/// Pause after the system refused to accept, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound socket and what is spoken on it.
pub(super) struct Listener {
    pub socket: TcpListener,
    pub tls: Option<Arc<Tls>>,
}

/// Binds an address.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Listener {
    /// Accepts until the stop, then waits for the connections to finish.
    pub(super) async fn run<H: Handler>(self, shared: Arc<Shared<H>>, gate: Arc<Gate>, drain: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        let mut stopping = std::pin::pin!(stopped(drain.clone()));
        loop {
            tokio::select! {
                biased;
                () = stopping.as_mut() => break,
                Some(_) = connections.join_next() => {}
                accepted = self.accept(&gate, &shared.uniq_ids) => {
                    let Some((stream, peer, pass)) = accepted else { continue };
                    let (shared, tls, drain) = (Arc::clone(&shared), self.tls.clone(), drain.clone());
                    connections.spawn(connect(stream, peer, pass, tls, shared, drain));
                }
            }
        }
        let Self { socket, .. } = self;
        drop(socket);
        let finishing = async { while connections.join_next().await.is_some() {} };
        if timeout(shared.drain, finishing).await.is_err() {
            tracing::warn!(target: "web", connections = connections.len(), "closing connections that did not finish in time");
            connections.shutdown().await;
        }
    }

    /// The next connection that may come in. May be dropped while it waits without losing one.
    async fn accept(&self, gate: &Arc<Gate>, uniq_ids: &UniqIds) -> Option<(TcpStream, IpAddr, Pass)> {
        let permit = gate.room().await?;
        let (stream, peer) = match self.socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(target: "web", %error, "can't accept a connection");
                sleep(ACCEPT_PAUSE).await;
                return None;
            }
        };
        let peer = peer.ip().to_canonical();
        match gate.enter(peer, permit) {
            Some(pass) => Some((stream, peer, pass)),
            None => {
                self.turn_away(&stream, uniq_ids);
                None
            }
        }
    }

    /// Tells a client with too many connections why, as far as that goes without waiting for it.
    fn turn_away(&self, stream: &TcpStream, uniq_ids: &UniqIds) {
        if self.tls.is_some() {
            return;
        }
        let uniq_id = uniq_ids.next();
        let answer = Answer::problem(uniq_id, Problem::Overloaded);
        let status = answer.status();
        tracing::info!(target: "web", method = "-", path = "-", status, duration_us = 0, uniqId = uniq_id.as_str(), account = "-", "answered");
        let head = format!(
            "HTTP/1.1 {status} Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            answer.body().len()
        );
        // A client that does not take it at once gets none: its connection is closed either way.
        let _ = stream.try_write(&[head.as_bytes(), answer.body()].concat());
    }
}

async fn connect<H: Handler>(
    stream: TcpStream,
    peer: IpAddr,
    pass: Pass,
    tls: Option<Arc<Tls>>,
    shared: Arc<Shared<H>>,
    drain: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting to fill a packet only delays them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match tls {
        None => serve(stream, peer, shared, drain).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(shared.tls_handshake, tls.acceptor().accept(stream)).await {
                serve(stream, peer, shared, drain).await;
            }
        }
    }
    drop(pass);
}
