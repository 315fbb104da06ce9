//! Sender ids: what the recipient sees as the origin.

use std::fmt;
use std::sync::Arc;

/// A sender id: up to 11 letters, digits, spaces and `.-_&`, or up to 14 digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sender(Arc<str>);

/// Why a text is no sender id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a sender id: expected up to 11 letters, digits, spaces or .-_& characters, or up to 14 digits")]
pub struct InvalidSender;

const ALPHANUMERIC_LENGTH_MAX: usize = 11;
const NUMERIC_LENGTH_MAX: usize = 14;
const SHORT_CODE_LENGTH_MAX: usize = 6;

/// How the sender is addressed towards the operator (SMPP 3.4 §5.2.5, §5.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderKind {
    /// Letters: type of number 5, numbering plan 0.
    Alphanumeric,
    /// Three to six digits: type of number 3, numbering plan 0.
    ShortCode,
    /// A long number: type of number 1, numbering plan 1.
    International,
}

impl Sender {
    /// Checks the characters and the length.
    ///
    /// # Errors
    /// [`InvalidSender`] when the text is empty, too long or holds other characters.
    pub fn parse(text: &str) -> Result<Self, InvalidSender> {
        let bytes = text.as_bytes();
        let numeric = !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit);
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b" .-_&".contains(byte);
        let length_max = if numeric { NUMERIC_LENGTH_MAX } else { ALPHANUMERIC_LENGTH_MAX };
        let blank = text.trim().is_empty();
        if blank || bytes.len() > length_max || !bytes.iter().all(allowed) {
            return Err(InvalidSender);
        }
        Ok(Self(text.into()))
    }

    /// The characters as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How it is addressed towards the operator.
    #[must_use]
    pub fn kind(&self) -> SenderKind {
        SenderKind::of(&self.0)
    }
}

impl SenderKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Alphanumeric, Self::ShortCode, Self::International];

    /// The kind of a sender's characters.
    #[must_use]
    pub fn of(characters: &str) -> Self {
        if !characters.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::Alphanumeric
        } else if characters.len() <= SHORT_CODE_LENGTH_MAX {
            Self::ShortCode
        } else {
            Self::International
        }
    }
}

crate::choice::choice!(SenderKind { Alphanumeric = "alphanumeric", ShortCode = "short", International = "long" });

impl fmt::Display for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_the_contract_allows() {
        for good in ["ACME", "A&B Shop.1", "2424", "48500100200", "12345678901234", "a-b_c"] {
            assert!(Sender::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "   ", "ACME Company Ltd", "123456789012345", "Żabka", "a+b", "x\n"] {
            assert_eq!(Sender::parse(bad), Err(InvalidSender), "{bad}");
        }
    }

    #[test]
    fn kinds_follow_the_characters() {
        let kind = |text: &str| Sender::parse(text).map(|sender| sender.kind());
        assert_eq!(kind("ACME"), Ok(SenderKind::Alphanumeric));
        assert_eq!(kind("2424"), Ok(SenderKind::ShortCode));
        assert_eq!(kind("48500100200"), Ok(SenderKind::International));
    }
}
