//! One listener for two domains.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper::header::HOST;
use hyper::{Request, Response};

use super::handler::code_of;
use crate::serve::{Handler, Origin};

/// Hands requests for links of the short domain to `links`, everything else to `main`.
pub struct ByHost<M, L> {
    main: M,
    links: Option<(String, L)>,
}

impl<M, L> ByHost<M, L> {
    /// `links` with the domain that its requests name, if there are short links.
    #[must_use]
    pub fn new(main: M, links: Option<(&str, L)>) -> Self {
        let links = links.map(|(domain, links)| (host_of(domain).to_ascii_lowercase(), links));
        Self { main, links }
    }

    /// A path that is no link goes to the API even when both have one domain.
    fn links_for<R>(&self, request: &Request<R>) -> Option<&L> {
        let (domain, links) = self.links.as_ref()?;
        code_of(request.uri().path())?;
        let in_header = || request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().host().or_else(|| in_header().map(host_of))?;
        host.eq_ignore_ascii_case(domain).then_some(links)
    }
}

fn host_of(authority: &str) -> &str {
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

impl<M: Handler, L: Handler> Handler for ByHost<M, L> {
    async fn answer<R>(&self, request: Request<R>, origin: &Origin) -> Response<Full<Bytes>>
    where
        R: Body<Data = Bytes, Error: Send> + Send + Unpin,
    {
        match self.links_for(&request) {
            Some(links) => links.answer(request, origin).await,
            None => self.main.answer(request, origin).await,
        }
    }
}
