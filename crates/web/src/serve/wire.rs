//! The octets of a connection, with two things put right that hyper does not let a handler do: its own
//! bare error responses become envelopes, and contradictory body lengths are noticed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use domain::problem::Problem;
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::handler::Notes;
use crate::envelope::{Answer, UniqIds};

/// Statuses of hyper's own responses: malformed request, target too long, headers too large.
const BARE_STATUSES: [&[u8]; 3] = [b"400", b"414", b"431"];

/// A stream between hyper and the socket.
pub(super) struct Wire<T> {
    inner: T,
    notes: Arc<Notes>,
    uniq_ids: Arc<UniqIds>,
    replacement: Option<Replacement>,
}

/// What is written instead of a buffer of hyper's.
struct Replacement {
    octets: Vec<u8>,
    written: usize,
    /// Octets of hyper's buffer it stands for.
    stands_for: usize,
}

impl<T> Wire<T> {
    pub(super) fn new(inner: T, notes: Arc<Notes>, uniq_ids: Arc<UniqIds>) -> Self {
        Self { inner, notes, uniq_ids, replacement: None }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Wire<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        if is_contradictory(&buffer.filled()[before..]) {
            self.notes.contradiction.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Wire<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.replacement.is_none() {
            match bare_response(octets) {
                None => return Pin::new(&mut this.inner).poll_write(context, octets),
                Some(start) => this.replacement = Some(Replacement::new(octets, start, &this.uniq_ids)),
            }
        }
        let Some(replacement) = &mut this.replacement else { return Poll::Ready(Ok(0)) };
        while replacement.written < replacement.octets.len() {
            let rest = &replacement.octets[replacement.written..];
            let written = ready!(Pin::new(&mut this.inner).poll_write(context, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            replacement.written += written;
        }
        let stands_for = replacement.stands_for;
        this.replacement = None;
        Poll::Ready(Ok(stands_for))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl Replacement {
    fn new(octets: &[u8], start: usize, uniq_ids: &UniqIds) -> Self {
        let uniq_id = uniq_ids.next();
        let status = Problem::HeadersInvalid.http_status();
        tracing::info!(target: "web", method = "-", path = "-", status, duration_us = 0, uniqId = uniq_id.as_str(), account = "-", "answered");
        let answer = Answer::problem(uniq_id, Problem::HeadersInvalid);
        let mut replaced = octets[..start].to_vec();
        let head = format!(
            "HTTP/1.1 {status} Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            answer.body().len()
        );
        replaced.extend_from_slice(head.as_bytes());
        replaced.extend_from_slice(answer.body());
        Self { octets: replaced, written: 0, stands_for: octets.len() }
    }
}

/// Where a response of hyper's own begins: the last head in the buffer, with nothing after it. Answers
/// of handlers always end with a body, so an ordinary write costs one comparison.
fn bare_response(octets: &[u8]) -> Option<usize> {
    if !octets.ends_with(b"\r\n\r\n") {
        return None;
    }
    let start = memmem::rfind(octets, b"HTTP/1.")?;
    let head = &octets[start..];
    let status = head.get(9..12)?;
    let is_bare = BARE_STATUSES.contains(&status) && memmem::find(head, b"content-length: 0\r\n").is_some();
    is_bare.then_some(start)
}

/// Whether the octets hold a request head with both ways to say how long the body is.
fn is_contradictory(octets: &[u8]) -> bool {
    let suspicious = memmem::find(octets, b"ransfer-").is_some() || memmem::find(octets, b"RANSFER-").is_some();
    suspicious && heads(octets).any(|head| holds(head, "transfer-encoding") && holds(head, "content-length"))
}

fn heads(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memmem::find_iter(octets, b"\r\n\r\n").map(|end| end + 2);
    ends.scan(0, |start, end| {
        let head = &octets[*start..end];
        *start = end;
        Some(head)
    })
}

fn holds(head: &[u8], name: &str) -> bool {
    head.split(|octet| *octet == b'\n').any(|line| {
        line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
            && line.get(name.len()) == Some(&b':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hypers_own_responses_are_bare() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(bare_response(bare), Some(0));
        let after_another = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".as_slice(), bare].concat();
        assert_eq!(bare_response(&after_another), Some(40));
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 187\r\n\r\n",
            "",
        ] {
            assert_eq!(bare_response(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn contradictions_are_found_in_any_order_and_case() {
        for head in [
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nTRANSFER-ENCODING: chunked\r\nhost: a\r\ncontent-length:3\r\n\r\n",
        ] {
            assert!(is_contradictory(head.as_bytes()), "{head}");
        }
        for head in [
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nContent-Length: 3",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nGET / HTTP/1.1\r\nContent-Length: 3\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n",
        ] {
            assert!(!is_contradictory(head.as_bytes()), "{head}");
        }
    }
}
