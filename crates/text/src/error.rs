//! What can go wrong between characters and octets.

use std::error::Error;
use std::fmt;

/// A character that the alphabet does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Unencodable {
    /// The character.
    pub character: char,
    /// Where it starts in the text, in bytes of UTF-8.
    pub byte_index: usize,
}

impl fmt::Display for Unencodable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the character U+{:04X} at byte {} is not in this alphabet; remove it or send the text as UCS-2",
            u32::from(self.character),
            self.byte_index
        )
    }
}

impl Error for Unencodable {}

/// Octets that no character stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum DecodeError {
    /// An octet beyond the alphabet: above 0x7F where septets or ASCII are expected.
    OutOfRange {
        /// The octet.
        octet: u8,
        /// Its place, from 0.
        octet_index: usize,
    },
    /// An escape before a code that the extension table leaves empty (3GPP TS 23.038 §6.2.1.1).
    UnknownEscape {
        /// The code after the escape.
        octet: u8,
        /// Place of the escape, from 0.
        octet_index: usize,
    },
    /// An escape as the last septet: its partner was cut off.
    CutEscape {
        /// Place of the escape, from 0.
        octet_index: usize,
    },
    /// UTF-16 with half a unit at the end.
    OddLength {
        /// Length in octets.
        octets: usize,
    },
    /// One half of a surrogate pair without the other.
    LoneSurrogate {
        /// The unit.
        unit: u16,
        /// Place of its first octet, from 0.
        octet_index: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { octet, octet_index } => {
                write!(formatter, "octet 0x{octet:02X} at {octet_index} is outside this 7-bit alphabet")
            }
            Self::UnknownEscape { octet, octet_index } => {
                write!(
                    formatter,
                    "the escape at {octet_index} leads to 0x{octet:02X}, which the extension table leaves empty"
                )
            }
            Self::CutEscape { octet_index } => {
                write!(formatter, "the escape at {octet_index} is the last septet, its partner is missing")
            }
            Self::OddLength { octets } => {
                write!(formatter, "{octets} octets are not a whole number of 16-bit units")
            }
            Self::LoneSurrogate { unit, octet_index } => {
                write!(formatter, "surrogate 0x{unit:04X} at {octet_index} has no partner")
            }
        }
    }
}

impl Error for DecodeError {}

/// A text read from octets that may not all have made sense.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decoded {
    /// The text, with a space or U+FFFD where the octets said nothing.
    pub text: String,
    /// How many places had to be replaced; 0 means the text is exactly what was sent.
    pub replaced: u32,
}

impl Decoded {
    /// Whether every octet was understood.
    pub const fn is_exact(&self) -> bool {
        self.replaced == 0
    }
}

/// Why a text was not cut into parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum TextError {
    /// The text needs more parts than allowed.
    TooManyParts {
        /// Parts the text needs; 65,535 stands for that many or more.
        parts: u16,
        /// Parts allowed: what the caller set, but never more than [`PARTS_LIMIT`](crate::PARTS_LIMIT).
        parts_max: u16,
    },
    /// The encoding was prescribed, and the text has a character that it lacks.
    Unencodable(Unencodable),
}

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyParts { parts, parts_max } => {
                write!(formatter, "the text needs {parts} parts and {parts_max} are allowed; shorten it")
            }
            Self::Unencodable(unencodable) => unencodable.fmt(formatter),
        }
    }
}

impl Error for TextError {}

impl From<Unencodable> for TextError {
    fn from(unencodable: Unencodable) -> Self {
        Self::Unencodable(unencodable)
    }
}
