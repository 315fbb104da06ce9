//! A file of ported numbers in memory.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::SystemTime;

use domain::network::{InvalidNetwork, Network};
use domain::phone::Phone;

use super::bounds::{FILE_LINE_OCTETS_MAX, FILE_NUMBERS_MAX};

/// What tells one state of a file from the next; `None` when it is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(Option<(SystemTime, u64)>);

impl Mark {
    /// What the file is like now. Blocking.
    pub(super) fn of(file: &Path) -> Self {
        let look = || {
            let file = std::fs::metadata(file).ok()?;
            Some((file.modified().ok()?, file.len()))
        };
        Self(look())
    }

    /// Whether there is a file.
    pub(super) fn is_there(self) -> bool {
        self.0.is_some()
    }
}

/// Numbers in their order, each with its network: 12 octets for a number, however many there are.
#[derive(Debug, Default)]
pub(super) struct Table {
    phones: Box<[Phone]>,
    networks: Box<[Network]>,
}

impl Table {
    /// Reads a file of lines `number,network`; empty lines and those that begin with `#` are passed over, and of
    /// two lines for one number the later counts. Blocking.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let opened = std::fs::File::open(file).map_err(|error| format!("can't be read: {error}"))?;
        Self::parse(BufReader::new(opened))
    }

    fn parse(mut reader: impl BufRead) -> Result<Self, String> {
        let mut entries: Vec<(Phone, Network)> = Vec::new();
        let mut line = Vec::new();
        for number in 1_usize.. {
            let wrong = |what: String| format!("line {number}: {what}");
            line.clear();
            let mut bounded = (&mut reader).take(FILE_LINE_OCTETS_MAX);
            bounded.read_until(b'\n', &mut line).map_err(|error| wrong(error.to_string()))?;
            if line.is_empty() {
                break;
            }
            if line.len() as u64 == FILE_LINE_OCTETS_MAX {
                return Err(wrong(format!("longer than {FILE_LINE_OCTETS_MAX} octets")));
            }
            let text = std::str::from_utf8(&line).map_err(|_| wrong("not UTF-8".into()))?.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if entries.len() == FILE_NUMBERS_MAX {
                return Err(wrong(format!("more than {FILE_NUMBERS_MAX} numbers")));
            }
            entries.push(entry(text).map_err(wrong)?);
        }
        // Stable, so that the later of two lines stays the later.
        entries.sort_by_key(|(phone, _)| *phone);
        entries.reverse();
        entries.dedup_by_key(|(phone, _)| *phone);
        entries.reverse();
        let (phones, networks): (Vec<Phone>, Vec<Network>) = entries.into_iter().unzip();
        Ok(Self { phones: phones.into(), networks: networks.into() })
    }

    /// The network that the file gives a number to.
    pub(super) fn get(&self, phone: Phone) -> Option<Network> {
        self.phones.binary_search(&phone).ok().and_then(|place| self.networks.get(place)).copied()
    }

    /// How many numbers it holds.
    pub(super) fn len(&self) -> usize {
        self.phones.len()
    }
}

fn entry(line: &str) -> Result<(Phone, Network), String> {
    let expected = "expected number,network such as 48500100200,26006";
    let (number, network) = line.split_once(',').ok_or(expected)?;
    let phone = Phone::parse(number.trim()).map_err(|error| format!("{expected}: {error}"))?;
    let network = network.trim().parse().map_err(|error: InvalidNetwork| format!("{expected}: {error}"))?;
    Ok((phone, network))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_ported_numbers_and_the_later_line_counts() {
        let text = "# ported\r\n48500100202,26006\n\n+48500100201, 26001\n48500100202,26002\n48500100200,310260";
        let table = Table::parse(text.as_bytes()).expect("a table");
        let get = |digits: &str| table.get(Phone::parse(digits).expect("a number")).map(|network| network.to_string());
        assert_eq!(get("48500100200").as_deref(), Some("310260"));
        assert_eq!(get("48500100201").as_deref(), Some("26001"));
        assert_eq!(get("48500100202").as_deref(), Some("26002"));
        assert_eq!((get("48500100203"), table.len()), (None, 3));
    }

    #[test]
    fn mistakes_name_their_line() {
        let long = format!("#{}\n", "x".repeat(300));
        for (text, line) in
            [("1,26001", 1), ("48500100200", 1), ("#\n48500100200,2600", 2), ("48500100200,26001,x", 1), (&long, 1)]
        {
            let error = Table::parse(text.as_bytes()).expect_err(text);
            assert!(error.starts_with(&format!("line {line}: ")), "{error}");
        }
        assert!(Table::parse(&b"48500100200,2600\xFF"[..]).expect_err("UTF-8").contains("UTF-8"));
        assert!(Table::read(Path::new("/nonexistent")).expect_err("no file").contains("can't be read"));
    }
}
