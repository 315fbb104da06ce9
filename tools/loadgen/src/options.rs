//! What to send, where to, how fast and for how long.

use crate::error::LoadError;

/// Most recipients of one request (API contract).
const RECIPIENTS_MAX: u32 = 10_000;
/// Most connections of one run: beyond it the tool itself becomes the bottleneck.
const CONNECTIONS_MAX: usize = 10_000;
/// Digits at the end of both keys that are an account's number.
pub(crate) const ACCOUNT_DIGITS: usize = 6;
/// Longest `externalId` (API contract); ten digits of it are the number of the request.
const EXTERNAL_ID_PREFIX_MAX: usize = 64 - 10;

/// A load. With [`Self::rate`] it is open-loop, without it closed-loop with one request in flight per connection.
#[derive(Clone, Debug, clap::Args)]
pub struct LoadOptions {
    /// Where to send: http://host:port, the path /v2.1/sms being added when there is none
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The Authorization key
    #[arg(long, env = "LOADGEN_AUTHORIZATION", hide_env_values = true, default_value = "")]
    pub authorization: String,
    /// The Application-Key
    #[arg(long, env = "LOADGEN_APPLICATION_KEY", hide_env_values = true, default_value = "")]
    pub application_key: String,
    /// Accounts that take turns, request by request: the last six digits of both keys are replaced by the account's
    /// number, from 000000 on
    #[arg(long, default_value_t = 1)]
    pub accounts: u64,
    /// The sender of every message
    #[arg(long, default_value = "ACME")]
    pub sender: String,
    /// The text of every message
    #[arg(long, default_value = "Your parcel is on its way and will arrive between 10 and 12.")]
    pub text: String,
    /// Recipients in each request
    #[arg(long, default_value_t = 1)]
    pub recipients: u32,
    /// Requests per second at fixed times (open loop); left out: as fast as the answers come (closed loop)
    #[arg(long)]
    pub rate: Option<f64>,
    /// Connections; in the closed loop this is the number of requests in flight
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// How long to send, in seconds (10 if --count is left out too)
    #[arg(long, conflicts_with = "count")]
    pub duration_seconds: Option<f64>,
    /// How many requests to send
    #[arg(long)]
    pub count: Option<u64>,
    /// Share of the requests that ask for the Priority lane, 0 to 1
    #[arg(long, default_value_t = 0.0)]
    pub priority_share: f64,
    /// Give every request an externalId: this prefix and ten digits
    #[arg(long)]
    pub external_id_prefix: Option<String>,
    /// The first recipient; the following ones count up
    #[arg(long, default_value_t = 48_500_000_000)]
    pub first_phone_number: u64,
    /// How many different recipients there are before they repeat
    #[arg(long, default_value_t = 1_000_000)]
    pub phone_numbers: u64,
    /// Another webhookUrl than the account's
    #[arg(long)]
    pub webhook_url: Option<String>,
    /// How long to wait for an answer, and after the last planned request for a free connection, in milliseconds
    #[arg(long, default_value_t = 10_000)]
    pub answer_timeout_ms: u64,
    /// Read the body of every 200 and count those that do not report every message as accepted
    #[arg(long)]
    pub check_body: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8080".to_owned(),
            authorization: String::new(),
            application_key: String::new(),
            accounts: 1,
            sender: "ACME".to_owned(),
            text: "Your parcel is on its way and will arrive between 10 and 12.".to_owned(),
            recipients: 1,
            rate: None,
            connections: 64,
            duration_seconds: None,
            count: None,
            priority_share: 0.0,
            external_id_prefix: None,
            first_phone_number: 48_500_000_000,
            phone_numbers: 1_000_000,
            webhook_url: None,
            answer_timeout_ms: 10_000,
            check_body: false,
        }
    }
}

impl LoadOptions {
    /// How long to send, in seconds, when no count is given.
    pub(crate) fn seconds(&self) -> Option<f64> {
        match (self.duration_seconds, self.count) {
            (Some(seconds), _) => Some(seconds),
            (None, Some(_)) => None,
            (None, None) => Some(10.0),
        }
    }

    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        if !(1..=RECIPIENTS_MAX).contains(&self.recipients) {
            return Err(LoadError::option("--recipients", format!("give 1 to {RECIPIENTS_MAX}")));
        }
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            return Err(LoadError::option("--connections", format!("give 1 to {CONNECTIONS_MAX}")));
        }
        let too_short = |key: &String| key.len() < ACCOUNT_DIGITS;
        if self.accounts == 0
            || (self.accounts > 1 && [&self.authorization, &self.application_key].into_iter().any(too_short))
        {
            return Err(LoadError::option(
                "--accounts",
                "give at least 1, and for several keys of at least six characters",
            ));
        }
        if self.rate.is_some_and(|rate| !positive(rate)) {
            return Err(LoadError::option("--rate", "give a number above 0"));
        }
        if self.duration_seconds.is_some_and(|seconds| !positive(seconds)) {
            return Err(LoadError::option("--duration-seconds", "give a number above 0"));
        }
        if !(0.0..=1.0).contains(&self.priority_share) {
            return Err(LoadError::option("--priority-share", "give a share from 0 to 1"));
        }
        if self.phone_numbers < u64::from(self.recipients) {
            return Err(LoadError::option("--phone-numbers", "give at least as many as one request has recipients"));
        }
        let last = self.first_phone_number.saturating_add(self.phone_numbers - 1);
        if self.first_phone_number == 0 || self.first_phone_number.ilog10() != last.ilog10() {
            return Err(LoadError::option("--first-phone-number", "all numbers must have the same number of digits"));
        }
        let too_long = |prefix: &String| prefix.len() > EXTERNAL_ID_PREFIX_MAX;
        if self.external_id_prefix.as_ref().is_some_and(too_long) {
            return Err(LoadError::option(
                "--external-id-prefix",
                format!("give up to {EXTERNAL_ID_PREFIX_MAX} characters"),
            ));
        }
        let header_safe = |value: &str| value.bytes().all(|octet| (0x20..0x7f).contains(&octet));
        if !header_safe(&self.authorization) || !header_safe(&self.application_key) {
            return Err(LoadError::option("--authorization", "keys are printable ASCII"));
        }
        Ok(())
    }

    /// Host with port, and the path.
    pub(crate) fn target(&self) -> Result<(String, String), LoadError> {
        let wrong = || LoadError::option("--url", "give http://host:port; the tool speaks plain HTTP only");
        let rest = self.url.strip_prefix("http://").ok_or_else(wrong)?;
        let (authority, path) = match rest.find('/') {
            Some(at) => (&rest[..at], &rest[at..]),
            None => (rest, "/"),
        };
        if authority.is_empty() || !authority.bytes().all(|octet| octet.is_ascii_graphic()) || path.contains(' ') {
            return Err(wrong());
        }
        let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
        let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let path = if path == "/" { "/v2.1/sms" } else { path };
        Ok((address, path.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_path_means_the_send_resource() {
        let options = LoadOptions { url: "http://localhost".to_owned(), ..LoadOptions::default() };
        assert_eq!(options.target().unwrap(), ("localhost:80".to_owned(), "/v2.1/sms".to_owned()));
        let options = LoadOptions { url: "http://[::1]:81/x".to_owned(), ..LoadOptions::default() };
        assert_eq!(options.target().unwrap(), ("[::1]:81".to_owned(), "/x".to_owned()));
        let options = LoadOptions { url: "https://localhost".to_owned(), ..LoadOptions::default() };
        assert!(options.target().is_err());
    }

    #[test]
    fn what_cannot_be_patched_in_place_is_refused() {
        let refused = |options: LoadOptions| options.check().is_err();
        assert!(LoadOptions::default().check().is_ok());
        assert!(refused(LoadOptions { first_phone_number: 99_999, phone_numbers: 2, ..LoadOptions::default() }));
        assert!(refused(LoadOptions { recipients: 3, phone_numbers: 2, ..LoadOptions::default() }));
        assert!(refused(LoadOptions { rate: Some(0.0), ..LoadOptions::default() }));
        assert!(refused(LoadOptions { authorization: "a\r\nb".to_owned(), ..LoadOptions::default() }));
    }
}
