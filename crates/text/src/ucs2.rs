//! UCS-2 as it is in practice: UTF-16, big-endian, with surrogate pairs (3GPP TS 23.038 §6.2.3).

use crate::error::{DecodeError, Decoded};

/// Octets of a 16-bit unit.
const UNIT_OCTETS: usize = 2;

/// 16-bit units this character takes: 1, or 2 beyond the BMP.
#[inline]
pub const fn units(character: char) -> u32 {
    character.len_utf16() as u32
}

/// Writes a text as UTF-16BE. Every text can be written.
pub fn encode(text: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(text.len() * UNIT_OCTETS);
    encode_into(text, &mut octets);
    octets
}

/// Writes a text behind what `octets` already holds, so that the caller decides on the allocation.
pub fn encode_into(text: &str, octets: &mut Vec<u8>) {
    for unit in text.encode_utf16() {
        octets.extend_from_slice(&unit.to_be_bytes());
    }
}

/// Reads UTF-16BE exactly.
///
/// # Errors
/// [`DecodeError::OddLength`] for half a unit at the end, [`DecodeError::LoneSurrogate`] for half a pair.
pub fn decode(octets: &[u8]) -> Result<String, DecodeError> {
    if !octets.len().is_multiple_of(UNIT_OCTETS) {
        return Err(DecodeError::OddLength { octets: octets.len() });
    }
    let mut text = String::with_capacity(octets.len());
    let mut octet_index = 0;
    for step in char::decode_utf16(units_of(octets)) {
        match step {
            Ok(character) => {
                text.push(character);
                octet_index += character.len_utf16() * UNIT_OCTETS;
            }
            Err(error) => {
                return Err(DecodeError::LoneSurrogate { unit: error.unpaired_surrogate(), octet_index });
            }
        }
    }
    Ok(text)
}

/// Reads UTF-16BE, whatever it is: a lone surrogate and an odd last octet each become U+FFFD and are counted.
pub fn decode_lossy(octets: &[u8]) -> Decoded {
    let mut decoded = Decoded { text: String::with_capacity(octets.len()), replaced: 0 };
    for step in char::decode_utf16(units_of(octets)) {
        decoded.replaced = decoded.replaced.saturating_add(u32::from(step.is_err()));
        decoded.text.push(step.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    if !octets.len().is_multiple_of(UNIT_OCTETS) {
        decoded.replaced = decoded.replaced.saturating_add(1);
        decoded.text.push(char::REPLACEMENT_CHARACTER);
    }
    decoded
}

fn units_of(octets: &[u8]) -> impl Iterator<Item = u16> + '_ {
    octets.as_chunks::<UNIT_OCTETS>().0.iter().map(|pair| u16::from_be_bytes(*pair))
}
