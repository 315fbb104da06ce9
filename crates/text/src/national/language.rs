//! The languages that have tables.

use super::table;

/// A language with national tables, numbered as on the air (3GPP TS 23.038 §6.2.1.2.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Turkish.
    Turkish = 1,
    /// Spanish, which has no locking shift table.
    Spanish = 2,
    /// Portuguese.
    Portuguese = 3,
    /// Bengali, also for Assamese.
    Bengali = 4,
    /// Gujarati.
    Gujarati = 5,
    /// Hindi.
    Hindi = 6,
    /// Kannada.
    Kannada = 7,
    /// Malayalam.
    Malayalam = 8,
    /// Oriya.
    Oriya = 9,
    /// Punjabi.
    Punjabi = 10,
    /// Tamil.
    Tamil = 11,
    /// Telugu.
    Telugu = 12,
    /// Urdu.
    Urdu = 13,
}

impl Language {
    /// All of them with their English names in lower case.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Turkish, "turkish"),
        (Self::Spanish, "spanish"),
        (Self::Portuguese, "portuguese"),
        (Self::Bengali, "bengali"),
        (Self::Gujarati, "gujarati"),
        (Self::Hindi, "hindi"),
        (Self::Kannada, "kannada"),
        (Self::Malayalam, "malayalam"),
        (Self::Oriya, "oriya"),
        (Self::Punjabi, "punjabi"),
        (Self::Tamil, "tamil"),
        (Self::Telugu, "telugu"),
        (Self::Urdu, "urdu"),
    ];

    /// Its number in a user data header.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The language of a number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().map(|(language, _)| *language).find(|language| language.code() == code)
    }

    /// The language of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(language, _)| *language)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(language, _)| *language == self).map_or("", |(_, name)| name)
    }

    /// Whether it has a locking shift table.
    pub const fn has_locking(self) -> bool {
        table::locking(self).is_some()
    }
}
