//! Checks the two proofs of origin of a call.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use domain::clock::UnixMillis;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// How far the clock of the sender may be off, in seconds (Standard Webhooks advises five minutes).
const TOLERANCE_SECONDS: i64 = 300;

/// What calls are signed with.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// SecretKey of the checksum headers; empty = not checked.
    pub secret_key: String,
    /// `whsec_…` of the Standard Webhooks signature; empty = not checked.
    pub signing_secret: String,
}

/// Whether the proofs of a call are right; `None` where nothing was to be checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The checksum headers.
    pub checksum: Option<bool>,
    /// The Standard Webhooks signature.
    pub signature: Option<bool>,
}

impl Verdict {
    /// Nothing that was checked is wrong.
    #[must_use]
    pub fn is_good(self) -> bool {
        self.checksum != Some(false) && self.signature != Some(false)
    }
}

/// Checks a call that came at `now` by its body and its headers, which `header` finds by name.
#[must_use]
pub fn verify<'a>(
    secrets: &Secrets,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: UnixMillis,
) -> Verdict {
    let checked = |secret: &str| !secret.is_empty();
    Verdict {
        checksum: checked(&secrets.secret_key)
            .then(|| checksum_is_right(&secrets.secret_key, &header).unwrap_or(false)),
        signature: checked(&secrets.signing_secret)
            .then(|| signature_is_right(&secrets.signing_secret, &header, body, now).unwrap_or(false)),
    }
}

/// Lowercase hexadecimal SHA-1 of `SecretKey|X-Webhook-Date|Request-Id`; `None` if a header is missing.
fn checksum_is_right<'a>(secret_key: &str, header: impl Fn(&str) -> Option<&'a str>) -> Option<bool> {
    let mut hash = Sha1::new();
    for piece in [secret_key, "|", header("x-webhook-date")?, "|", header("request-id")?] {
        hash.update(piece.as_bytes());
    }
    let given = header("x-webhook-checksum")?.as_bytes();
    let digits = b"0123456789abcdef";
    let octets = hash.finalize();
    let expected = octets.iter().flat_map(|octet| [digits[usize::from(octet >> 4)], digits[usize::from(octet & 15)]]);
    Some(expected.eq(given.iter().copied()))
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, for a timestamp of now; `None` if something is missing
/// or cannot be read.
fn signature_is_right<'a>(
    secret: &str,
    header: impl Fn(&str) -> Option<&'a str>,
    body: &[u8],
    now: UnixMillis,
) -> Option<bool> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    if (timestamp.parse::<i64>().ok()? - now.seconds()).abs() > TOLERANCE_SECONDS {
        return Some(false);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    for piece in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(piece);
    }
    let expected = STANDARD.encode(mac.finalize().into_bytes());
    // While secrets are rotated there are several.
    Some(header("webhook-signature")?.split(' ').any(|given| given.strip_prefix("v1,") == Some(expected.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const HEADERS: [(&str, &str); 6] = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        (
            "webhook-signature",
            "v1,bm9ldHUjKzFob2VudXRob2VodWUzMjRvdWVvdW9ldQo= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        ("x-webhook-date", "2021-02-25 15:02:10"),
        ("request-id", "r-1"),
        // printf 'key|2021-02-25 15:02:10|r-1' | sha1sum
        ("x-webhook-checksum", "2c24265222d3daaaa8efae518fcb1befdf4c6ba6"),
    ];
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn verdict(secrets: &Secrets, left_out: &str, body: &[u8], now_seconds: i64) -> Verdict {
        let header = |name: &str| {
            let found = HEADERS.iter().find(|(known, _)| *known == name && *known != left_out);
            found.map(|(_, value)| *value)
        };
        verify(secrets, header, body, UnixMillis::from_seconds(now_seconds))
    }

    #[test]
    fn the_example_of_the_specification_is_good_and_any_change_is_not() {
        let secrets = Secrets { signing_secret: SECRET.to_owned(), ..Secrets::default() };
        let signature = |left_out, body, now| verdict(&secrets, left_out, body, now).signature;
        assert_eq!(signature("", BODY, 1_614_265_330), Some(true));
        assert_eq!(signature("", BODY, 1_614_265_330 + 301), Some(false), "too old");
        assert_eq!(signature("", b"{}", 1_614_265_330), Some(false));
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            assert_eq!(signature(name, BODY, 1_614_265_330), Some(false), "without {name}");
        }
    }

    #[test]
    fn the_checksum_is_that_of_the_contract() {
        let checksum = |secret_key: &str, left_out| {
            let secrets = Secrets { secret_key: secret_key.to_owned(), ..Secrets::default() };
            verdict(&secrets, left_out, BODY, 0).checksum
        };
        assert_eq!(checksum("key", ""), Some(true));
        assert_eq!(checksum("yek", ""), Some(false));
        for name in ["x-webhook-date", "request-id", "x-webhook-checksum"] {
            assert_eq!(checksum("key", name), Some(false), "without {name}");
        }
    }

    #[test]
    fn without_secrets_nothing_is_checked() {
        let verdict = verdict(&Secrets::default(), "", BODY, 0);
        assert_eq!(verdict, Verdict { checksum: None, signature: None });
        assert!(verdict.is_good());
    }
}
