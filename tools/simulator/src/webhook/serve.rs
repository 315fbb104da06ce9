//! The receiver's sockets.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::http::{Parsed, parse};
use super::sink::Shared;

/// Connections at a time; further ones are closed at once.
const CONNECTIONS_MAX: usize = 4_096;
/// Room made for a call before its length is known.
const READ_OCTETS: usize = 16 * 1024;

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < CONNECTIONS_MAX => {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                Ok(_) => {}
                // Out of descriptors, for instance: asking again at once would only burn the processor.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

/// Answers the calls of one connection until it ends or a mood ends it.
async fn connection(mut stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(READ_OCTETS);
    let mut answers = Vec::new();
    loop {
        let mut done = 0;
        loop {
            match parse(&buffer[done..]) {
                Parsed::Incomplete => break,
                Parsed::Broken => return Ok(()),
                Parsed::Call(call, octets) => {
                    let mood = shared.next_mood();
                    shared.note(&call, mood.status());
                    done += octets;
                    if mood.is_immediate() {
                        mood.write(&mut answers);
                        continue;
                    }
                    stream.write_all(&answers).await?;
                    answers.clear();
                    if !mood.act(&mut stream).await? {
                        return Ok(());
                    }
                }
            }
        }
        buffer.drain(..done);
        if !answers.is_empty() {
            stream.write_all(&answers).await?;
            answers.clear();
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}
