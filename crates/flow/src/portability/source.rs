//! The service that is asked over HTTP.

use std::time::Duration;

use bytes::Bytes;
use domain::phone::Phone;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::bounds::{ANSWER_HEADER_OCTETS_MAX, ANSWER_OCTETS_MAX, KEEP_ALIVE, PRIORITY_CALLS_MAX, STANDARD_CALLS_MAX};
use super::known::{Known, LookUpError};
use super::options::{Error, Options};
use super::reading::Pointers;
use crate::tell::{Connector, Guard, connector, failure_of};

/// How to ask. Connections are kept and used again; redirects are not followed.
pub(super) struct Source {
    client: Client<Connector, Empty<Bytes>>,
    url: String,
    authorization: Option<HeaderValue>,
    pointers: Pointers,
    pub(super) deadline: Duration,
}

const PLACE: &str = "{phone}";
const EXPECTED: &str = "expected an http or https URL without a user and with {phone} in its path or query, such as https://hlr.example.com/v1/{phone}";

/// Whether a URL can be asked for numbers.
///
/// # Errors
/// What is expected instead.
pub(super) fn check_url(url: &str) -> Result<(), &'static str> {
    let uri = target(url, "48500100200").ok_or(EXPECTED)?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    let asks = uri.path_and_query().is_some_and(|path| path.as_str().contains("48500100200"));
    if is_web && asks && !has_user { Ok(()) } else { Err(EXPECTED) }
}

/// The address for a number. Digits need no escape anywhere in a URL.
fn target(url: &str, digits: &str) -> Option<Uri> {
    url.replace(PLACE, digits).parse().ok().filter(|uri: &Uri| uri.host().is_some())
}

impl Source {
    pub(super) fn new(options: &Options) -> Result<Self, Error> {
        let tls = connector(&options.extra_ca_file).map_err(|error| Error::Tls(error.to_string()))?;
        let connector = Connector::new(Guard::of_the_operator(), tls, options.deadline());
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_ALIVE)
            .pool_max_idle_per_host(PRIORITY_CALLS_MAX + STANDARD_CALLS_MAX)
            .http1_max_buf_size(ANSWER_HEADER_OCTETS_MAX)
            .http2_max_header_list_size(u32::try_from(ANSWER_HEADER_OCTETS_MAX).unwrap_or(u32::MAX))
            .http2_initial_stream_window_size(u32::try_from(ANSWER_OCTETS_MAX).ok())
            .build(connector);
        let authorization = Some(options.authorization.reveal()).filter(|text| !text.is_empty());
        let authorization = authorization.and_then(|text| HeaderValue::from_str(text).ok()).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        let (url, pointers, deadline) = (options.url.clone(), Pointers::of(options), options.deadline());
        Ok(Self { client, url, authorization, pointers, deadline })
    }

    /// What the service says of a number; `None` when it does not know it.
    ///
    /// # Errors
    /// [`LookUpError`] when it can't be reached, is too slow or makes no sense.
    pub(super) async fn ask(&self, phone: Phone) -> Result<Option<Known>, LookUpError> {
        timeout(self.deadline, self.call(phone)).await.unwrap_or_else(|_| Err(LookUpError::new("no answer in time")))
    }

    async fn call(&self, phone: Phone) -> Result<Option<Known>, LookUpError> {
        let uri = target(&self.url, &phone.to_string()).ok_or_else(|| LookUpError::new("the URL can't be used"))?;
        let mut request = Request::get(uri).header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Empty::new()).map_err(LookUpError::new)?;
        let response = self.client.request(request).await.map_err(|error| LookUpError::new(failure_of(&error)))?;
        let (head, body) = response.into_parts();
        // What is longer ends the connection: dropping a body that was not read to its end closes it.
        let body = Limited::new(body, ANSWER_OCTETS_MAX).collect().await;
        let body = body.map_err(|_| {
            LookUpError::new(format_args!("its answer is no good or longer than {ANSWER_OCTETS_MAX} octets"))
        })?;
        self.pointers.read(head.status, &body.to_bytes())
    }
}
