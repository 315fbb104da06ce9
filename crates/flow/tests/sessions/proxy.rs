//! What lies between a bind and its operator, and goes wrong on order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// A proxy in front of one address.
pub struct Proxy {
    pub address: SocketAddr,
    mood: Arc<Mood>,
    _tasks: JoinSet<()>,
}

struct Mood {
    /// Octets go on one by one.
    sliced: AtomicBool,
    /// Octets are taken and go nowhere; connections stay open.
    black: AtomicBool,
    /// Nothing is taken: windows close.
    stalled: AtomicBool,
    /// Connections are reset as soon as they come.
    down: AtomicBool,
    /// Connections so far.
    connections: AtomicUsize,
    resets: watch::Sender<usize>,
}

impl Proxy {
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mood = Arc::new(Mood {
            sliced: AtomicBool::new(false),
            black: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
            down: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            resets: watch::Sender::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, target, Arc::clone(&mood)));
        Self { address, mood, _tasks: tasks }
    }

    pub fn slice(&self) {
        self.mood.sliced.store(true, Ordering::Relaxed);
    }

    pub fn swallow(&self, on: bool) {
        self.mood.black.store(on, Ordering::Relaxed);
    }

    pub fn stall(&self, on: bool) {
        self.mood.stalled.store(on, Ordering::Relaxed);
    }

    /// Down: what is connected is reset, and what connects as well.
    pub fn down(&self, on: bool) {
        self.mood.down.store(on, Ordering::Relaxed);
        if on {
            self.reset();
        }
    }

    /// Sends RST to both ends of every connection.
    pub fn reset(&self) {
        self.mood.resets.send_modify(|count| *count += 1);
    }

    pub fn connections(&self) -> usize {
        self.mood.connections.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, mood: Arc<Mood>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            Ok((client, _)) = listener.accept() => {
                mood.connections.fetch_add(1, Ordering::Relaxed);
                connections.spawn(relay(client, target, Arc::clone(&mood)));
            }
        }
    }
}

async fn relay(mut client: TcpStream, target: SocketAddr, mood: Arc<Mood>) {
    let mut resets = mood.resets.subscribe();
    if mood.down.load(Ordering::Relaxed) {
        client.set_zero_linger().unwrap();
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let was_reset = {
        let (client_read, client_write) = client.split();
        let (server_read, server_write) = server.split();
        tokio::select! {
            () = pump(client_read, server_write, &mood) => false,
            () = pump(server_read, client_write, &mood) => false,
            _ = resets.changed() => true,
        }
    };
    if was_reset {
        client.set_zero_linger().unwrap();
        server.set_zero_linger().unwrap();
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mood: &Mood) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        while mood.stalled.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(10)).await;
        }
        let Ok(octets @ 1..) = from.read(&mut buffer).await else { return };
        if mood.black.load(Ordering::Relaxed) {
            continue;
        }
        let piece = if mood.sliced.load(Ordering::Relaxed) { 1 } else { octets };
        for piece in buffer[..octets].chunks(piece) {
            if to.write_all(piece).await.is_err() {
                return;
            }
        }
    }
}
