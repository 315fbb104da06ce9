//! One connection, from its first octet to its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::limits::{HEADER_OCTETS_MAX, STREAMS_PER_CONNECTION_MAX};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::handler::{Handler, Origin};
use super::options::Options;
use super::wire::Wire;
use crate::envelope::UniqIds;

/// Streams a client may open and reset before its connection is cut (rapid reset, CVE-2023-44487).
const RESET_STREAMS_MAX: usize = 50;
/// Octets in flight towards us per stream and per connection, so that unread bodies stay small.
const STREAM_WINDOW_OCTETS: u32 = 64 * 1024;
const CONNECTION_WINDOW_OCTETS: u32 = 256 * 1024;
/// An HTTP/2 connection whose other end is gone is noticed by an unanswered ping.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_ANSWER: Duration = Duration::from_secs(10);

/// What all connections of a service share.
pub(super) struct Shared<H> {
    pub handler: H,
    pub builder: Builder<TokioExecutor>,
    pub uniq_ids: Arc<UniqIds>,
    pub first_request: Duration,
    pub life: Duration,
    pub drain: Duration,
    pub tls_handshake: Duration,
}

impl<H> Shared<H> {
    pub(super) fn new(handler: H, options: &Options, uniq_ids: Arc<UniqIds>) -> Self {
        Self {
            handler,
            builder: builder(options),
            uniq_ids,
            first_request: Duration::from_millis(options.header_read_ms),
            life: Duration::from_millis(options.connection_life_ms),
            drain: Duration::from_millis(options.drain_ms),
            tls_handshake: Duration::from_millis(options.tls_handshake_ms),
        }
    }
}

fn builder(options: &Options) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(options.header_read_ms))
        .max_buf_size(HEADER_OCTETS_MAX)
        .half_close(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(HEADER_OCTETS_MAX as u32)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(RESET_STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_OCTETS)
        .initial_connection_window_size(CONNECTION_WINDOW_OCTETS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_ANSWER);
    builder
}

/// Which deadline runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was asked yet: hyper's header timeout does not cover a client that says nothing, nor
    /// one that sends half of the HTTP/2 preface.
    FirstRequest,
    /// Requests come and go.
    Life,
    /// Finishing what is in progress.
    Ending,
}

/// Serves a connection until it ends, its life is over, or the service stops.
pub(super) async fn serve<H, T>(stream: T, peer: IpAddr, shared: Arc<Shared<H>>, drain: watch::Receiver<bool>)
where
    H: Handler,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let origin = Origin::new(peer);
    let notes = Arc::clone(origin.notes());
    let wire = Wire::new(stream, Arc::clone(&notes), Arc::clone(&shared.uniq_ids));
    let service = service_fn(|request| {
        let (shared, origin) = (Arc::clone(&shared), origin.clone());
        origin.notes().requests.fetch_add(1, Ordering::Relaxed);
        async move { Ok::<_, Infallible>(shared.handler.answer(request, &origin).await) }
    });
    let mut connection = pin!(shared.builder.serve_connection(TokioIo::new(wire), service));
    let started = Instant::now();
    let mut deadline = pin!(sleep(shared.first_request));
    let mut stopping = pin!(stopped(drain));
    let mut stage = Stage::FirstRequest;
    loop {
        let end = tokio::select! {
            biased;
            // A connection that breaks concerns its client only; what was asked on it is logged.
            _ = connection.as_mut() => return,
            () = deadline.as_mut() => stage != Stage::FirstRequest,
            () = stopping.as_mut(), if stage != Stage::Ending => true,
        };
        match (stage, end) {
            (Stage::Ending, _) => return,
            (Stage::FirstRequest, false) if notes.requests.load(Ordering::Relaxed) == 0 => return,
            (_, false) => {
                stage = Stage::Life;
                deadline.as_mut().reset(started + shared.life);
            }
            (_, true) => {
                stage = Stage::Ending;
                connection.as_mut().graceful_shutdown();
                deadline.as_mut().reset(Instant::now() + shared.drain);
            }
        }
    }
}

/// Ends when the service is to stop, or when nobody can say so any more.
pub(super) async fn stopped(mut drain: watch::Receiver<bool>) {
    let _ = drain.wait_for(|stop| *stop).await;
}
