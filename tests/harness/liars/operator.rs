//! Between server and operator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use anyhow::Result;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::line::Line;
use crate::operator::pdu::{self, Frame};

/// Which lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorLie {
    /// Every n-th submit is answered and goes nowhere.
    DropEvery(u64),
    /// Every new session repeats all submits there ever were.
    ResendOnReconnect,
}

/// Sequence numbers of the proxy's own submits lie above those of a session.
const OWN_SEQUENCE: u32 = 0x7000_0000;
/// Frames between the two sides.
const FRAMES_AHEAD: usize = 1_024;

struct Shared {
    lie: OperatorLie,
    operator: SocketAddr,
    count: AtomicU64,
    own: AtomicU32,
    submits: Mutex<Vec<Frame>>,
}

/// The proxy.
pub struct OperatorLiar {
    line: Line,
}

impl OperatorLiar {
    /// Stands before the operator.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(lie: OperatorLie, operator: SocketAddr) -> Result<Self> {
        let shared = Arc::new(Shared {
            lie,
            operator,
            count: AtomicU64::new(0),
            own: AtomicU32::new(OWN_SEQUENCE),
            submits: Mutex::default(),
        });
        let line = Line::open(move |stream| serve(Arc::clone(&shared), stream)).await?;
        Ok(Self { line })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.line.address
    }
}

async fn serve(shared: Arc<Shared>, server: TcpStream) -> Result<()> {
    let operator = TcpStream::connect(shared.operator).await?;
    server.set_nodelay(true)?;
    operator.set_nodelay(true)?;
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_operator, mut to_operator) = operator.into_split();
    let (answer, mut answers) = mpsc::channel::<Frame>(FRAMES_AHEAD);
    let (submit, mut submits) = mpsc::channel::<Frame>(FRAMES_AHEAD);
    let writing_back = async move {
        while let Some(frame) = answers.recv().await {
            to_server.write_all(&frame.bytes()).await?;
        }
        anyhow::Ok(())
    };
    let writing_on = async move {
        while let Some(frame) = submits.recv().await {
            to_operator.write_all(&frame.bytes()).await?;
        }
        anyhow::Ok(())
    };
    let reading_back = {
        let (shared, answer, submit) = (Arc::clone(&shared), answer.clone(), submit.clone());
        async move {
            loop {
                let frame = Frame::read(&mut from_operator).await?;
                let bound = [pdu::BIND_TRANSCEIVER, pdu::BIND_TRANSMITTER].contains(&(frame.command & !pdu::RESPONSE));
                if frame.command & pdu::RESPONSE != 0 && frame.sequence >= OWN_SEQUENCE {
                    continue;
                }
                answer.send(frame).await?;
                if bound && shared.lie == OperatorLie::ResendOnReconnect {
                    tokio::spawn(repeat(Arc::clone(&shared), submit.clone()));
                }
            }
        }
    };
    let reading_on = async move {
        loop {
            let frame = Frame::read(&mut from_server).await?;
            if frame.command == pdu::SUBMIT_SM && lose(&shared, &frame) {
                let id = format!("nowhere-{}\0", frame.sequence);
                answer.send(Frame::new(frame.command | pdu::RESPONSE, 0, frame.sequence, id.as_bytes())).await?;
            } else {
                submit.send(frame).await?;
            }
        }
    };
    tokio::select! {
        done = writing_back => done,
        done = writing_on => done,
        done = reading_back => done,
        done = reading_on => done,
    }
}

/// Whether this submit goes nowhere; remembers it for repetition otherwise.
fn lose(shared: &Shared, frame: &Frame) -> bool {
    match shared.lie {
        OperatorLie::DropEvery(every) => shared.count.fetch_add(1, Ordering::Relaxed) % every == every - 1,
        OperatorLie::ResendOnReconnect => {
            shared.submits.lock().push(frame.clone());
            false
        }
    }
}

async fn repeat(shared: Arc<Shared>, submit: mpsc::Sender<Frame>) {
    let again = shared.submits.lock().clone();
    for mut frame in again {
        frame.sequence = shared.own.fetch_add(1, Ordering::Relaxed);
        if submit.send(frame).await.is_err() {
            return;
        }
    }
}
