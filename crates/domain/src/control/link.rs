//! How the sessions with an operator are run: further hosts, TLS, timers, and what SMPP leaves open.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::choice::choice;

/// Which PDU carries messages to a carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubmitWith {
    /// `submit_sm` (SMPP 3.4 §4.4).
    #[default]
    SubmitSm,
    /// `data_sm` (SMPP 3.4 §4.7), with the text in `message_payload`.
    DataSm,
}

choice!(SubmitWith { SubmitSm = "submit_sm", DataSm = "data_sm" });

/// How the sessions with an operator are run. Times are whole seconds, as the setup file has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// Further places to bind to, as `host:port`; binds are spread over them and the main one.
    pub hosts: Vec<String>,
    /// SHA-256 of the one certificate to trust, as 64 hexadecimal digits; empty = by authority.
    pub tls_pinned_sha256: String,
    /// File with the authorities to trust instead of the public ones, PEM; empty = the public ones.
    pub tls_ca_file: String,
    /// Name look-up, connection and TLS together.
    pub connect_timeout_seconds: u16,
    /// Answer to the bind.
    pub bind_timeout_seconds: u16,
    /// Silence after which the operator is asked whether it lives.
    pub enquire_link_seconds: u16,
    /// How long it may take to say so.
    pub enquire_link_timeout_seconds: u16,
    /// Silence after which the session is over.
    pub inactivity_timeout_seconds: u16,
    /// Answer to a part.
    pub response_timeout_seconds: u16,
    /// Rest of a PDU that has begun.
    pub half_read_timeout_seconds: u16,
    /// Upper end of the first pause before binding again.
    pub reconnect_min_seconds: u16,
    /// Upper end of the longest one.
    pub reconnect_max_seconds: u16,
    /// Answer to `unbind`.
    pub unbind_timeout_seconds: u16,
    /// Which PDU carries messages.
    pub submit_with: SubmitWith,
    /// Address and port where the operator may connect and send `outbind` (SMPP 3.4 §4.1.7); empty = nowhere.
    pub outbind_listen: String,
    /// Who may connect there.
    pub outbind_allowed_addresses: Vec<IpNet>,
    /// File with the certificates to show there, PEM, where the carrier uses TLS.
    pub outbind_certificate_file: String,
    /// File with the private key of the first of them, PEM.
    pub outbind_private_key_file: String,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            tls_pinned_sha256: String::new(),
            tls_ca_file: String::new(),
            connect_timeout_seconds: 5,
            bind_timeout_seconds: 10,
            enquire_link_seconds: 20,
            enquire_link_timeout_seconds: 10,
            inactivity_timeout_seconds: 120,
            response_timeout_seconds: 30,
            half_read_timeout_seconds: 10,
            reconnect_min_seconds: 1,
            reconnect_max_seconds: 60,
            unbind_timeout_seconds: 5,
            submit_with: SubmitWith::default(),
            outbind_listen: String::new(),
            outbind_allowed_addresses: Vec::new(),
            outbind_certificate_file: String::new(),
            outbind_private_key_file: String::new(),
        }
    }
}

/// `host:port` in its two halves; the brackets of an IPv6 address are taken off. `None` if it is neither.
#[must_use]
pub fn split_host(place: &str) -> Option<(&str, u16)> {
    let (host, port) = place.rsplit_once(':')?;
    let port = port.parse().ok().filter(|port| *port > 0)?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let bracketed = bare.len() < host.len();
    (!bare.is_empty() && (bracketed || !bare.contains(':'))).then_some((bare, port))
}

/// The 32 octets that 64 hexadecimal digits stand for, colons allowed between them; `None` for anything else.
#[must_use]
pub fn sha256_digits(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let mut octets = [0; 32];
    if digits.len() != 2 * octets.len() {
        return None;
    }
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16);
        *octet = u8::try_from(value(pair[0])? << 4 | value(pair[1])?).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_split_and_nonsense_is_not() {
        assert_eq!(split_host("smpp.example:2775"), Some(("smpp.example", 2775)));
        assert_eq!(split_host("[::1]:2775"), Some(("::1", 2775)));
        for nonsense in ["smpp.example", ":2775", "host:", "host:0", "host:70000", "::1:2775", ""] {
            assert_eq!(split_host(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_fingerprint_may_have_colons() {
        let plain = "00ff".repeat(16);
        let expected = sha256_digits(&plain).expect("64 digits");
        assert_eq!(expected[..4], [0, 255, 0, 255]);
        assert_eq!(sha256_digits(&vec!["00:FF"; 16].join(":")), Some(expected));
        assert_eq!(sha256_digits("00ff"), None);
        assert_eq!(sha256_digits(&"zz".repeat(32)), None);
    }
}
