//! The listener and what its sessions share.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Result;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::behaviour::Behaviour;
use super::books::Books;
use super::receipts::Waiting;
use super::session;

/// What all sessions share.
pub struct Shared {
    /// The books.
    pub books: Books,
    /// How to behave.
    pub behaviour: Mutex<Behaviour>,
    /// Receipts to be sent.
    pub receipts: Waiting,
    /// What people wrote and is to be sent, by its place in the books.
    pub written: Mutex<VecDeque<usize>>,
    last_id: AtomicU64,
}

impl Shared {
    /// The next message id: eight digits, none twice.
    pub fn next_id(&self) -> String {
        format!("{:010}", self.last_id.fetch_add(1, Ordering::Relaxed))
    }
}

/// A running operator; stops when dropped.
pub struct Operator {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Changes when all connections are to be cut.
    cut: watch::Sender<u64>,
    /// Nobody is at home: connections are closed as soon as they come.
    away: Arc<AtomicBool>,
    listening: JoinHandle<()>,
}

impl Operator {
    /// Listens on a port of loopback.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(behaviour: Behaviour) -> Result<Self> {
        Self::open(Arc::new(Shared {
            books: Books::default(),
            behaviour: Mutex::new(behaviour),
            receipts: Waiting::default(),
            written: Mutex::default(),
            last_id: AtomicU64::new(1_000_000),
        }))
        .await
    }

    /// Another door to the same operator: the same books, ids and receipts behind another address.
    ///
    /// # Errors
    /// No port is free.
    pub async fn second_door(&self) -> Result<Self> {
        Self::open(Arc::clone(&self.shared)).await
    }

    async fn open(shared: Arc<Shared>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (cut, away) = (watch::channel(0).0, Arc::new(AtomicBool::new(false)));
        let (serving, is_away, cuts) = (Arc::clone(&shared), Arc::clone(&away), cut.subscribe());
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if !is_away.load(Ordering::Relaxed) {
                    tokio::spawn(session::serve(Arc::clone(&serving), stream, cuts.clone()));
                }
            }
        });
        Ok(Self { shared, address, cut, away, listening })
    }

    /// Goes away, closing all connections of this door at once, or comes back.
    pub fn go_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
        if away {
            self.cut();
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its books.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.shared.books
    }

    /// A person writes: the message goes out over the next session that receives, until one has answered for it.
    pub fn write(&self, source: &str, destination: &str, text: &str) {
        self.write_behind(&[], source, destination, text);
    }

    /// A person writes at length: one part, with its place (number, count) under a reference of 8 bits (3GPP TS 23.040
    /// §9.2.3.24.1).
    pub fn write_part(&self, source: &str, destination: &str, text: &str, reference: u8, (number, count): (u8, u8)) {
        self.write_behind(&[5, 0, 3, reference, count, number], source, destination, text);
    }

    fn write_behind(&self, header: &[u8], source: &str, destination: &str, text: &str) {
        let place = self.shared.books.written(source, destination, text, header);
        self.shared.written.lock().push_back(place);
    }

    /// Receipts it still has to send.
    #[must_use]
    pub fn receipts_waiting(&self) -> usize {
        self.shared.receipts.count()
    }

    /// Behaves otherwise from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shared.behaviour.lock());
    }

    /// Closes all connections at once, whatever is in flight.
    pub fn cut(&self) {
        self.cut.send_modify(|count| *count += 1);
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}
