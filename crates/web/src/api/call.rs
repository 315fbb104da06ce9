//! One call that passed the keys: what its resource needs to answer it.

use bytes::Bytes;
use domain::clock::UnixMillis;
use domain::problem::Problem;
use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;

use super::json::{NotAnObject, Value, read_object};
use crate::auth::Caller;
use crate::envelope::{Rejection, UniqId};

/// Bodies above this are read on a thread of their own, so that they hold up nobody else: about a thousand recipients,
/// far below the 140 KiB of ten thousand.
const PARSE_INLINE_OCTETS_MAX: usize = 16 * 1024;

/// A call: who, what, when.
#[derive(Debug)]
pub(super) struct Call {
    pub uniq_id: UniqId,
    pub caller: Caller,
    pub now: UnixMillis,
    pub headers: HeaderMap,
    /// Without a slash at the end.
    pub path: String,
    pub query: String,
    pub body: Bytes,
}

impl Call {
    /// Reads the body as an object with these fields.
    pub(super) async fn object<const N: usize>(
        &mut self,
        names: &'static [&'static str; N],
    ) -> Result<[Value; N], Rejection> {
        let body = std::mem::take(&mut self.body);
        let read = if body.len() <= PARSE_INLINE_OCTETS_MAX {
            read_object(&body, names)
        } else {
            let reading = tokio::task::spawn_blocking(move || read_object(&body, names));
            reading.await.map_err(|_| Problem::Internal)?
        };
        read.map_err(|NotAnObject| Problem::BodyNotJson.into())
    }
}

/// `application/json` with any parameters, or nothing.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let text = value.to_str().unwrap_or("?");
    let essence = text.split(';').next().unwrap_or(text).trim();
    if essence.is_empty() || essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Problem::MediaTypeUnsupported)
    }
}
