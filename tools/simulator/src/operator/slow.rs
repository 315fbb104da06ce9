//! A connection that is read slowly or not at all, and written slice by slice.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::shared::Shared;

/// How often the limit is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A stream whose reading follows `read_octets_per_second`, `deaf` and `blackhole` of the behaviour, and whose writing
/// follows `slice_octets`.
pub(super) struct Wire {
    stream: TcpStream,
    shared: Arc<Shared>,
    /// The connection is to end with RST.
    reset: Arc<AtomicBool>,
    /// Octets that may be read before the next look.
    allowance: u64,
    pause: Pin<Box<Sleep>>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, shared: Arc<Shared>, reset: Arc<AtomicBool>) -> Self {
        Self { stream, shared, reset, allowance: 0, pause: Box::pin(sleep_until(Instant::now())) }
    }

    /// Octets that may be read now; `None` without a limit.
    fn poll_allowance(&mut self, context: &mut Context<'_>) -> Poll<Option<u64>> {
        let behaviour = self.shared.behaviour();
        let deaf = behaviour.is_deaf(self.shared.now_ms());
        if !deaf && behaviour.read_octets_per_second == 0 {
            return Poll::Ready(None);
        }
        if !deaf && self.allowance > 0 {
            return Poll::Ready(Some(self.allowance));
        }
        if self.pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.pause.as_mut().reset(Instant::now() + LOOK_EVERY);
        if deaf {
            // Asked once, the timer wakes the session for the next look.
            _ = self.pause.as_mut().poll(context);
            return Poll::Pending;
        }
        self.allowance = (behaviour.read_octets_per_second * LOOK_EVERY.as_millis() as u64 / 1000).max(1);
        Poll::Ready(Some(self.allowance))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // Without it the peer sees an orderly end, which a test of resets would notice.
            _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Poll::Ready(allowance) = self.poll_allowance(context) else { return Poll::Pending };
        let Some(allowance) = allowance else {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        };
        let room = buffer.remaining().min(usize::try_from(allowance).unwrap_or(usize::MAX));
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        let read = Pin::new(&mut self.stream).poll_read(context, &mut part);
        let octets = part.filled().len();
        buffer.advance(octets);
        self.allowance = self.allowance.saturating_sub(octets as u64);
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let slice = match self.shared.behaviour().slice_octets {
            0 => octets,
            most => &octets[..octets.len().min(most)],
        };
        Pin::new(&mut self.stream).poll_write(context, slice)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
