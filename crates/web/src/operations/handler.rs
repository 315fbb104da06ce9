//! The three paths.

use bytes::Bytes;
use domain::problem::Problem;
use domain::random::Random;
use http_body_util::Full;
use hyper::body::Body;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response};
use serde::Serialize;

use crate::envelope::{Answer, Extra, Rejection, UniqIds};
use crate::serve::{Handler, Origin};

const METRICS_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// `GET /metrics` (Prometheus text), `GET /health/live` (the process answers) and `GET /health/ready`
/// (it would accept a message).
pub struct Operations<M, R> {
    metrics: M,
    ready: R,
    uniq_ids: UniqIds,
}

#[derive(Serialize)]
struct HealthItem {
    health: &'static str,
}

impl<M, R> Operations<M, R>
where
    M: Fn() -> String + Send + Sync + 'static,
    R: Fn() -> Result<(), Problem> + Send + Sync + 'static,
{
    /// `metrics` writes the whole text; `ready` says why a message would not be accepted right now.
    #[must_use]
    pub fn new(random: &Random, metrics: M, ready: R) -> Self {
        Self { metrics, ready, uniq_ids: UniqIds::new(random) }
    }

    fn respond(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let uniq_id = self.uniq_ids.next();
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let answer = match path {
            "/metrics" | "/health/live" | "/health/ready" if !is_read => {
                let rejection = Rejection { allow: Some("GET, HEAD"), ..Rejection::from(Problem::MethodNotAllowed) };
                Answer::refused(uniq_id, &rejection)
            }
            "/metrics" => return metrics_response((self.metrics)()),
            "/health/live" => Answer::done(uniq_id, &[HealthItem { health: "live" }], &[], Extra::default()),
            "/health/ready" => match (self.ready)() {
                Ok(()) => Answer::done(uniq_id, &[HealthItem { health: "ready" }], &[], Extra::default()),
                Err(problem) => Answer::problem(uniq_id, problem),
            },
            _ => Answer::problem(uniq_id, Problem::PathUnknown),
        };
        tracing::debug!(target: "web", status = answer.status(), uniqId = uniq_id.as_str(), "operations answered");
        answer.into_response()
    }
}

fn metrics_response(text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(CONTENT_TYPE, METRICS_TYPE);
    response
}

impl<M, R> Handler for Operations<M, R>
where
    M: Fn() -> String + Send + Sync + 'static,
    R: Fn() -> Result<(), Problem> + Send + Sync + 'static,
{
    async fn answer<T>(&self, request: Request<T>, _: &Origin) -> Response<Full<Bytes>>
    where
        T: Body<Data = Bytes, Error: Send> + Send + Unpin,
    {
        self.respond(request.method(), request.uri().path())
    }
}
