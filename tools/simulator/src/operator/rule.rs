//! Which submits are refused, and with what.

use std::fmt;
use std::str::FromStr;

use smpp::CommandStatus;

use super::dice::{Question, dice};
use super::verdict::Arrival;

/// Which submits a [`Refusal`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// So many of 1000, spread by the seed.
    PerMille(u16),
    /// Every so many-th.
    Every(u64),
    /// Those whose recipient ends in these digits.
    Suffix(String),
    /// Those that begin with a user data header.
    Header,
    /// Those that carry `sar_*` parameters.
    Sar,
    /// Those whose recipient does not end in these digits.
    Except(String),
    /// Those that come in this part of the run, in milliseconds since the start.
    Between {
        /// From here on.
        from_ms: u64,
        /// Until just before here.
        to_ms: u64,
    },
    /// So many of 1000 of those that come in this part of the run.
    Wave {
        /// From here on.
        from_ms: u64,
        /// Until just before here.
        to_ms: u64,
        /// Their share.
        per_mille: u16,
    },
}

impl When {
    /// Whether it holds of a submit. `salt` keeps two rules of 1 % from hitting the same submits.
    pub(super) fn applies(&self, salt: u64, arrival: &Arrival<'_>) -> bool {
        let Arrival { number, recipient, at_ms, .. } = *arrival;
        let share = |share: &u16| dice(salt, number, Question::Refusal) < *share;
        match self {
            Self::PerMille(per_mille) => share(per_mille),
            Self::Every(count) => *count > 0 && number.is_multiple_of(*count),
            Self::Suffix(digits) => recipient.ends_with(digits.as_bytes()),
            Self::Header => arrival.has_header,
            Self::Sar => arrival.has_sar,
            Self::Except(digits) => !recipient.ends_with(digits.as_bytes()),
            Self::Between { from_ms, to_ms } => (*from_ms..*to_ms).contains(&at_ms),
            Self::Wave { from_ms, to_ms, per_mille } => (*from_ms..*to_ms).contains(&at_ms) && share(per_mille),
        }
    }
}

/// Submits that are refused with a `command_status`.
///
/// Written `every=10:RSYSERR`, `permille=20:0x58`, `suffix=0666:RINVDSTADR`, `except=0666:RINVDSTADR`,
/// `between=5000-10000:RTHROTTLED`, `wave=0-60000@300:RTHROTTLED` `header=yes:RINVESMCLASS` or `sar=yes:RINVESMCLASS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which.
    pub when: When,
    /// With what (SMPP 3.4 §5.1.3).
    pub command_status: u32,
}

impl Refusal {
    /// Whether it is about this submit.
    pub(super) fn applies(&self, seed: u64, arrival: &Arrival<'_>) -> bool {
        self.when.applies(seed ^ u64::from(self.command_status), arrival)
    }
}

/// A rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write every=10:RSYSERR, permille=20:0x58, suffix=0666:RINVDSTADR, except=0666:RINVDSTADR, \
     between=5000-10000:RTHROTTLED, wave=0-60000@300:RTHROTTLED header=yes:RINVESMCLASS or sar=yes:RINVESMCLASS"
)]
pub struct RuleError;

impl FromStr for Refusal {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (when, status) = text.split_once(':').ok_or(RuleError)?;
        let (kind, value) = when.split_once('=').ok_or(RuleError)?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| RuleError);
        let when = match kind {
            "permille" => When::PerMille(value.parse().ok().filter(|&share| share <= 1000).ok_or(RuleError)?),
            "every" => When::Every(number(value).ok().filter(|&count| count > 0).ok_or(RuleError)?),
            "header" if value == "yes" => When::Header,
            "sar" if value == "yes" => When::Sar,
            "suffix" if !value.is_empty() => When::Suffix(value.to_owned()),
            "except" if !value.is_empty() => When::Except(value.to_owned()),
            "wave" => {
                let (span, share) = value.split_once('@').ok_or(RuleError)?;
                let (from, to) = span.split_once('-').ok_or(RuleError)?;
                let per_mille = share.parse().ok().filter(|&share| share <= 1000).ok_or(RuleError)?;
                When::Wave { from_ms: number(from)?, to_ms: number(to)?, per_mille }
            }
            "between" => {
                let (from, to) = value.split_once('-').ok_or(RuleError)?;
                When::Between { from_ms: number(from)?, to_ms: number(to)? }
            }
            _ => return Err(RuleError),
        };
        Ok(Self { when, command_status: command_status(status).ok_or(RuleError)? })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.when {
            When::PerMille(share) => write!(out, "permille={share}")?,
            When::Every(count) => write!(out, "every={count}")?,
            When::Suffix(digits) => write!(out, "suffix={digits}")?,
            When::Header => write!(out, "header=yes")?,
            When::Sar => write!(out, "sar=yes")?,
            When::Except(digits) => write!(out, "except={digits}")?,
            When::Between { from_ms, to_ms } => write!(out, "between={from_ms}-{to_ms}")?,
            When::Wave { from_ms, to_ms, per_mille } => write!(out, "wave={from_ms}-{to_ms}@{per_mille}")?,
        }
        match CommandStatus(self.command_status).name() {
            Some(name) => write!(out, ":{}", name.strip_prefix("ESME_").unwrap_or(name)),
            None => write!(out, ":{:#x}", self.command_status),
        }
    }
}

/// A status by its name, in hexadecimal (`0x58`) or in decimal.
pub(super) fn command_status(text: &str) -> Option<u32> {
    let bare = |name: &'static str| name.strip_prefix("ESME_").unwrap_or(name);
    let wanted = text.strip_prefix("ESME_").unwrap_or(text);
    let named = CommandStatus::ALL.iter().find(|status| status.name().is_some_and(|name| bare(name) == wanted));
    match (named, text.strip_prefix("0x")) {
        (Some(status), _) => Some(status.0),
        (None, Some(digits)) => u32::from_str_radix(digits, 16).ok(),
        (None, None) => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
        for text in [
            "permille=20:RTHROTTLED",
            "every=10:RSYSERR",
            "suffix=0666:RINVDSTADR",
            "header=yes:RINVESMCLASS",
            "sar=yes:RINVESMCLASS",
            "between=5-10:0x455",
            "except=9:RSYSERR",
            "wave=0-9@300:RTHROTTLED",
        ] {
            assert_eq!(text.parse::<Refusal>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "every=0:RSYSERR",
            "every=1",
            "permille=1001:8",
            "between=5:8",
            "suffix=:8",
            "often=3:8",
            "every=2:NO",
            "wave=0-9:8",
            "wave=0-9@1001:8",
            "except=:8",
        ] {
            assert_eq!(text.parse::<Refusal>(), Err(RuleError), "{text}");
        }
    }

    #[test]
    fn each_rule_hits_what_it_says() {
        let hits = |rule: &str, number, recipient: &str, at_ms| {
            let recipient = recipient.as_bytes();
            let (has_header, has_sar) = (at_ms == 99, at_ms == 98);
            let arrival =
                Arrival { number, number_on_session: 1, recipient, has_header, has_sar, at_ms, unanswered: 0 };
            rule.parse::<Refusal>().unwrap().applies(7, &arrival)
        };
        assert!(hits("every=10:8", 20, "1", 0) && !hits("every=10:8", 21, "1", 0));
        assert!(hits("suffix=66:8", 1, "4866", 0) && !hits("suffix=66:8", 1, "6648", 0));
        assert!(hits("except=66:8", 1, "6648", 0) && !hits("except=66:8", 1, "4866", 0));
        let wave = |at_ms| (0..1_000).filter(|&number| hits("wave=5-10@300:8", number, "1", at_ms)).count();
        assert!((200..400).contains(&wave(5)) && wave(10) == 0);
        assert!(hits("header=yes:8", 1, "1", 99) && !hits("header=yes:8", 1, "1", 98));
        assert!(hits("sar=yes:8", 1, "1", 98) && !hits("sar=yes:8", 1, "1", 99));
        assert!(hits("between=5-10:8", 1, "1", 5) && !hits("between=5-10:8", 1, "1", 10));
        let share = (0..10_000).filter(|&number| hits("permille=100:8", number, "1", 0)).count();
        assert!((900..1100).contains(&share), "{share}");
        let both = |number| hits("permille=100:8", number, "1", 0) && hits("permille=100:0x58", number, "1", 0);
        let both = (0..10_000).filter(|&number| both(number)).count();
        assert!(both < 200, "two rules are independent: {both}");
    }
}
