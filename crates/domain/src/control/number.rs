//! Numbers that people can write to.

use serde::{Deserialize, Serialize};

use crate::choice::choice;
use crate::id::CarrierId;

/// Whether a number is a long number or a short code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberKind {
    /// A number like any phone's.
    #[default]
    Long,
    /// A short code.
    Short,
}

choice!(NumberKind { Long = "long", Short = "short" });

/// A number that people can write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// The digits.
    pub number: String,
    /// The carrier it is connected to.
    pub carrier: CarrierId,
    /// What it is.
    pub settings: NumberSettings,
}

/// What a number is, under the names of the setup file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberSettings {
    /// Long number or short code.
    pub kind: NumberKind,
    /// Words by which the account shares the number with others; empty = whatever no keyword of others claims.
    pub keywords: Vec<String>,
    /// Name of the bot that answers; empty = none.
    pub bot: String,
}
