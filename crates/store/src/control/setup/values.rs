//! Texts with a form of their own: names, amounts, keys, networks, addresses.

use domain::limits::URL_LENGTH_MAX;
use domain::money::Money;
use ipnet::IpNet;

use super::reader::{Table, Text};
use crate::control::limits::{
    KEY_LENGTH_MAX, KEY_LENGTH_MIN, NAME_LENGTH_MAX, SECRET_LENGTH_MAX, SIGNING_SECRET_OCTETS,
};

/// The name of an entry. It appears in lists separated by commas and in paths separated by slashes.
pub(super) fn name<'a>(table: &Table<'a>, key: &str) -> Option<Text<'a>> {
    let passed = table.required_text(key)?;
    let allowed = |character: char| character.is_alphanumeric() || " ._-".contains(character);
    let blank = passed.text.trim().len() != passed.text.len() || passed.text.is_empty();
    if blank || passed.text.chars().count() > NAME_LENGTH_MAX || !passed.text.chars().all(allowed) {
        let message = format!("expected 1 to {NAME_LENGTH_MAX} letters, digits and \" ._-\", no space at either end");
        table.refuse(key, passed, message);
        return None;
    }
    Some(passed)
}

/// An amount of money, not below zero.
pub(super) fn amount(table: &Table<'_>, key: &str, default: Money) -> Money {
    let Some(passed) = table.text(key) else { return default };
    match passed.text.parse::<Money>() {
        Ok(money) if money >= Money(0) => money,
        _ => {
            table.refuse(
                key,
                passed,
                "expected an amount from zero up with at most four decimal places, such as \"0.0700\"",
            );
            default
        }
    }
}

/// Amounts of money from zero up; absent when the key is.
pub(super) fn amounts(table: &Table<'_>, key: &str) -> Option<Vec<Money>> {
    let amount = |passed: &Text<'_>| match passed.text.parse::<Money>() {
        Ok(money) if money >= Money(0) => Some(money),
        _ => {
            table.refuse(
                key,
                *passed,
                "expected amounts from zero up with at most four decimal places, such as \"0.0300\"",
            );
            None
        }
    };
    Some(table.texts(key)?.iter().filter_map(amount).collect())
}

/// Half of an application key's pair, taken as it is.
pub(super) fn key_half<'a>(table: &Table<'a>, key: &str) -> Option<Text<'a>> {
    let passed = table.text(key)?;
    let length_fits = (KEY_LENGTH_MIN..=KEY_LENGTH_MAX).contains(&passed.text.len());
    if !length_fits || !passed.text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let message = format!(
            "expected {KEY_LENGTH_MIN} to {KEY_LENGTH_MAX} characters of A-Z, a-z and 0-9; leave the key out to have one generated"
        );
        table.refuse_secret(key, passed, message);
        return None;
    }
    Some(passed)
}

/// A list of networks; a plain address is a network of one.
pub(super) fn networks(table: &Table<'_>, key: &str) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for passed in table.texts(key).unwrap_or_default() {
        let network = passed.text.parse::<IpNet>().ok();
        match network.or_else(|| passed.text.parse::<std::net::IpAddr>().ok().map(IpNet::from)) {
            Some(network) => networks.push(network.trunc()),
            None => table.refuse(
                key,
                passed,
                "expected an address or a network such as \"192.0.2.0/24\" or \"2001:db8::/32\"",
            ),
        }
    }
    networks.sort();
    networks.dedup();
    networks
}

/// An `http` or `https` address without user, password and fragment.
pub(super) fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let graphic = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&byte));
    text.len() <= URL_LENGTH_MAX && graphic && is_authority(authority)
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            if address.parse::<std::net::Ipv6Addr>().is_err() || !(port.is_empty() || port.starts_with(':')) {
                return false;
            }
            ("v6", port.strip_prefix(':'))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    is_host(host) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// A host name or an address; the resolver has the last word.
pub(super) fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    host.parse::<std::net::IpAddr>().is_ok()
        || (name.len() <= crate::control::limits::HOST_LENGTH_MAX && name.split('.').all(label))
}

/// A secret text of a webhook: graphic ASCII, so that it survives headers and shells.
pub(super) fn is_secret(text: &str) -> bool {
    text.len() <= SECRET_LENGTH_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `whsec_` and 24 to 64 octets of base64 (Standard Webhooks).
pub(super) fn is_signing_secret(text: &str) -> bool {
    let Some(encoded) = text.strip_prefix("whsec_") else { return false };
    let digits = encoded.trim_end_matches('=');
    let alphabet = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    let padding = encoded.len() - digits.len();
    let whole = encoded.len().is_multiple_of(4) && padding <= 2;
    alphabet && whole && SIGNING_SECRET_OCTETS.contains(&(digits.len() * 3 / 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses() {
        for good in [
            "https://example.com/hooks/sms",
            "http://127.0.0.1:9000",
            "http://localhost:9000/?a=b,c&d=%20",
            "https://[2001:db8::1]:8443/x",
        ] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "https://",
            "https:///x",
            "https://user:pw@example.com/",
            "https://exa mple.com/",
            "https://example.com:0/",
            "https://example.com:99999/",
            "https://[::1/",
            "https://[::1]x/",
            "https://-a.com/",
            "https://a..b/",
            "https://example.com/#x",
            "https://żabka.pl/",
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }

    #[test]
    fn signing_secrets() {
        let good = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"];
        for secret in good {
            assert!(is_signing_secret(secret), "{secret}");
        }
        for bad in
            ["", "whsec_", "whsec_short", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-w"]
        {
            assert!(!is_signing_secret(bad), "{bad}");
        }
    }
}
