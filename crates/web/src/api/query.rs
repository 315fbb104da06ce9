//! Query parameters: pairs, then values, each fault with its parameter.

use std::borrow::Cow;

use domain::problem::Problem;

use crate::envelope::Fault;

/// Pairs that are looked at; no call has as many parameters.
const PAIRS_MAX: usize = 64;

/// The decoded parameters of a request. An empty value counts as absent.
#[derive(Debug, Default)]
pub(super) struct Parameters<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Parameters<'a> {
    /// Decodes a query string.
    ///
    /// # Errors
    /// A fault for text that is no UTF-8 or too many parameters.
    pub(super) fn parse(query: &'a str) -> Result<Self, Fault> {
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(name).zip(decode(value));
            let Some((name, value)) = decoded.filter(|_| pairs.len() < PAIRS_MAX) else {
                return Err(Fault::of(Problem::ParameterInvalid, "query", pair));
            };
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        Ok(Self { pairs })
    }

    /// The value of a parameter.
    ///
    /// # Errors
    /// A fault when it stands there more than once.
    pub(super) fn get(&self, name: &'static str) -> Result<Option<&str>, Fault> {
        let mut values = self.all(name);
        let value = values.next();
        match values.next() {
            Some(second) => Err(invalid(name, second)),
            None => Ok(value),
        }
    }

    /// All values of a parameter that may stand there several times.
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.pairs.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// The value of a parameter, read by `read`.
    ///
    /// # Errors
    /// A fault when it can't be read.
    pub(super) fn read<T>(&self, name: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Fault> {
        let Some(text) = self.get(name)? else { return Ok(None) };
        read(text).map(Some).ok_or_else(|| invalid(name, text))
    }

    /// A whole number within bounds, or its default.
    ///
    /// # Errors
    /// A fault for anything else.
    pub(super) fn number(&self, name: &'static str, default: u32, least: u32, most: u32) -> Result<u32, Fault> {
        let within = |text: &str| text.parse().ok().filter(|number| (least..=most).contains(number));
        Ok(self.read(name, within)?.unwrap_or(default))
    }
}

/// A parameter that can't be read.
pub(super) fn invalid(name: &'static str, value: &str) -> Fault {
    Fault::of(Problem::ParameterInvalid, name, value)
}

/// `+` and `%20` are spaces; a percent sign without two hexadecimal digits can't be read.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hexadecimal(bytes.next()?)? << 4 | hexadecimal(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_faults_name_them() {
        let parameters = Parameters::parse("a=1&b=x%20y+z&c=&&d=%C5%BC&e=1&e=2").unwrap();
        assert_eq!(parameters.get("a"), Ok(Some("1")));
        assert_eq!(parameters.get("b"), Ok(Some("x y z")));
        assert_eq!(parameters.get("c"), Ok(None));
        assert_eq!(parameters.get("d"), Ok(Some("ż")));
        assert_eq!(parameters.get("e"), Err(invalid("e", "2")));
        assert_eq!(parameters.number("a", 5, 0, 9), Ok(1));
        assert_eq!(parameters.number("z", 5, 0, 9), Ok(5));
        assert_eq!(parameters.number("b", 5, 0, 9), Err(invalid("b", "x y z")));
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "%c5=1"] {
            assert!(Parameters::parse(bad).is_err(), "{bad}");
        }
    }
}
