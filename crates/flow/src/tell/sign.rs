//! Proof of origin: the contract's checksum, the Standard Webhooks signature and HTTP Basic.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use domain::clock::UnixMillis;
use domain::control::{Endpoint, Secret};
use domain::timestamp::format_utc;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use sha1::Digest as _;
use sha1::Sha1;
use sha2::Sha256;

const DATE: HeaderName = HeaderName::from_static("x-webhook-date");
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CHECKSUM: HeaderName = HeaderName::from_static("x-webhook-checksum");
/// The checksum by the new SecretKey, while the old one is valid.
const CHECKSUM_NEXT: HeaderName = HeaderName::from_static("x-webhook-checksum-next");
const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const ATTEMPT: HeaderName = HeaderName::from_static("webhook-attempt");

/// Signs the calls of one endpoint. Keys are prepared once, not for each call.
#[derive(Clone, Default)]
pub struct Signer {
    checksum_key: Option<Secret>,
    signing_key: Option<Hmac<Sha256>>,
    /// While secrets are rotated.
    previous: Option<Previous>,
    basic: Option<HeaderValue>,
}

/// Secrets that are valid for a while yet.
#[derive(Clone)]
struct Previous {
    checksum_key: Option<Secret>,
    signing_key: Option<Hmac<Sha256>>,
    until: UnixMillis,
}

impl Signer {
    /// The signer of an account's endpoint; secrets that are empty leave their headers out.
    #[must_use]
    pub fn new(endpoint: &Endpoint) -> Self {
        let checksum_key = |key: &Secret| Some(key.clone()).filter(|key| !key.reveal().is_empty());
        let previous = endpoint.previous.as_ref().map(|previous| Previous {
            checksum_key: checksum_key(&previous.secret_key).filter(|key| *key != endpoint.secret_key),
            signing_key: Some(&previous.signing_secret)
                .filter(|secret| **secret != endpoint.signing_secret)
                .and_then(signing_key),
            until: previous.until,
        });
        Self {
            checksum_key: checksum_key(&endpoint.secret_key),
            signing_key: signing_key(&endpoint.signing_secret),
            previous,
            basic: basic(endpoint),
        }
    }

    /// All headers of one try. `id` is the same on every try; `now` and `attempt` (from 1) are the try's own.
    #[must_use]
    pub fn headers(&self, id: &str, now: UnixMillis, attempt: u16, body: &[u8]) -> HeaderMap {
        let date = format_utc(now);
        let timestamp = now.seconds().to_string();
        let mut headers = HeaderMap::with_capacity(12);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("Posthorn/", env!("CARGO_PKG_VERSION"))));
        headers.insert(ATTEMPT, HeaderValue::from(attempt));
        let previous = self.previous.as_ref().filter(|previous| now < previous.until);
        // There is room for one checksum: the receiver's key is valid until the overlap ends, the new one can
        // be looked up beside it.
        let old_key = previous.and_then(|previous| previous.checksum_key.as_ref());
        let names = if old_key.is_some() { [CHECKSUM, CHECKSUM_NEXT] } else { [CHECKSUM, CHECKSUM] };
        for (key, name) in old_key.into_iter().chain(&self.checksum_key).zip(names) {
            insert(&mut headers, name, &checksum(key.reveal(), &date, id));
        }
        let old_key = previous.and_then(|previous| previous.signing_key.as_ref());
        let signatures = signatures(self.signing_key.iter().chain(old_key), id, &timestamp, body);
        if !signatures.is_empty() {
            insert(&mut headers, SIGNATURE, &signatures);
        }
        if let Some(basic) = &self.basic {
            headers.insert(AUTHORIZATION, basic.clone());
        }
        insert(&mut headers, DATE, &date);
        insert(&mut headers, REQUEST_ID, id);
        insert(&mut headers, ID, id);
        insert(&mut headers, TIMESTAMP, &timestamp);
        headers
    }
}

/// Standard Webhooks: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, once per key.
fn signatures<'a>(keys: impl Iterator<Item = &'a Hmac<Sha256>>, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut all = String::with_capacity(48);
    for key in keys {
        let mut mac = key.clone();
        for piece in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(piece);
        }
        let separator = if all.is_empty() { "v1," } else { " v1," };
        all.push_str(separator);
        STANDARD.encode_string(mac.finalize().into_bytes(), &mut all);
    }
    all
}

/// The contract's checksum: lowercase hexadecimal SHA-1 of `SecretKey|X-Webhook-Date|Request-Id`.
fn checksum(key: &str, date: &str, id: &str) -> String {
    let mut hash = Sha1::new();
    for piece in [key, "|", date, "|", id] {
        hash.update(piece.as_bytes());
    }
    let digits = b"0123456789abcdef";
    let octets = hash.finalize();
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .map(|nibble| char::from(digits[usize::from(nibble)]))
        .collect()
}

/// The key of a `whsec_…` secret. One that can't be read signs nothing: the setup refuses it before.
fn signing_key(secret: &Secret) -> Option<Hmac<Sha256>> {
    let secret = secret.reveal();
    if secret.is_empty() {
        return None;
    }
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
    Hmac::new_from_slice(&key).ok()
}

fn basic(endpoint: &Endpoint) -> Option<HeaderValue> {
    if endpoint.basic_user.is_empty() {
        return None;
    }
    let pair = format!("{}:{}", endpoint.basic_user, endpoint.basic_password.reveal());
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn insert(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
