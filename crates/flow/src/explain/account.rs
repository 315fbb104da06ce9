//! The account that is given of a message.

use std::sync::Arc;

use domain::control::Control;
use store::question::{MessageRecord, Step};
use text::{Encoding, ReferenceWidth};

use crate::route::Explanation;

/// How a text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writing {
    /// The encoding.
    pub encoding: Encoding,
    /// Units it takes.
    pub units: u32,
    /// Parts it takes.
    pub parts: u8,
    /// Characters that force UCS-2, each once, in their order.
    pub forcing_characters: Vec<char>,
}

impl Writing {
    /// How a text is written that travels in `encoding`; `None` = the one it gets by itself.
    #[must_use]
    pub fn of(message: &str, encoding: Option<Encoding>) -> Self {
        let usual = || text::measure(message, ReferenceWidth::Bits8);
        let asked = encoding.and_then(|encoding| text::measure_as(message, encoding, ReferenceWidth::Bits8).ok());
        let measure = asked.unwrap_or_else(usual);
        let mut forcing_characters = Vec::new();
        for forcing in text::forcing_characters(message) {
            if !forcing_characters.contains(&forcing.character) {
                forcing_characters.push(forcing.character);
            }
        }
        Self {
            encoding: measure.encoding,
            units: measure.units,
            parts: u8::try_from(measure.parts).unwrap_or(u8::MAX),
            forcing_characters,
        }
    }
}

/// How far an explanation of the way can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The control data is the one the message was accepted with; only the carriers' health may have been
    /// another.
    SameControl,
    /// The control data has changed since: this is how the way would be chosen now.
    OtherControl,
}

impl Basis {
    /// A stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SameControl => "same_control",
            Self::OtherControl => "other_control",
        }
    }
}

/// Everything that is known of a message.
#[derive(Clone, Debug)]
pub struct Account {
    /// The message as it is stored.
    pub record: MessageRecord,
    /// What happened to it, oldest first.
    pub history: Vec<Step>,
    /// How its text is written.
    pub writing: Writing,
    /// The control data that names are taken from.
    pub control: Arc<Control>,
    /// How its way is chosen.
    pub route: Explanation,
    /// How far that can be trusted.
    pub basis: Basis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_explained_in_the_encoding_it_travels_in() {
        let usual = Writing::of("Zażółć", None);
        assert_eq!((usual.encoding, usual.forcing_characters), (Encoding::Ucs2, vec!['ż', 'ó', 'ł', 'ć']));
        // Written as UCS-2 by choice or for a carrier whose alphabet lacks a letter: nothing in the text forces it.
        let chosen = Writing::of(&"a".repeat(100), Some(Encoding::Ucs2));
        assert_eq!((chosen.encoding, chosen.parts, chosen.units), (Encoding::Ucs2, 2, 100));
        assert!(chosen.forcing_characters.is_empty());
    }
}
