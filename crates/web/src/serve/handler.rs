//! What answers requests.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::{HeaderMap, Request, Response, Version};

/// Answers requests. Must answer every one, whatever it holds, and never panic.
pub trait Handler: Send + Sync + 'static {
    /// The answer to one request.
    fn answer<R>(&self, request: Request<R>, origin: &Origin) -> impl Future<Output = Response<Full<Bytes>>> + Send
    where
        R: Body<Data = Bytes, Error: Send> + Send + Unpin;
}

impl<H: Handler> Handler for Arc<H> {
    fn answer<R>(&self, request: Request<R>, origin: &Origin) -> impl Future<Output = Response<Full<Bytes>>> + Send
    where
        R: Body<Data = Bytes, Error: Send> + Send + Unpin,
    {
        H::answer(self, request, origin)
    }
}

/// The connection a request came on.
#[derive(Clone, Debug)]
pub struct Origin {
    peer: IpAddr,
    notes: Arc<Notes>,
}

/// What the wire and the connection tell each other.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Headers with both `Content-Length` and `Transfer-Encoding` went by. hyper drops the former before
    /// a handler sees the headers, though the pair is how requests are smuggled past proxies.
    pub contradiction: AtomicBool,
    /// Requests that reached the handler.
    pub requests: AtomicU64,
}

impl Origin {
    /// A connection from `peer`.
    #[must_use]
    pub fn new(peer: IpAddr) -> Self {
        Self { peer, notes: Arc::default() }
    }

    pub(super) fn notes(&self) -> &Arc<Notes> {
        &self.notes
    }

    /// The other end of the connection: a client or a proxy.
    #[must_use]
    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Whether a request's headers say two different things about where it ends (RFC 9112 §6.3).
    #[must_use]
    pub fn is_contradictory(&self, headers: &HeaderMap) -> bool {
        headers.contains_key(TRANSFER_ENCODING) && self.notes.contradiction.swap(false, Ordering::Relaxed)
    }
}

/// Marks the connection as finished after this response, where the protocol has such a mark.
#[must_use]
pub fn close_after(mut response: Response<Full<Bytes>>, version: Version, close: bool) -> Response<Full<Bytes>> {
    if close && version <= Version::HTTP_11 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
