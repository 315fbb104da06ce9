//! Which webhook URLs are accepted at all. Names are judged again at every try, when they are resolved.

use std::net::SocketAddr;

use domain::limits::URL_LENGTH_MAX;
use url::{Host, Url};

use super::guard::{Guard, Refused};
use super::options::Options;

/// Why a URL is no webhook URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// Longer than [`URL_LENGTH_MAX`].
    #[error("the URL is longer than {URL_LENGTH_MAX} characters")]
    TooLong,
    /// Not a URL.
    #[error("the URL can't be read: write it as https://example.com/path")]
    Unreadable,
    /// Neither https nor http.
    #[error("the URL must begin with https://")]
    Scheme,
    /// Plain http to an address that does not allow it.
    #[error("the URL must begin with https://; plain http is allowed for addresses of the allow-list only")]
    PlainHttp,
    /// User or password in the URL.
    #[error("the URL must not hold a user or password: set HTTP Basic on the endpoint instead")]
    UserInfo,
    /// A name without a domain, or one that ends with a dot.
    #[error("the host must be a full name such as hooks.example.com")]
    HostName,
    /// A port that is not one of webhooks.
    #[error("port {0} is not allowed for webhooks: use 443")]
    Port(u16),
    /// A literal address that may not be reached.
    #[error("{0}")]
    Address(Refused),
}

/// Reads a webhook URL and refuses what can be refused without resolving its name.
///
/// # Errors
/// [`UrlProblem`] with the rule that is broken.
pub fn check_url(text: &str, options: &Options) -> Result<Url, UrlProblem> {
    check_with(text, &Guard::new(options), options)
}

pub(super) fn check_with(text: &str, guard: &Guard, options: &Options) -> Result<Url, UrlProblem> {
    if text.len() > URL_LENGTH_MAX {
        return Err(UrlProblem::TooLong);
    }
    // The parser forgives blanks and backslashes where other readers of the same text would not.
    if text.bytes().any(|byte| byte.is_ascii_control() || byte == b' ' || byte == b'\\') {
        return Err(UrlProblem::Unreadable);
    }
    let url = Url::parse(text).map_err(|_| UrlProblem::Unreadable)?;
    let encrypted = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(UrlProblem::Scheme),
    };
    if !url.username().is_empty() || url.password().is_some() || has_at_sign_in_authority(text) {
        return Err(UrlProblem::UserInfo);
    }
    let port = url.port_or_known_default().ok_or(UrlProblem::Unreadable)?;
    match url.host() {
        Some(Host::Ipv4(ip)) => judge_literal(guard, encrypted, SocketAddr::new(ip.into(), port))?,
        Some(Host::Ipv6(ip)) => judge_literal(guard, encrypted, SocketAddr::new(ip.into(), port))?,
        Some(Host::Domain(name)) => check_name(name, encrypted, port, guard, options)?,
        None => return Err(UrlProblem::Unreadable),
    }
    Ok(url)
}

/// `https://@host` has an empty user that the parser does not report.
fn has_at_sign_in_authority(text: &str) -> bool {
    let after_scheme = text.split_once("//").map_or(text, |(_, rest)| rest.trim_start_matches('/'));
    after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

fn judge_literal(guard: &Guard, encrypted: bool, address: SocketAddr) -> Result<(), UrlProblem> {
    guard.judge(encrypted, address).map_err(|refused| match refused {
        Refused::PlainHttp => UrlProblem::PlainHttp,
        Refused::Port(port) => UrlProblem::Port(port),
        Refused::NotPublic(_) | Refused::Denied | Refused::OwnListener => UrlProblem::Address(refused),
    })
}

/// Where private addresses are allowed a name may lead to one: then its address decides, at every try.
fn check_name(name: &str, encrypted: bool, port: u16, guard: &Guard, options: &Options) -> Result<(), UrlProblem> {
    if name.ends_with('.') || name.starts_with('.') || name.contains("..") {
        return Err(UrlProblem::HostName);
    }
    if guard.allows_private() {
        return Ok(());
    }
    let is_local = name == "localhost" || name.ends_with(".localhost") || !name.contains('.');
    if is_local {
        return Err(UrlProblem::HostName);
    }
    if !encrypted && !options.allow_http {
        return Err(UrlProblem::PlainHttp);
    }
    if !options.ports.contains(&port) {
        return Err(UrlProblem::Port(port));
    }
    Ok(())
}
