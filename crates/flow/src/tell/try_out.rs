//! A test call, before an endpoint is saved or when somebody wants to know.

use std::sync::Arc;

use bytes::Bytes;
use domain::clock::Clock;
use domain::control::Endpoint;

use super::error::Error;
use super::guard::Guard;
use super::options::Options;
use super::resolve::SystemResolver;
use super::service::transport;
use super::sign::Signer;
use super::transport::{Answer, Transport};
use super::url::{UrlProblem, check_with};

/// Calls an endpoint once with an empty array, signed as real calls are. Nothing is recorded and nothing is
/// tried again.
///
/// # Errors
/// [`UrlProblem`] when the URL may not be called at all.
pub(super) async fn call(
    endpoint: &Endpoint,
    transport: &dyn Transport,
    clock: &Clock,
    judged: Result<url::Url, UrlProblem>,
) -> Result<Answer, UrlProblem> {
    let uri = judged?.as_str().parse().map_err(|_| UrlProblem::Unreadable)?;
    let body = Bytes::from_static(b"[]");
    let now = clock.now();
    let headers = Signer::new(endpoint).headers(&format!("test-{:x}", now.0), now, 1, &body);
    Ok(transport.open().post(uri, headers, body).await)
}

/// The same without a running stage, for the command line.
///
/// # Errors
/// [`Error`] when the options are out of range; the inner [`UrlProblem`] when the URL may not be called.
pub async fn try_out(
    endpoint: &Endpoint,
    options: &Options,
    clock: &Clock,
) -> Result<Result<Answer, UrlProblem>, Error> {
    options.validate()?;
    let transport = transport(options, clock, Arc::new(SystemResolver::default()))?;
    let judged = check_with(&endpoint.url, &Guard::new(options), options);
    Ok(call(endpoint, &transport, clock, judged).await)
}
