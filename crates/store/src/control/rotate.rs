//! New secrets for an endpoint, while the old ones stay valid for a while.

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::control::{EventKind, PreviousSecrets, Secret};
use domain::random::Random;

use super::apply::{Generated, GeneratedSecret};
use super::content::Content;
use super::error::ControlError;
use super::limits::{SECRET_KEY_LENGTH, SIGNING_SECRET_LENGTH};

const HOUR_MS: i64 = 3_600_000;

/// Which secrets of which endpoint are made anew.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Name of the account.
    pub account: String,
    /// Which of its endpoints.
    pub event: EventKind,
    /// The SecretKey of the checksum headers.
    pub secret_key: bool,
    /// The secret of the Standard Webhooks signature.
    pub signing_secret: bool,
    /// Hours for which those it had stay valid; `None` = as the endpoint is set up.
    pub overlap_hours: Option<u32>,
}

impl Rotation {
    /// The content with new secrets in it.
    pub(super) fn declare(
        &self,
        stored: &Content,
        random: &Random,
        now: UnixMillis,
        generated: &mut Vec<Generated>,
    ) -> Result<Content, ControlError> {
        let mut declared = stored.clone();
        let account = declared.accounts.iter_mut().find(|account| account.name == self.account);
        let endpoint =
            account.and_then(|account| account.endpoints.iter_mut().find(|endpoint| endpoint.event == self.event));
        let unknown = || ControlError::NoEndpoint { account: self.account.clone(), event: self.event.name() };
        let endpoint = endpoint.ok_or_else(unknown)?;
        let hours = self.overlap_hours.unwrap_or(endpoint.secret_overlap_hours);
        endpoint.previous = Some(PreviousSecrets {
            secret_key: endpoint.secret_key.clone(),
            signing_secret: endpoint.signing_secret.clone(),
            until: now.plus_ms(i64::from(hours) * HOUR_MS),
        });
        let what = format!("webhook {}/{}", self.account, self.event.name());
        let mut announce = |secret| generated.push(Generated { what: what.clone(), secret });
        if self.secret_key {
            endpoint.secret_key = Secret::new(random.alphanumeric(SECRET_KEY_LENGTH));
            announce(GeneratedSecret::SecretKey(endpoint.secret_key.clone()));
        }
        if self.signing_secret {
            // Letters and digits are base64 digits: four of them are three random octets.
            endpoint.signing_secret = Secret::new(format!("whsec_{}", random.alphanumeric(SIGNING_SECRET_LENGTH)));
            announce(GeneratedSecret::SigningSecret(endpoint.signing_secret.clone()));
        }
        Ok(declared)
    }
}
