//! `Content-Encoding` of a request.

use domain::problem::Problem;
use hyper::HeaderMap;
use hyper::header::CONTENT_ENCODING;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Reads the header; several codings on top of each other serve nobody but bombs.
pub(super) fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let Some(value) = values.next() else { return Ok(Coding::Identity) };
    if values.next().is_some() {
        return Err(Problem::MediaTypeUnsupported);
    }
    let name = value.to_str().map_err(|_| Problem::MediaTypeUnsupported)?.trim();
    let known = [
        ("gzip", Coding::Gzip),
        ("x-gzip", Coding::Gzip),
        ("deflate", Coding::Deflate),
        ("br", Coding::Brotli),
        ("zstd", Coding::Zstd),
        ("identity", Coding::Identity),
        ("", Coding::Identity),
    ];
    let found = known.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    found.map(|(_, coding)| coding).ok_or(Problem::MediaTypeUnsupported)
}
