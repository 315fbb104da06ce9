//! How senders are shown to an operator (SMPP 3.4 §5.2.5, §5.2.6), and which it carries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::carrier::Carrier;
use crate::sender::{Sender, SenderKind};

/// Type of number and numbering plan of an address, written `5/0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TonNpi {
    /// addr_ton (§5.2.5), 0 to 6.
    pub ton: u8,
    /// addr_npi (§5.2.6), 0 to 18.
    pub npi: u8,
}

/// The text is no type of number and numbering plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected type of number (0 to 6) and numbering plan (0 to 18), such as \"5/0\"")]
pub struct InvalidTonNpi;

impl FromStr for TonNpi {
    type Err = InvalidTonNpi;

    fn from_str(text: &str) -> Result<Self, InvalidTonNpi> {
        let (ton, npi) = text.split_once('/').ok_or(InvalidTonNpi)?;
        let number = |text: &str, most: u8| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| digits && *number <= most).ok_or(InvalidTonNpi)
        };
        Ok(Self { ton: number(ton, 6)?, npi: number(npi, 18)? })
    }
}

impl fmt::Display for TonNpi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.ton, self.npi)
    }
}

impl Serialize for TonNpi {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TonNpi {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Carrier {
    /// Whether it carries the sender, as it is or replaced.
    #[must_use]
    pub fn admits_sender(&self, sender: &Sender) -> bool {
        self.sender_kinds.contains(&sender.kind()) || !self.replacement_sender.is_empty()
    }

    /// What is shown to the operator instead of the sender; `None` when the sender itself is.
    #[must_use]
    pub fn replacement_for(&self, sender: &Sender) -> Option<&str> {
        let replaced = !self.sender_kinds.contains(&sender.kind()) && !self.replacement_sender.is_empty();
        replaced.then_some(self.replacement_sender.as_str())
    }

    /// The source address of a message.
    #[must_use]
    pub fn source<'a>(&'a self, sender: &'a Sender) -> (TonNpi, &'a str) {
        let characters = self.replacement_for(sender).unwrap_or(sender.as_str());
        let address = match SenderKind::of(characters) {
            SenderKind::Alphanumeric => self.alphanumeric_ton_npi,
            SenderKind::ShortCode => self.short_ton_npi,
            SenderKind::International => self.long_ton_npi,
        };
        (address, characters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_sender_has_its_address_and_may_be_replaced_or_refused() {
        let sender = |text| Sender::parse(text).expect("a sender");
        let mut carrier = Carrier::default();
        let source = |carrier: &Carrier, text| {
            let sender = sender(text);
            let (address, characters) = carrier.source(&sender);
            (address.to_string(), characters.to_owned())
        };
        assert_eq!(source(&carrier, "ACME"), ("5/0".into(), "ACME".into()));
        assert_eq!(source(&carrier, "2424"), ("3/0".into(), "2424".into()));
        assert_eq!(source(&carrier, "48500100200"), ("1/1".into(), "48500100200".into()));
        carrier.short_ton_npi = TonNpi { ton: 6, npi: 0 };
        assert_eq!(source(&carrier, "2424").0, "6/0");
        carrier.sender_kinds = vec![SenderKind::ShortCode, SenderKind::International];
        assert!(!carrier.admits_sender(&sender("ACME")) && carrier.admits_sender(&sender("2424")));
        carrier.replacement_sender = "48500100200".into();
        assert!(carrier.admits_sender(&sender("ACME")));
        assert_eq!(source(&carrier, "ACME"), ("1/1".into(), "48500100200".into()));
        assert_eq!(source(&carrier, "2424").1, "2424");
    }

    #[test]
    fn addresses_are_written_and_read() {
        assert_eq!("5/0".parse(), Ok(TonNpi { ton: 5, npi: 0 }));
        for wrong in ["", "5", "7/0", "1/19", "+1/1", "1/1/1", "a/b", "256/0"] {
            assert_eq!(wrong.parse::<TonNpi>(), Err(InvalidTonNpi), "{wrong}");
        }
    }
}
