//! Reading fields one after the other out of a body, without copying and with as much patience as is safe.

use crate::pdu::{Damage, Quirks};
use crate::tlv::Tlvs;

/// A place in a body, and what was odd on the way to it.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    pub(crate) quirks: Quirks,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body, quirks: Quirks::NONE }
    }

    pub(crate) fn octet(&mut self, field: &'static str) -> Result<u8, Damage> {
        let (&first, rest) = self.rest.split_first().ok_or(Damage::EndsBefore { field })?;
        self.rest = rest;
        Ok(first)
    }

    /// A C-octet string without its NUL. Without a NUL the rest of the body is taken: peers forget it at the end.
    pub(crate) fn c_string(&mut self, field: &'static str, octets_max: usize) -> Result<&'a [u8], Damage> {
        if self.rest.is_empty() {
            return Err(Damage::EndsBefore { field });
        }
        let rest = self.rest;
        let value = match rest.iter().position(|&octet| octet == 0) {
            Some(end) => {
                self.rest = &rest[end + 1..];
                &rest[..end]
            }
            None => {
                self.rest = &[];
                self.quirks.insert(Quirks::MISSING_NUL);
                rest
            }
        };
        if value.len() >= octets_max {
            self.quirks.insert(Quirks::OVERLONG_FIELD);
        }
        Ok(value)
    }

    /// [`Self::c_string`] for a field that a body may lack altogether.
    pub(crate) fn optional_c_string(&mut self, octets_max: usize) -> Option<&'a [u8]> {
        self.c_string("", octets_max).ok()
    }

    /// An address: C-octet string of digits or letters; other octets are kept and flagged.
    pub(crate) fn address(&mut self, field: &'static str, octets_max: usize) -> Result<&'a [u8], Damage> {
        let value = self.c_string(field, octets_max)?;
        if !value.is_ascii() {
            self.quirks.insert(Quirks::NON_ASCII_ADDRESS);
        }
        Ok(value)
    }

    /// `octets` raw octets, or as many of them as there are.
    pub(crate) fn octets(&mut self, octets: usize) -> &'a [u8] {
        if octets > self.rest.len() {
            self.quirks.insert(Quirks::SHORT_MESSAGE_CUT);
        }
        let (value, rest) = self.rest.split_at(octets.min(self.rest.len()));
        self.rest = rest;
        value
    }

    /// Everything left, as optional parameters.
    pub(crate) fn tlvs(&mut self) -> Tlvs<'a> {
        if self.rest.is_empty() {
            return Tlvs::EMPTY;
        }
        let (tlvs, quirks) = Tlvs::forgiving(self.rest);
        self.rest = &[];
        self.quirks.insert(quirks);
        tlvs
    }

    /// Notes octets that no field claims.
    pub(crate) fn finish(self) -> Quirks {
        let mut quirks = self.quirks;
        if !self.rest.is_empty() {
            quirks.insert(Quirks::TRAILING_OCTETS);
        }
        quirks
    }
}
