//! A connection that is read slowly, or not at all.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::shared::Shared;

/// How often the limit is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A stream whose reading follows `read_octets_per_second` and `deaf` of the behaviour.
pub(super) struct SlowReader<S> {
    stream: S,
    shared: Arc<Shared>,
    /// Octets that may be read before the next look.
    allowance: u64,
    pause: Pin<Box<Sleep>>,
}

impl<S> SlowReader<S> {
    pub(super) fn new(stream: S, shared: Arc<Shared>) -> Self {
        Self { stream, shared, allowance: 0, pause: Box::pin(sleep_until(Instant::now())) }
    }

    /// Octets that may be read now; `None` without a limit.
    fn poll_allowance(&mut self, context: &mut Context<'_>) -> Poll<Option<u64>> {
        let behaviour = self.shared.behaviour();
        if !behaviour.deaf && behaviour.read_octets_per_second == 0 {
            return Poll::Ready(None);
        }
        if !behaviour.deaf && self.allowance > 0 {
            return Poll::Ready(Some(self.allowance));
        }
        if self.pause.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.pause.as_mut().reset(Instant::now() + LOOK_EVERY);
        if behaviour.deaf {
            // Asked once, the timer wakes the session for the next look.
            _ = self.pause.as_mut().poll(context);
            return Poll::Pending;
        }
        self.allowance = (behaviour.read_octets_per_second * LOOK_EVERY.as_millis() as u64 / 1000).max(1);
        Poll::Ready(Some(self.allowance))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SlowReader<S> {
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

impl<S: AsyncWrite + Unpin> AsyncWrite for SlowReader<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
