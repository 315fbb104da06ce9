//! From the answer of a service to what is known of a number.

use domain::network::Network;
use http::StatusCode;
use serde_json::Value;

use super::known::{Known, LookUpError};
use super::options::Options;

/// Where things stand in an answer (RFC 6901).
#[derive(Clone, Debug)]
pub(super) struct Pointers {
    network: String,
    ported: String,
    imsi: String,
}

/// Digits of an IMSI (ITU-T E.212 §8).
const IMSI_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;

impl Pointers {
    pub(super) fn of(options: &Options) -> Self {
        Self {
            network: options.network_pointer.clone(),
            ported: options.ported_pointer.clone(),
            imsi: options.imsi_pointer.clone(),
        }
    }

    /// 404 means that the service does not know the number, and so does an answer without a network; everything
    /// else but a 200 is a failure.
    pub(super) fn read(&self, status: StatusCode, body: &[u8]) -> Result<Option<Known>, LookUpError> {
        match status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            other => return Err(LookUpError::new(format_args!("it answered HTTP {}", other.as_u16()))),
        }
        let answer: Value = serde_json::from_slice(body)
            .map_err(|error| LookUpError::new(format_args!("its answer is no JSON: {error}")))?;
        let code = match answer.pointer(&self.network) {
            Some(Value::Null) => return Ok(None),
            Some(Value::String(code)) => code.replace('-', ""),
            Some(Value::Number(code)) => code.to_string(),
            _ => return Err(LookUpError::new(format_args!("its answer holds no network at {}", self.network))),
        };
        let network: Network =
            code.parse().map_err(|error| LookUpError::new(format_args!("at {}: {error}", self.network)))?;
        let at = |pointer: &str| Some(pointer).filter(|pointer| !pointer.is_empty()).and_then(|at| answer.pointer(at));
        let imsi = at(&self.imsi)
            .and_then(Value::as_str)
            .filter(|imsi| IMSI_DIGITS.contains(&imsi.len()) && imsi.bytes().all(|byte| byte.is_ascii_digit()));
        Ok(Some(Known { network, ported: at(&self.ported).and_then(Value::as_bool), imsi: imsi.map(Into::into) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood_or_refused() {
        let pointers = Pointers::of(&Options::default());
        let ok = |body: &[u8]| pointers.read(StatusCode::OK, body);
        let known = ok(br#"{"network":"26006","ported":true,"imsi":"260061234567890","more":[1]}"#);
        let known = known.expect("an answer").expect("known");
        assert_eq!((known.network.to_string().as_str(), known.ported), ("26006", Some(true)));
        assert_eq!(known.imsi.as_deref(), Some("260061234567890"));
        let bare = ok(br#"{"network":26006,"ported":"yes","imsi":"<script>"}"#).expect("an answer").expect("known");
        assert_eq!((bare.ported, bare.imsi), (None, None), "what makes no sense is left out");
        assert_eq!(ok(br#"{"network":null}"#), Ok(None));
        assert_eq!(pointers.read(StatusCode::NOT_FOUND, b"whatever"), Ok(None));
        for (status, body) in [
            (200, &b"{}"[..]),
            (200, b""),
            (200, b"\xFF"),
            (200, br#"{"network":"x"}"#),
            (500, b""),
            (302, b""),
            (204, b""),
        ] {
            assert!(pointers.read(StatusCode::from_u16(status).expect("a status"), body).is_err(), "{status}");
        }
        let deep = Options { network_pointer: "/data/0/mccmnc".into(), ..Options::default() };
        let read = Pointers::of(&deep).read(StatusCode::OK, br#"{"data":[{"mccmnc":"260-06"}]}"#);
        assert_eq!(read.expect("an answer").expect("known").network.to_string(), "26006");
    }
}
