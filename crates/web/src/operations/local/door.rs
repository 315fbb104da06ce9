//! The server's end of the socket.

use std::fs::Permissions;
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::bounds::{CALLERS_MAX, LINE_OCTETS_MAX, LINE_TIME};
use super::caller::Caller;
use super::path::SocketPath;

/// Only its owner may connect.
const MODE: u32 = 0o600;
/// The superuser may do everything anyway.
const ROOT: u32 = 0;

/// Does what is asked for.
pub trait Desk: Send + Sync + 'static {
    /// What can be asked for.
    type Request: DeserializeOwned + Send;

    /// Does it. What becomes known on the way goes into `lines`, the outcome is returned.
    ///
    /// # Errors
    /// A sentence for the person who asked.
    fn act(
        &self,
        request: Self::Request,
        caller: &Caller,
        lines: &mut Lines,
    ) -> impl Future<Output = Result<Value, String>> + Send;
}

/// The way back to whoever asked.
pub struct Lines(OwnedWriteHalf);

impl Lines {
    /// Sends something that is known already; false when nobody listens any more.
    pub async fn send(&mut self, line: Value) -> bool {
        self.write(&json!({ "line": line })).await.is_ok()
    }

    async fn write(&mut self, value: &Value) -> io::Result<()> {
        let line = format!("{value}\n");
        timeout(LINE_TIME, self.0.write_all(line.as_bytes()))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// An open socket.
pub struct Door {
    listener: UnixListener,
    path: SocketPath,
    owner: u32,
}

impl Door {
    /// Opens the socket of a data directory. Only the server that holds the directory may: the socket of one that is gone
    /// is replaced. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let path = SocketPath::of(data_dir)?;
        match std::fs::remove_file(&path.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path.path)?;
        std::fs::set_permissions(&path.path, Permissions::from_mode(MODE))?;
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&path.path)?);
        Ok(Self { listener, path, owner })
    }

    /// Serves until `drain` holds true; then whoever is still connected is cut off.
    pub async fn run<D: Desk>(self, desk: Arc<D>, mut drain: watch::Receiver<bool>) {
        let mut callers = JoinSet::new();
        loop {
            tokio::select! {
                () = asked_to_stop(&mut drain) => break,
                Some(_) = callers.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if callers.len() < CALLERS_MAX => {
                        callers.spawn(serve(stream, self.owner, Arc::clone(&desk)));
                    }
                    Ok(_) => tracing::warn!(target: "web", "too many callers on the operations socket"),
                    Err(error) => {
                        tracing::warn!(target: "web", %error, "the operations socket can't take a caller");
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    }
                },
            }
        }
        callers.shutdown().await;
        // A stale socket would only tell the next caller less clearly that nobody is there.
        _ = std::fs::remove_file(&self.path.path);
    }
}

/// Returns when the server stops, also when nobody is left who could say so.
async fn asked_to_stop(drain: &mut watch::Receiver<bool>) {
    _ = drain.wait_for(|drain| *drain).await;
}

async fn serve<D: Desk>(stream: UnixStream, owner: u32, desk: Arc<D>) {
    let Ok(uid) = stream.peer_cred().map(|peer| peer.uid()) else { return };
    let (read, write) = stream.into_split();
    let mut lines = Lines(write);
    if uid != owner && uid != ROOT {
        tracing::warn!(target: "web", uid, "a stranger was turned away from the operations socket");
        _ = lines.write(&json!({ "error": "only the owner of the data directory may ask" })).await;
        return;
    }
    let mut line = Vec::new();
    let mut limited = BufReader::new(read).take(LINE_OCTETS_MAX);
    match timeout(LINE_TIME, limited.read_until(b'\n', &mut line)).await {
        Ok(Ok(octets)) if octets > 0 => {}
        _ => return,
    }
    let answer = match serde_json::from_slice(&line) {
        Err(error) => json!({ "error": format!("this is no request: {error}") }),
        Ok(request) => {
            let (mut gone, caller) = ([0; 1], Caller::of(uid));
            let acting = desk.act(request, &caller, &mut lines);
            tokio::select! {
                acted = acting => match acted {
                    Ok(done) => json!({ "done": done }),
                    Err(error) => json!({ "error": error }),
                },
                // Whoever asked is gone: what is under way is given up between two steps.
                _ = limited.read(&mut gone) => return,
            }
        }
    };
    _ = lines.write(&answer).await;
}
