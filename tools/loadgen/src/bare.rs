//! A server that reads requests and answers each with the same envelope: the ceiling of this machine for any server.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::response::content_length;

/// Most connections at a time; further ones wait in the backlog of the listener.
const CONNECTIONS_MAX: usize = 10_000;
/// Largest request that is taken.
const REQUEST_OCTETS_MAX: usize = 16 * 1024 * 1024;
/// Room made for a request before its length is known.
const READ_OCTETS: usize = 8 * 1024;

/// Answers one accepted message to everything until the listener fails or the future is dropped; counts the requests
/// in `answered`.
///
/// # Errors
/// What the listener says.
pub async fn serve(listener: TcpListener, answered: Arc<AtomicU64>) -> io::Result<()> {
    let answer: Arc<[u8]> = answer().into();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        while connections.len() >= CONNECTIONS_MAX {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, Arc::clone(&answer), Arc::clone(&answered)));
    }
}

/// A fixed envelope as a server gives it for one recipient.
fn answer() -> Vec<u8> {
    let body = concat!(
        r#"{"meta":{"numberOfErrors":0,"numberOfData":1,"status":200,"uniqId":"0123456789","sentSms":1,"notSentSms":0,"#,
        r#""accountBalance":"1000.0000"},"data":[{"sender":"ACME","phoneNumber":"48500000000","externalId":"bare-1","#,
        r#""status":1,"statusTime":1700000000,"createTime":1700000000,"smsPrice":700,"currency":985,"numberOfParts":1,"#,
        r#""message":"Your parcel is on its way.","scheduleTime":0,"type":0,"shortLink":false,"encoding":0}]}"#
    );
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body.as_bytes()].concat()
}

/// One connection until it ends; what is no request ends it.
async fn connection(mut stream: TcpStream, answer: Arc<[u8]>, answered: Arc<AtomicU64>) -> io::Result<()> {
    let mut read = Vec::with_capacity(READ_OCTETS);
    let mut answers = Vec::new();
    loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
        let mut done = 0;
        while let Some(octets) = request_octets(&read[done..])? {
            if read.len() - done < octets {
                break;
            }
            done += octets;
            answers.extend_from_slice(&answer);
            answered.fetch_add(1, Ordering::Relaxed);
        }
        read.drain(..done);
        stream.write_all(&answers).await?;
        answers.clear();
    }
}

/// The length of the request these octets begin with; `None` while its head is not complete.
fn request_octets(octets: &[u8]) -> io::Result<Option<usize>> {
    let Some(end) = memchr::memmem::find(octets, b"\r\n\r\n") else {
        return if octets.len() > REQUEST_OCTETS_MAX { Err(io::ErrorKind::InvalidData.into()) } else { Ok(None) };
    };
    let body = content_length(&octets[..end]).unwrap_or(0);
    let whole = body.checked_add(end + 4).filter(|&octets| octets <= REQUEST_OCTETS_MAX);
    whole.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
