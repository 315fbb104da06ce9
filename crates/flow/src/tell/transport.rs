//! One HTTP request and its answer, under one deadline and with bounds on everything that comes back.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::clock::Clock;
use domain::limits::{CALL_ANSWER_OCTETS_MAX, CALLS_PER_ENDPOINT_MAX};
use http::header::{HeaderMap, RETRY_AFTER};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::bounds::{
    ANSWER_HEADER_OCTETS_MAX, ANSWER_SHOWN_OCTETS_MAX, EXCERPT_CHARACTERS_MAX, INFORMATIONAL_ANSWERS_MAX, KEEP_ALIVE,
};
use super::connect::{ConnectError, Connector};
use super::outbox::BoxFuture;
use super::schedule::parse_retry_after;

/// What came of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status, 0 if none came.
    pub status: u16,
    /// What went wrong, in words; empty on success.
    pub failure: Box<str>,
    /// The start of the body of a success, up to `CALL_ANSWER_OCTETS_MAX`; empty of a failure.
    pub body: Box<[u8]>,
    /// The receiver's wish to be left alone so long.
    pub retry_after_ms: Option<i64>,
    /// The beginning of the body, at most [`ANSWER_SHOWN_OCTETS_MAX`].
    pub start: Box<[u8]>,
}

impl Answer {
    /// Whether the receiver took the call: any 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the receiver wants no more calls, ever.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status == StatusCode::GONE.as_u16()
    }

    /// No answer came.
    #[must_use]
    pub fn failed(failure: impl Into<Box<str>>) -> Self {
        Self { failure: failure.into(), ..Self::default() }
    }
}

/// Posts to one endpoint, keeping connections to it.
pub trait Post: Send + Sync + 'static {
    /// Sends the request and waits for its answer, at most until the deadline.
    fn post(&self, uri: Uri, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Answer>;
}

/// Makes a [`Post`] for each endpoint.
pub trait Transport: Send + Sync + 'static {
    /// A [`Post`] with connections of its own, so that endpoints do not disturb each other.
    fn open(&self) -> Arc<dyn Post>;
}

/// Calls over HTTP.
pub struct HttpTransport {
    pub(super) connector: Connector,
    pub(super) clock: Clock,
    pub(super) deadline: Duration,
}

impl Transport for HttpTransport {
    fn open(&self) -> Arc<dyn Post> {
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_ALIVE)
            .pool_max_idle_per_host(CALLS_PER_ENDPOINT_MAX)
            .http1_max_buf_size(ANSWER_HEADER_OCTETS_MAX)
            .http2_max_header_list_size(u32::try_from(ANSWER_HEADER_OCTETS_MAX).unwrap_or(u32::MAX))
            .http2_initial_stream_window_size(u32::try_from(CALL_ANSWER_OCTETS_MAX).ok())
            .http2_keep_alive_interval(Some(KEEP_ALIVE))
            .build(self.connector.clone());
        Arc::new(HttpPost { client, clock: self.clock.clone(), deadline: self.deadline })
    }
}

struct HttpPost {
    client: Client<Connector, Full<Bytes>>,
    clock: Clock,
    deadline: Duration,
}

impl Post for HttpPost {
    fn post(&self, uri: Uri, headers: HeaderMap, body: Bytes) -> BoxFuture<'static, Answer> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        let flooded = watch_informational(&mut request);
        let response = self.client.request(request);
        let deadline = Instant::now() + self.deadline;
        let clock = self.clock.clone();
        Box::pin(async move {
            let response = tokio::select! {
                biased;
                // Giving up drops the request, which closes the connection.
                () = flooded.notified() => return Answer::failed(format!(
                    "no valid answer: more than {INFORMATIONAL_ANSWERS_MAX} informational answers (1xx)"
                )),
                response = timeout_at(deadline, response) => response,
            };
            let response = match response {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Answer::failed(failure_of(&error)),
                Err(_) => return Answer::failed("timeout: no answer before the deadline"),
            };
            let (head, body) = response.into_parts();
            let wish = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after_ms = wish.and_then(|text| parse_retry_after(text, clock.now()));
            // The status is the answer; a body that is cut short by the bounds does not change it.
            let start = read_start(body, deadline).await;
            let shown = start[..start.len().min(ANSWER_SHOWN_OCTETS_MAX)].into();
            let (failure, body) = match head.status.is_success() {
                true => (Box::default(), start.into()),
                false => (describe(head.status, &start), Box::default()),
            };
            Answer { status: head.status.as_u16(), failure, body, retry_after_ms, start: shown }
        })
    }
}

/// Notified when more informational answers came than a request may be given.
fn watch_informational(request: &mut Request<Full<Bytes>>) -> Arc<Notify> {
    let flooded = Arc::new(Notify::new());
    let (notify, count) = (Arc::clone(&flooded), AtomicUsize::new(0));
    hyper::ext::on_informational(request, move |_| {
        if count.fetch_add(1, Ordering::Relaxed) == INFORMATIONAL_ANSWERS_MAX {
            notify.notify_one();
        }
    });
    flooded
}

/// Reads the body so that the connection can be used again, up to the bound and the deadline; beyond
/// either the connection is closed by dropping the body. Returns what was read.
async fn read_start(mut body: Incoming, deadline: Instant) -> Vec<u8> {
    let mut start = Vec::new();
    let mut octets = 0;
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        let Ok(data) = frame.into_data() else { continue };
        octets += data.len();
        let room = CALL_ANSWER_OCTETS_MAX.saturating_sub(start.len());
        start.extend_from_slice(&data[..data.len().min(room)]);
        if octets > CALL_ANSWER_OCTETS_MAX {
            break;
        }
    }
    start
}

fn describe(status: StatusCode, start: &[u8]) -> Box<str> {
    let what = if status.is_redirection() { ": redirects are not followed" } else { "" };
    let start = &start[..start.len().min(EXCERPT_CHARACTERS_MAX * 4)];
    let excerpt: String = String::from_utf8_lossy(start)
        .chars()
        .take(EXCERPT_CHARACTERS_MAX)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    let excerpt = excerpt.trim();
    let separator = if excerpt.is_empty() { "" } else { ": " };
    format!("HTTP {}{what}{separator}{excerpt}", status.as_u16()).into()
}

/// The innermost cause that says something to the endpoint's owner.
pub(crate) fn failure_of(error: &ClientError) -> String {
    let mut cause = error.source();
    let mut last = error.to_string();
    while let Some(inner) = cause {
        if let Some(connect) = inner.downcast_ref::<ConnectError>() {
            return connect.to_string();
        }
        last = inner.to_string();
        cause = inner.source();
    }
    format!("no valid answer: {last}")
}
