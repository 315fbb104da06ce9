//! Where and how an endpoint is called, from the control data.

use domain::control::Control;
use http::Uri;
use url::Url;

use super::endpoint::Key;
use super::schedule::Schedule;
use super::sign::Signer;

/// Where and how an endpoint is called.
pub struct Target {
    /// The main URL as it is configured, for the events' `webhookUrl`.
    pub main_text: String,
    /// The main URL in its normal form.
    pub main: Uri,
    /// Tried when the main one fails.
    pub secondary: Option<Uri>,
    /// Signs the calls.
    pub signer: Signer,
    /// When failed calls are tried again.
    pub schedule: Schedule,
}

/// Recorded with events whose endpoint is no longer there.
pub const NO_ENDPOINT: &str = "no_endpoint: the account has no endpoint for such events any more";
/// Recorded with events whose endpoint's URL can't be read.
pub const BAD_URL: &str = "bad_url: the endpoint's URL can't be read";

impl Target {
    /// The target of `key`. A URL that a request named is signed with the secrets of the account's own endpoint.
    ///
    /// # Errors
    /// The reason why the endpoint's events can't ever be told.
    pub fn of(key: &Key, control: &Control, schedule: &Schedule) -> Result<Self, &'static str> {
        let own = control.account(key.account).and_then(|account| account.endpoint(key.kind));
        let main_text = match (&key.url, own) {
            (Some(url), _) => url.to_string(),
            (None, Some(own)) if !own.url.is_empty() => own.url.clone(),
            (None, _) => return Err(NO_ENDPOINT),
        };
        Ok(Self {
            main: parse(&main_text).ok_or(BAD_URL)?,
            main_text,
            secondary: own.and_then(|own| parse(&own.secondary_url)),
            signer: own.map(Signer::new).unwrap_or_default(),
            schedule: match own {
                Some(own) if !own.retry_seconds.is_empty() => schedule.with_waits(&own.retry_seconds),
                _ => schedule.clone(),
            },
        })
    }
}

/// Reads a URL in the way it was checked, so that what is called is what was judged.
fn parse(text: &str) -> Option<Uri> {
    let mut url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    url.set_fragment(None);
    url.as_str().parse().ok()
}
