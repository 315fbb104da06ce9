//! Checks the two signatures of a call.

use std::collections::HashMap;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha256;

/// What calls are signed with.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// SecretKey of the checksum headers; empty = not checked.
    pub secret_key: String,
    /// `whsec_…` of the Standard Webhooks signature; empty = not checked.
    pub signing_secret: String,
}

/// Whether the signatures of a call are right; `None` where nothing was to be checked.
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

/// Checks a call by its headers (lower-case names) and body.
#[must_use]
pub fn verify(secrets: &Secrets, headers: &HashMap<String, String>, body: &[u8]) -> Verdict {
    let header = |name: &str| headers.get(name).map(String::as_str).unwrap_or_default();
    let checksum = (!secrets.secret_key.is_empty()).then(|| {
        let signed = format!("{}|{}|{}", secrets.secret_key, header("x-webhook-date"), header("request-id"));
        hex(&Sha1::digest(signed)) == header("x-webhook-checksum")
    });
    let signature = (!secrets.signing_secret.is_empty()).then(|| {
        let key = STANDARD.decode(secrets.signing_secret.trim_start_matches("whsec_")).unwrap_or_default();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
        mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
        mac.update(body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        header("webhook-signature").split(' ').any(|given| given == expected)
    });
    Verdict { checksum, signature }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        _ = write!(text, "{octet:02x}");
        text
    })
}
