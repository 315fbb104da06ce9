//! One request for a link.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use domain::click::Agent;
use domain::limits::HEADERS_MAX;
use domain::link::LINK_CODE_LENGTH;
use domain::problem::Problem;
use domain::random::Random;
use flow::follow::{Follow, Visit};
use http_body_util::Full;
use hyper::body::Body;
use hyper::header::{HeaderName, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response};

use crate::auth::TrustedProxies;
use crate::backend::unanswered;
use crate::envelope::{Answer, Rejection, UniqId, UniqIds};
use crate::serve::{Handler, Origin, close_after};

/// Headers by which browsers and previews say that nobody asked for the page yet.
const AHEAD: [(HeaderName, &[&str]); 4] = [
    (HeaderName::from_static("sec-purpose"), &["prefetch", "prerender"]),
    (HeaderName::from_static("purpose"), &["prefetch", "preview"]),
    (HeaderName::from_static("x-purpose"), &["prefetch", "preview"]),
    (HeaderName::from_static("x-moz"), &["prefetch"]),
];

/// Says where links lead, and remembers that they were opened.
pub trait Follower: Send + Sync + 'static {
    /// Where the link with that code leads; `None` when there is nothing behind it.
    fn follow(&self, code: &str, visit: Visit) -> impl Future<Output = Result<Option<Arc<str>>, Rejection>> + Send;
}

impl Follower for Follow {
    async fn follow(&self, code: &str, visit: Visit) -> Result<Option<Arc<str>>, Rejection> {
        Self::follow(self, code, visit).await.map_err(|error| unanswered(&error))
    }
}

/// Answers opened links with redirects.
pub struct Links<F> {
    follower: F,
    uniq_ids: UniqIds,
    trusted_proxies: TrustedProxies,
}

impl<F: Follower> Links<F> {
    /// Links of `follower`.
    #[must_use]
    pub fn new(follower: F, random: &Random, trusted_proxies: TrustedProxies) -> Self {
        Self { follower, uniq_ids: UniqIds::new(random), trusted_proxies }
    }

    async fn handle(&self, parts: &Parts, origin: &Origin, uniq_id: UniqId) -> Result<Answer, Rejection> {
        if parts.headers.len() > HEADERS_MAX || origin.is_contradictory(&parts.headers) {
            return Err(Problem::HeadersInvalid.into());
        }
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Rejection { allow: Some("GET, HEAD"), ..Rejection::from(Problem::MethodNotAllowed) });
        }
        let code = code_of(parts.uri.path()).ok_or(Problem::LinkUnknown)?;
        let address = self.trusted_proxies.client(origin.peer(), &parts.headers).0;
        let visit = visit(&parts.method, &parts.headers, address);
        let location = self.follower.follow(code, visit).await?.ok_or(Problem::LinkUnknown)?;
        Ok(Answer::moved(uniq_id, &location))
    }
}

/// The code in a path. Whatever a program took for the end of the link, such as the full stop of a
/// sentence, is forgiven.
pub(super) fn code_of(path: &str) -> Option<&str> {
    let (code, rest) = path.strip_prefix('/')?.split_at_checked(LINK_CODE_LENGTH)?;
    let is_code = code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_end = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_punctuation());
    (is_code && is_end).then_some(code)
}

fn visit(method: &Method, headers: &HeaderMap, address: IpAddr) -> Visit {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_ahead = AHEAD.iter().any(|(name, words)| {
        let value = text(name);
        words.iter().any(|word| value.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word)))
    });
    let agent = match Agent::of(text(&USER_AGENT)) {
        Agent::Bot => Agent::Bot,
        _ if is_ahead || *method == Method::HEAD => Agent::Probe,
        agent => agent,
    };
    Visit { agent, address }
}

impl<F: Follower> Handler for Links<F> {
    async fn answer<R>(&self, request: Request<R>, origin: &Origin) -> Response<Full<Bytes>>
    where
        R: Body<Data = Bytes, Error: Send> + Send + Unpin,
    {
        let (started, uniq_id) = (Instant::now(), self.uniq_ids.next());
        let (parts, body) = request.into_parts();
        // Nothing is read of a body, so the next request could not be told from it.
        let close = !body.is_end_stream();
        let answer = match self.handle(&parts, origin, uniq_id).await {
            Ok(answer) => answer,
            Err(rejection) => Answer::refused(uniq_id, &rejection),
        };
        let (status, duration_us) = (answer.status(), u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX));
        let method = if matches!(parts.method, Method::GET | Method::HEAD) { parts.method.as_str() } else { "OTHER" };
        tracing::info!(target: "web", method, path = "/{code}", status, duration_us, uniqId = uniq_id.as_str(), account = "-", "answered");
        close_after(answer.into_response(), parts.version, close)
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn a_code_is_all_there_is_in_a_path() {
        for path in ["/0123456789ab", "/0123456789ab.", "/0123456789ab)", "/0123456789ab/", "/0123456789ab!?\""] {
            assert_eq!(code_of(path), Some("0123456789ab"), "{path}");
        }
        for path in [
            "/",
            "",
            "/0123456789a",
            "/0123456789abc",
            "/0123456789a%",
            "/0123456789ab%00",
            "/0123456789ab/x",
            "/x/0123456789ab",
            "/0123456789aż",
            "/../etc/passw",
            "//123456789ab",
        ] {
            assert_eq!(code_of(path), None, "{path}");
        }
    }

    #[test]
    fn looks_ahead_are_no_clicks() {
        let agent = |method: Method, name: &'static str, value: &'static str| {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
            visit(&method, &headers, "203.0.113.9".parse().unwrap()).agent
        };
        assert_eq!(agent(Method::GET, "sec-purpose", "prefetch;prerender"), Agent::Probe);
        assert_eq!(agent(Method::GET, "purpose", "Prefetch"), Agent::Probe);
        assert_eq!(agent(Method::GET, "x-purpose", "preview"), Agent::Probe);
        assert_eq!(agent(Method::HEAD, "user-agent", "curl/8"), Agent::Probe);
        assert_eq!(agent(Method::HEAD, "user-agent", "Twitterbot/1.0"), Agent::Bot);
        assert_eq!(agent(Method::GET, "user-agent", "curl/8"), Agent::Other);
    }
}
