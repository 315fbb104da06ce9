//! An answer, ready for the wire.

use bytes::Bytes;
use domain::problem::Problem;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::{HeaderMap, Response, StatusCode};
use serde::Serialize;

use super::fault::{Fault, FaultItem, Rejection};
use super::meta::{Extra, Meta};
use super::uniq_id::UniqId;

/// Room for `meta` and one item without growing.
const ENVELOPE_OCTETS: usize = 320;
/// Room for each further item.
const ITEM_OCTETS: usize = 400;
/// `Retry-After` where nothing better is known.
const RETRY_AFTER_SECONDS: u32 = 1;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Keeps search engines from listing links that were made for one person.
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Status, headers and body of an answer in the contract's envelope.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    meta: Meta<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a [T]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<FaultItem<'a>>>,
}

/// Where a link leads, for whoever does not follow by himself.
#[derive(Serialize)]
struct Moved<'a> {
    url: &'a str,
}

impl Answer {
    /// Everything done, or (with faults) part of it: 200 or 207.
    #[must_use]
    pub fn done<T: Serialize>(uniq_id: UniqId, data: &[T], faults: &[Fault], extra: Extra) -> Self {
        let status = if faults.is_empty() { 200 } else { 207 };
        Self::write(status, uniq_id, Some(data), faults, extra)
    }

    /// Sends the client on to `location` (302). Nobody may remember that: the next click is to be seen too.
    #[must_use]
    pub fn moved(uniq_id: UniqId, location: &str) -> Self {
        let mut answer = Self::write(302, uniq_id, Some(&[Moved { url: location }]), &[], Extra::default());
        answer.add_header(LOCATION, location);
        answer.headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
        answer
    }

    /// Refused whole, with the headers that belong to the status.
    #[must_use]
    pub fn refused(uniq_id: UniqId, rejection: &Rejection) -> Self {
        Self::refused_with(uniq_id, rejection, Extra::default())
    }

    /// Like [`Answer::refused`], with additions to `meta`.
    #[must_use]
    pub fn refused_with(uniq_id: UniqId, rejection: &Rejection, extra: Extra) -> Self {
        let status = rejection.status();
        let mut answer = Self::write::<()>(status, uniq_id, None, &rejection.faults, extra);
        if let Some(methods) = rejection.allow {
            answer.headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        if matches!(status, 429 | 503) {
            answer.add_retry(rejection);
        } else if let Some(seconds) = rejection.retry_after_seconds {
            answer.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }

    /// An envelope around a single problem.
    #[must_use]
    pub fn problem(uniq_id: UniqId, problem: Problem) -> Self {
        Self::refused(uniq_id, &Rejection::from(problem))
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Adds a header; a value that is no header text is left out.
    pub fn add_header(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }

    /// As hyper wants it.
    #[must_use]
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = self.headers;
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(CACHE_CONTROL, NO_STORE);
        *response.headers_mut() = headers;
        response
    }

    fn add_retry(&mut self, rejection: &Rejection) {
        let seconds = rejection.retry_after_seconds.unwrap_or(RETRY_AFTER_SECONDS).max(1);
        self.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        let name = rejection.faults.first().map_or("server", |fault| match fault.problem {
            Problem::TooManyRequests => "messages",
            Problem::TooManyAttempts => "wrong-keys",
            _ => "server",
        });
        self.add_header(RATE_LIMIT, &format!("\"{name}\";r=0;t={seconds}"));
        if let Some((quota, window_seconds)) = rejection.quota {
            self.add_header(RATE_LIMIT_POLICY, &format!("\"{name}\";q={quota};w={window_seconds}"));
        }
    }

    fn write<T: Serialize>(status: u16, uniq_id: UniqId, data: Option<&[T]>, faults: &[Fault], extra: Extra) -> Self {
        let items = data.map_or(0, <[T]>::len) + faults.len();
        let mut body = Vec::with_capacity(ENVELOPE_OCTETS + items * ITEM_OCTETS);
        let meta = Meta {
            number_of_errors: faults.len(),
            number_of_data: data.map_or(0, <[T]>::len),
            status,
            uniq_id: uniq_id.as_str(),
            sent_sms: extra.sent_sms,
            not_sent_sms: extra.not_sent_sms,
            account_balance: extra.account_balance,
            next_cursor: extra.next_cursor,
            not_kept: extra.not_kept,
        };
        let errors = (!faults.is_empty()).then(|| faults.iter().map(FaultItem::from).collect());
        let envelope = Envelope { meta, data, errors };
        // Writing plain structs into memory can't fail; an empty body would break the contract all the same.
        if serde_json::to_writer(&mut body, &envelope).is_err() {
            body.clear();
        }
        Self { status, headers: HeaderMap::new(), body }
    }
}
