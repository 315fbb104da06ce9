//! What a browser is sent to.

use url::Url;

/// The `Location` for a link as it was written: an absolute http(s) URL in ASCII, without user and
/// password. `None` for anything else.
pub(crate) fn location(link: &str) -> Option<String> {
    if link.chars().any(char::is_control) {
        return None;
    }
    let url = Url::parse(link).ok()?;
    let is_target = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none();
    is_target.then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_are_targets() {
        assert_eq!(location("https://a.example/x?y=1#z").as_deref(), Some("https://a.example/x?y=1#z"));
        assert_eq!(
            location("HTTP://ŻÓŁW.example/ż ó").as_deref(),
            Some("http://xn--w-uga1v8h.example/%C5%BC%20%C3%B3")
        );
        for link in [
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://a.example/",
            "//a.example/x",
            "/x",
            "https://",
            "https://user@a.example/",
            "https://a.example/\r\nset-cookie: x=1",
            "https://a.example/\u{0}",
            "",
        ] {
            assert_eq!(location(link), None, "{link:?}");
        }
    }
}
