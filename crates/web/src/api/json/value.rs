//! The value of a known field, before its type is checked.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::skipped::Skipped;

/// Room reserved for an array before it is seen how long it is.
const TEXTS_RESERVED: usize = 16;

/// A JSON value as far as the contract needs to tell them apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// An array of texts.
    Texts(Vec<String>),
    /// Something no field of the contract takes.
    Other {
        /// Index of the element at fault, in an array.
        index: Option<usize>,
        /// What was passed, for `meta.value`.
        shown: String,
    },
}

impl Value {
    fn other(shown: impl Into<String>) -> Self {
        Self::Other { index: None, shown: shown.into() }
    }

    /// What was passed, for `meta.value`.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Absent => "null".into(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Text(value) => value,
            Self::Texts(_) => "[…]".into(),
            Self::Other { shown, .. } => shown,
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::other(value.to_string()), Value::Integer))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::other(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        refuse_nul(value)?;
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut texts = Vec::with_capacity(TEXTS_RESERVED);
        while let Some(element) = elements.next_element::<Value>()? {
            match element {
                Value::Text(text) => texts.push(text),
                wrong => {
                    while elements.next_element::<Skipped>()?.is_some() {}
                    return Ok(Value::Other { index: Some(texts.len()), shown: wrong.shown() });
                }
            }
        }
        Ok(Value::Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Value, A::Error> {
        Skipped::members(members)?;
        Ok(Value::other("{…}"))
    }
}

/// No text of the contract holds a NUL character, and software behind us may end a text there.
pub(super) fn refuse_nul<E: Error>(text: &str) -> Result<(), E> {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(E::custom("NUL character"));
    }
    Ok(())
}
