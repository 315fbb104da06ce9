//! A value that is checked and thrown away.

use std::collections::HashSet;
use std::fmt;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::value::refuse_nul;

/// Keys of one object, to find those that stand twice. Only hashes are kept, so that a body of a
/// million keys takes little memory; two keys that differ collide once in 10^19 pairs.
#[derive(Default)]
pub(super) struct Keys {
    hasher: RandomState,
    seen: HashSet<u64>,
}

impl Keys {
    /// Notes a key.
    ///
    /// # Errors
    /// When it stood there before.
    pub(super) fn note<E: Error>(&mut self, key: &str) -> Result<(), E> {
        if self.seen.insert(self.hasher.hash_one(key)) { Ok(()) } else { Err(E::custom("key stands twice")) }
    }
}

/// Unlike serde's `IgnoredAny`, reads texts and numbers for real and counts the depth.
pub(super) struct Skipped;

impl Skipped {
    pub(super) fn members<'de, A: MapAccess<'de>>(mut members: A) -> Result<(), A::Error> {
        let mut keys = Keys::default();
        while let Some(key) = members.next_key::<Key>()? {
            keys.note(&key.0)?;
            members.next_value::<Skipped>()?;
        }
        Ok(())
    }
}

/// A key of an object that is not looked into.
#[derive(Deserialize)]
#[serde(transparent)]
struct Key(String);

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SkippedVisitor)
    }
}

struct SkippedVisitor;

impl<'de> Visitor<'de> for SkippedVisitor {
    type Value = Skipped;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Skipped, E> {
        refuse_nul(text)?;
        Ok(Skipped)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Skipped, A::Error> {
        while elements.next_element::<Skipped>()?.is_some() {}
        Ok(Skipped)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Skipped, A::Error> {
        Self::Value::members(members).map(|()| Skipped)
    }
}
