//! What delivery receipts say, in the words operators use.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::choice::{Choice as _, choice};
use crate::clock::UnixMillis;

/// The state a receipt reports for one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReceiptState {
    /// On its way, nothing decided.
    Enroute,
    /// The operator has it and will try (ACCEPTD, ACKED, BUFFRED).
    Accepted,
    /// The operator does not know, or used a word we do not know. Never means failed.
    Unknown,
    /// The validity ran out at the operator.
    Expired,
    /// Deleted at the operator.
    Deleted,
    /// Not deliverable.
    Undelivered,
    /// Refused by the operator or the network.
    Rejected,
    /// On the handset.
    Delivered,
}

choice!(ReceiptState {
    Enroute = "enroute",
    Accepted = "accepted",
    Unknown = "unknown",
    Expired = "expired",
    Deleted = "deleted",
    Undelivered = "undelivered",
    Rejected = "rejected",
    Delivered = "delivered",
});

/// The words of the `stat` field with what they mean: SMPP 3.4 appendix B, and what operators write instead.
const WORDS: [(&str, ReceiptState); 32] = [
    ("DELIVRD", ReceiptState::Delivered),
    ("DELIVERED", ReceiptState::Delivered),
    ("DELIVERD", ReceiptState::Delivered),
    ("DELIVERED_TO_HANDSET", ReceiptState::Delivered),
    ("UNDELIV", ReceiptState::Undelivered),
    ("UNDELIVRD", ReceiptState::Undelivered),
    ("UNDELIVERD", ReceiptState::Undelivered),
    ("UNDELIVERABLE", ReceiptState::Undelivered),
    ("UNDELIVERED", ReceiptState::Undelivered),
    ("FAILED", ReceiptState::Undelivered),
    ("FAIL", ReceiptState::Undelivered),
    ("EXPIRED", ReceiptState::Expired),
    ("EXPIRD", ReceiptState::Expired),
    ("DELETED", ReceiptState::Deleted),
    ("SKIPPED", ReceiptState::Deleted),
    ("CANCELED", ReceiptState::Deleted),
    ("CANCELLED", ReceiptState::Deleted),
    ("REJECTD", ReceiptState::Rejected),
    ("REJECTED", ReceiptState::Rejected),
    ("REJECT", ReceiptState::Rejected),
    ("ACCEPTD", ReceiptState::Accepted),
    ("ACCEPTED", ReceiptState::Accepted),
    ("ACKED", ReceiptState::Accepted),
    ("BUFFRED", ReceiptState::Accepted),
    ("BUFFERD", ReceiptState::Accepted),
    ("BUFFERED", ReceiptState::Accepted),
    ("QUEUED", ReceiptState::Accepted),
    ("ENROUTE", ReceiptState::Enroute),
    ("SCHEDULED", ReceiptState::Enroute),
    ("PENDING", ReceiptState::Enroute),
    ("SENT", ReceiptState::Enroute),
    ("UNKNOWN", ReceiptState::Unknown),
];

impl ReceiptState {
    /// Reads the `stat` word in any case. Words nobody knows are [`ReceiptState::Unknown`].
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        let word = word.trim();
        let known = WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map_or(Self::Unknown, |(_, state)| *state)
    }

    /// Reads the `message_state` TLV (SMPP 3.4 §5.2.28; 0 and 9 from 5.0 §4.7.15).
    #[must_use]
    pub fn from_message_state(state: u8) -> Self {
        match state {
            0 | 1 => Self::Enroute,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 | 9 => Self::Deleted,
            5 => Self::Undelivered,
            6 => Self::Accepted,
            8 => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// The more decided of two readings of the same receipt (text and TLV may disagree).
    #[must_use]
    pub fn more_final(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Enroute => 0,
            Self::Accepted => 1,
            Self::Unknown => 2,
            Self::Expired | Self::Deleted | Self::Undelivered | Self::Rejected => 3,
            Self::Delivered => 4,
        }
    }
}

/// Words of a carrier's own for the `stat` field; they come before the usual ones. Written `WORD=state` in the
/// setup file, the state being one of [`ReceiptState`]'s names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptWords(Vec<(Box<str>, ReceiptState)>);

impl ReceiptWords {
    /// Adds what one entry of the setup file says; false when it can't be read, or names a word again.
    #[must_use]
    pub fn add(&mut self, entry: &str) -> bool {
        let Some((word, state)) = entry.split_once('=') else { return false };
        let (word, state) = (word.trim(), ReceiptState::by_name(state.trim()));
        let fits = (1..=WORD_LENGTH_MAX).contains(&word.len()) && word.bytes().all(|octet| octet.is_ascii_graphic());
        let is_new = !self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(word));
        match state {
            Some(state) if fits && is_new => {
                self.0.push((word.into(), state));
                true
            }
            _ => false,
        }
    }

    /// What the word means at this carrier.
    #[must_use]
    pub fn state(&self, word: &str) -> ReceiptState {
        let own = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(word.trim()));
        own.map_or_else(|| ReceiptState::from_word(word), |(_, state)| *state)
    }
}

/// Longest word of a carrier's own.
const WORD_LENGTH_MAX: usize = 32;

impl Serialize for ReceiptWords {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|(word, state)| format!("{word}={}", state.name())))
    }
}

impl<'de> Deserialize<'de> for ReceiptWords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut words = Self::default();
        for entry in Vec::<String>::deserialize(deserializer)? {
            if !words.add(&entry) {
                return Err(serde::de::Error::custom(format!("{entry:?} is no WORD=state")));
            }
        }
        Ok(words)
    }
}

/// For which parts of a long message a carrier sends receipts. They are asked for on every part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongReceipts {
    /// For every part.
    #[default]
    EveryPart,
    /// For the first one only.
    FirstPart,
    /// For the last one only.
    LastPart,
}

choice!(LongReceipts { EveryPart = "every-part", FirstPart = "first-part", LastPart = "last-part" });

/// The clock of a carrier: receipts name moments without saying where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptZone {
    name: Box<str>,
    zone: TimeZone,
}

impl ReceiptZone {
    /// Reads `UTC`, an offset such as `+02:00`, or a name of the IANA time zone database such as `Europe/Warsaw`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let zone = match offset(name) {
            Some(offset) => TimeZone::fixed(offset),
            None if name == "UTC" => TimeZone::UTC,
            None if name.contains('/') => TimeZone::get(name).ok()?,
            None => return None,
        };
        Some(Self { name: name.into(), zone })
    }

    /// The moment that digits of a receipt name (SMPP 3.4 appendix B and §7.1.1): `YYMMDDhhmm`, with seconds, with
    /// the century, or in the 16 characters of SMPP, which bring their own offset. `None` for anything else.
    #[must_use]
    pub fn moment(&self, digits: &[u8]) -> Option<UnixMillis> {
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.is_ascii())?;
        let in_zone = |zone: &TimeZone, digits: &str, century: &str| {
            let date_time = civil(&format!("{century}{digits}"))?;
            let zoned = zone.to_zoned(date_time).ok()?;
            Some(UnixMillis(zoned.timestamp().as_millisecond()))
        };
        match digits.len() {
            10 => in_zone(&self.zone, digits, "20"),
            // Seconds or a century: what is no date one way may be one the other way.
            12 => in_zone(&self.zone, digits, "20").or_else(|| in_zone(&self.zone, digits, "")),
            14 => in_zone(&self.zone, digits, ""),
            16 => {
                let quarters: i32 = digits[13..15].parse().ok()?;
                let sign = match &digits[15..] {
                    "+" => 1,
                    "-" => -1,
                    _ => return None,
                };
                let offset = Offset::from_seconds(sign * quarters * 900).ok()?;
                in_zone(&TimeZone::fixed(offset), &digits[..12], "20")
            }
            _ => None,
        }
    }
}

impl Default for ReceiptZone {
    fn default() -> Self {
        Self { name: "UTC".into(), zone: TimeZone::UTC }
    }
}

impl fmt::Display for ReceiptZone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

impl Serialize for ReceiptZone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for ReceiptZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| serde::de::Error::custom(format!("{name:?} is no time zone")))
    }
}

/// `+hh:mm` or `-hh:mm`.
fn offset(text: &str) -> Option<Offset> {
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) =
        text[1..].split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let number = |digits: &str| digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse::<i32>().ok());
    let (hours, minutes) = (number(hours)??, number(minutes)??);
    (hours <= 14 && minutes < 60).then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

/// `YYYYMMDDhhmm` with or without seconds.
fn civil(digits: &str) -> Option<DateTime> {
    let number = |from: usize, to: usize| {
        let digits = digits.get(from..to)?;
        digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse::<i16>().ok())?
    };
    let small = |from: usize| number(from, from + 2).and_then(|number| i8::try_from(number).ok());
    let second = if digits.len() > 12 { small(12)? } else { 0 };
    let year = number(0, 4).filter(|year| *year >= 2000)?;
    DateTime::new(year, small(4)?, small(6)?, small(8)?, small(10)?, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_case_and_unknown_ones_never_fail() {
        assert_eq!(ReceiptState::from_word(" delivrd "), ReceiptState::Delivered);
        assert_eq!(ReceiptState::from_word("UNDELIV"), ReceiptState::Undelivered);
        for word in ["", "0", "BADSTAT", "KAPUTT", "UNKNOWN"] {
            assert_eq!(ReceiptState::from_word(word), ReceiptState::Unknown, "{word}");
        }
    }

    #[test]
    fn the_more_final_reading_wins() {
        assert_eq!(ReceiptState::Accepted.more_final(ReceiptState::Delivered), ReceiptState::Delivered);
        assert_eq!(ReceiptState::Delivered.more_final(ReceiptState::Unknown), ReceiptState::Delivered);
    }

    #[test]
    fn a_carrier_may_have_words_of_its_own() {
        let mut words = ReceiptWords::default();
        assert!(words.add("KAPUTT=undelivered") && words.add(" 0 = delivered ") && words.add("DELIVRD=accepted"));
        for bad in ["", "KAPUTT", "KAPUTT=broken", "kaputt=rejected", "=delivered", "two words=delivered"] {
            assert!(!words.add(bad), "{bad}");
        }
        assert_eq!(words.state("kaputt"), ReceiptState::Undelivered);
        assert_eq!((words.state("0"), words.state("DELIVRD")), (ReceiptState::Delivered, ReceiptState::Accepted));
        assert_eq!((words.state("EXPIRED"), words.state("new")), (ReceiptState::Expired, ReceiptState::Unknown));
    }

    #[test]
    fn moments_are_read_in_the_zone_of_the_carrier() {
        let at = |zone: &str, digits: &str| {
            let moment = ReceiptZone::parse(zone).expect("a zone").moment(digits.as_bytes());
            moment.map(crate::timestamp::format_utc)
        };
        let spoken = |text: &str| Some(text.to_owned());
        assert_eq!(at("UTC", "2611220340"), spoken("2026-11-22 03:40:00"));
        assert_eq!(at("UTC", "261122034055"), spoken("2026-11-22 03:40:55"));
        assert_eq!(at("UTC", "202611220340"), spoken("2026-11-22 03:40:00"));
        assert_eq!(at("+02:00", "20261122034055"), spoken("2026-11-22 01:40:55"));
        assert_eq!(at("-05:30", "2611220340"), spoken("2026-11-22 09:10:00"));
        assert_eq!(at("UTC", "261122034055008+"), spoken("2026-11-22 01:40:55"), "two hours ahead");
        assert_eq!(at("Europe/Warsaw", "2607010000"), spoken("2026-06-30 22:00:00"), "summer");
        assert_eq!(at("Europe/Warsaw", "2612010000"), spoken("2026-11-30 23:00:00"), "winter");
        for bad in ["", "0000000000", "26112203", "2613220340", "2611220340x", "26112203405", "zz11220340", "ż"] {
            assert_eq!(at("UTC", bad), None, "{bad}");
        }
        for bad in ["", "Mars/Olympus", "+2", "+25:00", "Z", "utc"] {
            assert_eq!(ReceiptZone::parse(bad), None, "{bad}");
        }
    }
}
