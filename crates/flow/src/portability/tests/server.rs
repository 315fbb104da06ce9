//! A service that answers as a test wants.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use domain::clock::Clock;
use domain::network::NumberRanges;
use domain::phone::Phone;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::super::{Networks, Options, Portability};

/// The machine may be busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What comes back for a number.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// A 200 with this JSON.
    Json(&'static str),
    /// A bare status.
    Status(u16),
    /// These octets, then the connection is closed.
    Raw(Vec<u8>),
    /// A 200 as soon as the test lets it.
    Held,
    /// Nothing, ever.
    Silence,
    /// A head that announces so many octets, and as many of them as are taken.
    Endless(u64),
}

#[derive(Default)]
pub struct Seen {
    pub reactions: Mutex<HashMap<String, Reaction>>,
    pub calls: AtomicUsize,
    pub connections: AtomicUsize,
    /// Octets of endless answers that were taken.
    pub taken: AtomicU64,
    /// Endless answers that were cut off.
    pub cut: AtomicUsize,
    pub release: Notify,
    pub last_head: Mutex<String>,
}

#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    pub seen: Arc<Seen>,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (address, seen) = (listener.local_addr().expect("an address"), Arc::<Seen>::default());
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, seen }
    }

    /// What is answered for numbers that begin so; the longest counts. Others are unknown.
    pub fn react(&self, digits: &str, reaction: Reaction) {
        self.seen.reactions.lock().insert(digits.into(), reaction);
    }

    pub fn calls(&self) -> usize {
        self.seen.calls.load(Ordering::SeqCst)
    }

    pub fn options(&self) -> Options {
        Options { url: format!("http://{}/v1/{{phone}}?full=1", self.address), ..Options::default() }
    }
}

/// Networks over ranges in which 4850 is Orange's, with a source as the options say.
pub fn networks(options: &Options) -> Networks {
    let ranges = NumberRanges::default().with("26003,Orange,4850\n26006,Play,4853").expect("a table");
    Networks::new(ranges, Portability::open(options, Clock::system()).expect("a source"))
}

pub fn phone(digits: &str) -> Phone {
    Phone::parse(digits).expect("a number")
}

pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited in vain: {what}");
}

/// Answers the calls of one connection.
pub async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, seen: Arc<Seen>) {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
                return;
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.drain(..end);
        seen.calls.fetch_add(1, Ordering::SeqCst);
        let digits: String = head.trim_start_matches("GET /v1/").chars().take_while(char::is_ascii_digit).collect();
        *seen.last_head.lock() = head;
        let reaction = {
            let reactions = seen.reactions.lock();
            let fitting = reactions.iter().filter(|(prefix, _)| digits.starts_with(prefix.as_str()));
            fitting
                .max_by_key(|(prefix, _)| prefix.len())
                .map_or(Reaction::Status(404), |(_, reaction)| reaction.clone())
        };
        if !act(&mut stream, reaction, &seen).await {
            return;
        }
    }
}

/// Says whether the connection goes on.
async fn act(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), reaction: Reaction, seen: &Seen) -> bool {
    let with_body = |body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    match reaction {
        Reaction::Json(body) => stream.write_all(with_body(body).as_bytes()).await.is_ok(),
        Reaction::Status(status) => {
            let head = format!("HTTP/1.1 {status} X\r\nlocation: /v1/48999\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(head.as_bytes()).await.is_ok()
        }
        Reaction::Raw(octets) => {
            _ = stream.write_all(&octets).await;
            false
        }
        Reaction::Held => {
            seen.release.notified().await;
            stream.write_all(with_body(r#"{"network":"26006"}"#).as_bytes()).await.is_ok()
        }
        Reaction::Silence => std::future::pending().await,
        Reaction::Endless(announced) => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {announced}\r\n\r\n");
            _ = stream.write_all(head.as_bytes()).await;
            let piece = vec![b' '; 16 * 1024];
            while let Ok(taken) = stream.write(&piece).await {
                seen.taken.fetch_add(taken as u64, Ordering::SeqCst);
            }
            seen.cut.fetch_add(1, Ordering::SeqCst);
            false
        }
    }
}
