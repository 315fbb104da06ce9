//! Webhook endpoints.

use serde::{Deserialize, Serialize};

use super::secret::Secret;
use crate::choice::choice;
use crate::clock::UnixMillis;
use crate::id::{AccountId, EndpointId};

/// What a webhook endpoint is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Delivery reports, `sms.status`.
    #[default]
    Status,
    /// Incoming messages, `sms.incoming`.
    Incoming,
    /// Link clicks, `sms.click`.
    Click,
}

choice!(EventKind { Status = "sms.status", Incoming = "sms.incoming", Click = "sms.click" });

/// A webhook endpoint of an account. What serialises is what the setup file says under the same names,
/// except for the event and the secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoint {
    /// Row in the control data.
    #[serde(skip)]
    pub id: EndpointId,
    /// Whose endpoint.
    #[serde(skip)]
    pub account: AccountId,
    /// What it is told.
    #[serde(skip)]
    pub event: EventKind,
    /// Main URL.
    pub url: String,
    /// Used when the main one can't be reached or answers wrongly; empty = none.
    pub secondary_url: String,
    /// SecretKey of the checksum headers.
    #[serde(skip)]
    pub secret_key: Secret,
    /// `whsec_…` of the Standard Webhooks signature.
    #[serde(skip)]
    pub signing_secret: Secret,
    /// User of HTTP Basic; empty = none.
    pub basic_user: String,
    /// Password of HTTP Basic.
    #[serde(skip)]
    pub basic_password: Secret,
    /// Seconds to wait after each failed try; empty = as the server's configuration says.
    pub retry_seconds: Vec<u64>,
    /// Hours for which the secrets before a change stay valid beside the new ones.
    pub secret_overlap_hours: u32,
    /// The secrets before the last change.
    #[serde(skip)]
    pub previous: Option<PreviousSecrets>,
}

/// Secrets that stay valid for a while after they were changed, so that a receiver can be switched over
/// without losing a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecrets {
    /// SecretKey of the checksum headers.
    pub secret_key: Secret,
    /// `whsec_…` of the Standard Webhooks signature.
    pub signing_secret: Secret,
    /// No longer valid from then on.
    pub until: UnixMillis,
}

/// How long secrets overlap unless the setup says otherwise.
const SECRET_OVERLAP_HOURS: u32 = 24;

impl Default for Endpoint {
    /// What the setup file means where it leaves a key out.
    fn default() -> Self {
        Self {
            id: EndpointId::default(),
            account: AccountId::default(),
            event: EventKind::default(),
            url: String::new(),
            secondary_url: String::new(),
            secret_key: Secret::default(),
            signing_secret: Secret::default(),
            basic_user: String::new(),
            basic_password: Secret::default(),
            retry_seconds: Vec::new(),
            secret_overlap_hours: SECRET_OVERLAP_HOURS,
            previous: None,
        }
    }
}
