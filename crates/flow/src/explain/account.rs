//! The account that is given of a message.

use std::sync::Arc;

use domain::control::Control;
use store::question::{MessageRecord, Step};
use text::Encoding;

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
