//! Mobile networks, and which of them a number range was given to.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits::NUMBER_RANGES_MAX;
use crate::phone::Phone;
use crate::prefix::PrefixMap;

/// A mobile network: country code (MCC, three digits) and network code (MNC, two or three digits) of
/// ITU-T E.212, such as 26001.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(u32);

/// The text is no network code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a network: expected MCC and MNC as 5 or 6 digits, such as 26001")]
pub struct InvalidNetwork;

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let well_formed = (5..=6).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        // No MCC in use begins with 0 (001 is for tests), so a code is told apart by its digits alone.
        if !well_formed || text.starts_with('0') {
            return Err(InvalidNetwork);
        }
        text.parse().map(Self).map_err(|_| InvalidNetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// Which networks number ranges were given to. Ported numbers are not in it.
#[derive(Clone, Debug, Default)]
pub struct NumberRanges {
    /// An inner `None`: given to nobody that is listed, although a shorter prefix is.
    ranges: PrefixMap<Option<Network>>,
    names: std::collections::HashMap<Network, Arc<str>>,
    count: usize,
}

/// A line of a table of number ranges that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct InvalidRanges {
    /// From 1.
    pub line: usize,
    /// What is wrong and what is expected.
    pub what: String,
}

/// The table that comes with the program.
const EUROPE: &str = include_str!("numbering/europe.csv");

impl NumberRanges {
    /// The table that comes with the program: mobile ranges of European countries. A test reads it.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default().with(EUROPE).unwrap_or_default()
    }

    /// Reads a table over this one: what it names replaces what was known of exactly those prefixes.
    ///
    /// A line is `network,name,prefixes`, the prefixes separated by spaces; `-` as network means that the
    /// ranges belong to nobody that is listed. Empty lines and lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// [`InvalidRanges`] with the first line that can't be read.
    pub fn with(mut self, table: &str) -> Result<Self, InvalidRanges> {
        for (index, line) in table.lines().enumerate() {
            let wrong = |what: String| InvalidRanges { line: index + 1, what };
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut fields = line.splitn(3, ',').map(str::trim);
            let (Some(code), Some(name), Some(prefixes)) = (fields.next(), fields.next(), fields.next()) else {
                return Err(wrong("expected network,name,prefixes such as 26001,Plus,48601 48603".into()));
            };
            let network = match code {
                "-" => None,
                code => Some(code.parse::<Network>().map_err(|error| wrong(format!("{code}: {error}")))?),
            };
            if let Some(network) = network {
                self.names.insert(network, name.into());
            }
            for prefix in prefixes.split_whitespace() {
                let slot = self.ranges.entry(prefix).filter(|_| !prefix.is_empty());
                let expected = "expected up to 15 digits beginning with the country code";
                *slot.ok_or_else(|| wrong(format!("{prefix} is no prefix: {expected}")))? = network;
                self.count += 1;
                if self.count > NUMBER_RANGES_MAX {
                    return Err(wrong(format!("more than {NUMBER_RANGES_MAX} prefixes")));
                }
            }
        }
        Ok(self)
    }

    /// The network whose range a number lies in, if the table knows it.
    #[must_use]
    pub fn network_of(&self, phone: Phone) -> Option<Network> {
        self.ranges.matches(phone).next().and_then(|(_, network)| *network)
    }

    /// What a network calls itself, if the table says so.
    #[must_use]
    pub fn name_of(&self, network: Network) -> Option<&str> {
        self.names.get(&network).map(|name| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network_of(ranges: &NumberRanges, digits: &str) -> Option<String> {
        ranges.network_of(Phone::parse(digits).expect("a number")).map(|network| network.to_string())
    }

    #[test]
    fn the_built_in_table_can_be_read_and_knows_well_known_ranges() {
        let ranges = NumberRanges::default().with(EUROPE).expect("the table");
        for (number, network) in [
            ("48601234567", "26001"),
            ("48602234567", "26002"),
            ("48501234567", "26003"),
            ("48530234567", "26006"),
            ("4915112345678", "26201"),
            ("447400123456", "23420"),
            ("420602123456", "23002"),
        ] {
            assert_eq!(network_of(&ranges, number).as_deref(), Some(network), "{number}");
        }
        for unknown in ["12025550123", "48221234567", "48780291212"] {
            assert_eq!(network_of(&ranges, unknown), None, "{unknown}");
        }
        assert_eq!(ranges.name_of("26003".parse().expect("a network")), Some("Orange"));
    }

    #[test]
    fn a_range_within_a_range_belongs_to_whom_it_was_given() {
        let ranges =
            NumberRanges::default().with("26003,Orange,4850\n-,others,48509\n26006,Play,485090\n").expect("a table");
        assert_eq!(network_of(&ranges, "48501234567").as_deref(), Some("26003"));
        assert_eq!(network_of(&ranges, "48509934567"), None);
        assert_eq!(network_of(&ranges, "48509034567").as_deref(), Some("26006"));
        let over = ranges.with("26001,Plus,4850").expect("a table");
        assert_eq!(network_of(&over, "48501234567").as_deref(), Some("26001"));
        assert_eq!(network_of(&over, "48509034567").as_deref(), Some("26006"));
    }

    #[test]
    fn a_table_that_can_t_be_read_names_the_line() {
        for (table, line) in
            [("26001,Plus", 1), ("\n2600,Plus,48", 2), ("# fine\n26001,Plus,48 4x", 2), ("00101,Test,99", 1)]
        {
            assert_eq!(NumberRanges::default().with(table).expect_err(table).line, line, "{table}");
        }
    }
}
