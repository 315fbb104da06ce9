//! Webhook endpoints.

use serde::{Deserialize, Serialize};

use super::secret::Secret;
use crate::choice::choice;
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
}
