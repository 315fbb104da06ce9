//! Requests as bytes, built once; only the digits that differ are written anew.

use crate::error::LoadError;
use crate::options::{ACCOUNT_DIGITS, LoadOptions};

/// Digits of the number of a request in its `externalId`.
const NUMBER_DIGITS: usize = 10;

/// The two requests of a run, with and without priority.
pub(crate) struct Template {
    standard: Prebuilt,
    priority: Prebuilt,
    first_phone_number: u64,
    phone_numbers: u64,
    priority_share: f64,
    accounts: u64,
}

struct Prebuilt {
    octets: Vec<u8>,
    phones_at: Vec<usize>,
    phone_digits: usize,
    external_id_digits_at: Option<usize>,
    /// Where the accounts' numbers stand in the two keys.
    accounts_at: [usize; 2],
}

impl Template {
    pub(crate) fn new(options: &LoadOptions, host: &str, path: &str) -> Result<Self, LoadError> {
        Ok(Self {
            standard: Prebuilt::new(options, host, path, false)?,
            priority: Prebuilt::new(options, host, path, true)?,
            first_phone_number: options.first_phone_number,
            phone_numbers: options.phone_numbers,
            priority_share: options.priority_share,
            accounts: options.accounts,
        })
    }

    /// Whether request `number` asks for the Priority lane: evenly spread, the same in every run.
    pub(crate) fn is_priority(&self, number: u64) -> bool {
        let before = (number as f64 * self.priority_share).floor();
        ((number + 1) as f64 * self.priority_share).floor() > before
    }

    /// Puts request `number` into `out`, which is emptied first.
    pub(crate) fn fill(&self, number: u64, out: &mut Vec<u8>) {
        let prebuilt = if self.is_priority(number) { &self.priority } else { &self.standard };
        out.clear();
        out.extend_from_slice(&prebuilt.octets);
        let mut recipient = number.wrapping_mul(prebuilt.phones_at.len() as u64);
        for &at in &prebuilt.phones_at {
            let phone_number = self.first_phone_number + recipient % self.phone_numbers;
            write_digits(&mut out[at..at + prebuilt.phone_digits], phone_number);
            recipient = recipient.wrapping_add(1);
        }
        if let Some(at) = prebuilt.external_id_digits_at {
            write_digits(&mut out[at..at + NUMBER_DIGITS], number);
        }
        if self.accounts > 1 {
            for at in prebuilt.accounts_at {
                write_digits(&mut out[at..at + ACCOUNT_DIGITS], number % self.accounts);
            }
        }
    }
}

impl Prebuilt {
    fn new(options: &LoadOptions, host: &str, path: &str, priority: bool) -> Result<Self, LoadError> {
        let json = |option: &'static str, value: &str| {
            serde_json::to_string(value).map_err(|error| LoadError::option(option, error.to_string()))
        };
        let phone_digits = options.first_phone_number.ilog10() as usize + 1;
        let mut body = format!(
            "{{\"sender\":{},\"message\":{},",
            json("--sender", &options.sender)?,
            json("--text", &options.text)?
        );
        if let Some(url) = &options.webhook_url {
            body.push_str(&format!("\"webhookUrl\":{},", json("--webhook-url", url)?));
        }
        if priority {
            body.push_str("\"priority\":true,");
        }
        let mut external_id_digits_at = None;
        if let Some(prefix) = &options.external_id_prefix {
            let quoted = json("--external-id-prefix", prefix)?;
            body.push_str(&format!("\"externalId\":{}", &quoted[..quoted.len() - 1]));
            external_id_digits_at = Some(body.len());
            body.push_str(&format!("{:0>NUMBER_DIGITS$}\",", 0));
        }
        body.push_str("\"phoneNumbers\":[");
        let mut phones_at = Vec::with_capacity(options.recipients as usize);
        for recipient in 0..options.recipients {
            body.push_str(if recipient == 0 { "\"" } else { ",\"" });
            phones_at.push(body.len());
            body.push_str(&"0".repeat(phone_digits));
            body.push('"');
        }
        body.push_str("]}");
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}", options.authorization);
        let authorization_ends = head.len();
        head.push_str(&format!("\r\nApplication-Key: {}", options.application_key));
        let accounts_at = [authorization_ends, head.len()].map(|end| end.saturating_sub(ACCOUNT_DIGITS));
        head.push_str(&format!("\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len()));
        let shift = head.len();
        Ok(Self {
            octets: [head.into_bytes(), body.into_bytes()].concat(),
            phones_at: phones_at.into_iter().map(|at| at + shift).collect(),
            phone_digits,
            external_id_digits_at: external_id_digits_at.map(|at| at + shift),
            accounts_at,
        })
    }
}

fn write_digits(place: &mut [u8], mut value: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// The `externalId` that request `number` carries.
pub(crate) fn external_id(prefix: &str, number: u64) -> String {
    format!("{prefix}{:0>NUMBER_DIGITS$}", number % 10_u64.pow(NUMBER_DIGITS as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(octets: &[u8]) -> serde_json::Value {
        let text = std::str::from_utf8(octets).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn only_what_differs_is_patched_and_the_request_stays_json() {
        let options = LoadOptions {
            recipients: 2,
            phone_numbers: 3,
            text: "zażółć \"x\"\n".to_owned(),
            external_id_prefix: Some("run-".to_owned()),
            priority_share: 0.5,
            webhook_url: Some("http://localhost/hook".to_owned()),
            ..LoadOptions::default()
        };
        let template = Template::new(&options, "localhost:80", "/v2.1/sms").unwrap();
        let mut out = Vec::new();
        template.fill(7, &mut out);
        let sent = body(&out);
        assert_eq!(sent["message"], "zażółć \"x\"\n");
        assert_eq!(sent["phoneNumbers"], serde_json::json!(["48500000002", "48500000000"]));
        assert_eq!(sent["externalId"], "run-0000000007");
        assert_eq!(sent["externalId"], external_id("run-", 7));
        assert_eq!(sent["priority"], true);
        assert_eq!(sent["webhookUrl"], "http://localhost/hook");
        template.fill(6, &mut out);
        assert!(body(&out).get("priority").is_none());
    }

    #[test]
    fn accounts_take_turns_by_the_end_of_both_keys() {
        let keys = |number, accounts| {
            let authorization = "BenchAuthorization000000".to_owned();
            let application_key = "BenchKey000000".to_owned();
            let options = LoadOptions { authorization, application_key, accounts, ..LoadOptions::default() };
            let mut out = Vec::new();
            Template::new(&options, "h", "/").unwrap().fill(number, &mut out);
            let text = String::from_utf8(out).unwrap();
            let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
            (value("Authorization: "), value("Application-Key: "))
        };
        let of = |account: &str| (format!("BenchAuthorization{account}"), format!("BenchKey{account}"));
        assert_eq!(keys(2_007, 2_000), of("000007"));
        assert_eq!(keys(1_999, 2_000), of("001999"));
        assert_eq!(keys(5, 1), of("000000"));
    }

    #[test]
    fn the_priority_share_is_met_exactly_and_spread_evenly() {
        let options = LoadOptions { priority_share: 0.1, ..LoadOptions::default() };
        let template = Template::new(&options, "h", "/").unwrap();
        assert_eq!((0..1000).filter(|&number| template.is_priority(number)).count(), 100);
        assert_eq!((0..20).filter(|&number| template.is_priority(number)).collect::<Vec<_>>(), [9, 19]);
    }
}
