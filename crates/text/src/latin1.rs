//! Latin-1, `data_coding` 0x03 (SMPP 3.4 §5.2.19), also the default alphabet of some operators.

use crate::error::Unencodable;

/// Writes a text, one octet per character.
///
/// # Errors
/// The first character above U+00FF.
pub fn encode(text: &str) -> Result<Vec<u8>, Unencodable> {
    let mut octets = Vec::with_capacity(text.len());
    for (byte_index, character) in text.char_indices() {
        octets.push(u8::try_from(character).map_err(|_| Unencodable { character, byte_index })?);
    }
    Ok(octets)
}

/// Reads octets. Every octet is a character, those of the control range 0x80 to 0x9F included.
pub fn decode(octets: &[u8]) -> String {
    octets.iter().copied().map(char::from).collect()
}
