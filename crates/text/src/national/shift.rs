//! Reading and writing with national tables.

use super::language::Language;
use super::table;
use crate::error::{DecodeError, Decoded, Unencodable};
use crate::gsm7_table::{Code, DEFAULT, ESCAPE, code_of, extension};
use crate::udh::Header;

/// Information element of a single shift table (3GPP TS 23.040 §9.2.3.24.15).
pub const SINGLE_SHIFT: u8 = 0x24;
/// Information element of a locking shift table (3GPP TS 23.040 §9.2.3.24.16).
pub const LOCKING_SHIFT: u8 = 0x25;

/// Octets that one table takes in the header.
const ELEMENT_OCTETS: usize = 3;

/// Which tables hold for a text; without any it is the default alphabet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Shift {
    /// Whose locking shift table stands for the default alphabet.
    pub locking: Option<Language>,
    /// Whose single shift table stands for the extension.
    pub single: Option<Language>,
}

impl Shift {
    /// The tables that a header names; unknown ones are left out, and the last one of a kind counts.
    pub fn of_header(header: &Header<'_>) -> Self {
        let mut shift = Self::default();
        for element in header.elements() {
            let language = element.data.first().copied().and_then(Language::from_code);
            match (element.identifier, element.data.len()) {
                (SINGLE_SHIFT, 1) => shift.single = language,
                (LOCKING_SHIFT, 1) => shift.locking = language.filter(|language| language.has_locking()),
                _ => {}
            }
        }
        shift
    }

    /// The ways in which a language's tables can be used: the extension alone, the alphabet alone, both.
    pub fn of_language(language: Language) -> impl Iterator<Item = Self> {
        let single = Some(Self { locking: None, single: Some(language) });
        let locking = language.has_locking().then_some(Self { locking: Some(language), single: None });
        let both = language.has_locking().then_some(Self { locking: Some(language), single: Some(language) });
        [single, locking, both].into_iter().flatten()
    }

    /// Octets that naming the tables takes in the header, its length octet not counted.
    pub const fn header_octets(self) -> usize {
        (self.locking.is_some() as usize + self.single.is_some() as usize) * ELEMENT_OCTETS
    }

    /// The elements of the header, each with identifier, length and data.
    pub fn to_elements(self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.header_octets());
        for (identifier, language) in [(SINGLE_SHIFT, self.single), (LOCKING_SHIFT, self.locking)] {
            if let Some(language) = language {
                octets.extend_from_slice(&[identifier, 1, language.code()]);
            }
        }
        octets
    }

    fn code_of(self, character: char) -> Option<Code> {
        let plain = match self.locking.and_then(table::locking) {
            Some(table) => {
                let place = table.iter().position(|&point| u32::from(point) == u32::from(character) && point != 0);
                place.filter(|&place| place != usize::from(ESCAPE)).and_then(|place| u8::try_from(place).ok())
            }
            None => match code_of(character) {
                Some(Code::Plain(code)) => Some(code),
                _ => None,
            },
        };
        if let Some(code) = plain {
            return Some(Code::Plain(code));
        }
        match self.single {
            Some(language) => {
                let found = table::single(language).iter().find(|(_, point)| u32::from(*point) == u32::from(character));
                found.map(|(code, _)| Code::Escaped(*code))
            }
            None => code_of(character).filter(|code| matches!(code, Code::Escaped(_))),
        }
    }

    /// Septets this character takes: 1, 2 behind an escape, `None` where the tables lack it.
    pub fn units(self, character: char) -> Option<u32> {
        self.code_of(character).map(|code| match code {
            Code::Plain(_) => 1,
            Code::Escaped(_) => 2,
        })
    }

    /// Septets of a text.
    ///
    /// # Errors
    /// The first character that the tables lack.
    pub fn text_units(self, text: &str) -> Result<usize, Unencodable> {
        text.char_indices().try_fold(0, |units, (byte_index, character)| {
            let more = self.units(character).ok_or(Unencodable { character, byte_index })?;
            Ok(units + more as usize)
        })
    }

    /// Writes a text, one septet per octet.
    ///
    /// # Errors
    /// The first character that the tables lack. Nothing is replaced.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, Unencodable> {
        let mut septets = Vec::with_capacity(text.len());
        for (byte_index, character) in text.char_indices() {
            match self.code_of(character) {
                Some(Code::Plain(code)) => septets.push(code),
                Some(Code::Escaped(code)) => septets.extend_from_slice(&[ESCAPE, code]),
                None => return Err(Unencodable { character, byte_index }),
            }
        }
        Ok(septets)
    }

    /// Reads septets, one per octet, exactly.
    ///
    /// # Errors
    /// [`DecodeError::OutOfRange`] also for a code that the tables do not use, [`DecodeError::UnknownEscape`] or
    /// [`DecodeError::CutEscape`], whichever comes first.
    pub fn decode(self, septets: &[u8]) -> Result<String, DecodeError> {
        let mut text = String::with_capacity(septets.len());
        let mut next = 0;
        while let Some(step) = self.step(septets, &mut next) {
            text.push(step?);
        }
        Ok(text)
    }

    /// Reads septets, one per octet, whatever they are, and counts the places that had to be replaced. What stands behind
    /// an unknown escape is read from the alphabet, as a handset does (3GPP TS 23.038 §6.2.1.1).
    pub fn decode_lossy(self, septets: &[u8]) -> Decoded {
        let mut decoded = Decoded { text: String::with_capacity(septets.len()), replaced: 0 };
        let mut next = 0;
        while let Some(step) = self.step(septets, &mut next) {
            let character = step.unwrap_or_else(|error| {
                decoded.replaced = decoded.replaced.saturating_add(1);
                match error {
                    DecodeError::UnknownEscape { octet: ESCAPE, .. } | DecodeError::CutEscape { .. } => ' ',
                    DecodeError::UnknownEscape { octet, .. } => self.plain(octet).unwrap_or(' '),
                    _ => char::REPLACEMENT_CHARACTER,
                }
            });
            decoded.text.push(character);
        }
        decoded
    }

    fn step(self, septets: &[u8], next: &mut usize) -> Option<Result<char, DecodeError>> {
        let octet_index = *next;
        let octet = *septets.get(octet_index)?;
        *next += 1;
        if octet != ESCAPE {
            return Some(self.plain(octet).ok_or(DecodeError::OutOfRange { octet, octet_index }));
        }
        let Some(&octet) = septets.get(*next) else {
            return Some(Err(DecodeError::CutEscape { octet_index }));
        };
        *next += 1;
        let found = match self.single {
            Some(language) => {
                let found = table::single(language).iter().find(|(code, _)| *code == octet);
                found.and_then(|(_, point)| char::from_u32(u32::from(*point)))
            }
            None => extension(octet),
        };
        Some(found.ok_or(DecodeError::UnknownEscape { octet, octet_index }))
    }

    fn plain(self, octet: u8) -> Option<char> {
        let place = usize::from(octet);
        match self.locking.and_then(table::locking) {
            Some(table) => {
                table.get(place).filter(|&&point| point != 0).and_then(|&point| char::from_u32(point.into()))
            }
            None => DEFAULT.get(place).copied(),
        }
    }
}
