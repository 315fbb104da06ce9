//! IA5 / ASCII, `data_coding` 0x01 (SMPP 3.4 §5.2.19), also the default alphabet of some operators.

use crate::error::{DecodeError, Decoded, Unencodable};

/// Writes a text, one octet per character.
///
/// # Errors
/// The first character above U+007F.
pub fn encode(text: &str) -> Result<Vec<u8>, Unencodable> {
    match text.char_indices().find(|(_, character)| !character.is_ascii()) {
        Some((byte_index, character)) => Err(Unencodable { character, byte_index }),
        None => Ok(text.as_bytes().to_vec()),
    }
}

/// Reads octets exactly.
///
/// # Errors
/// [`DecodeError::OutOfRange`] for the first octet above 0x7F.
pub fn decode(octets: &[u8]) -> Result<String, DecodeError> {
    octets
        .iter()
        .enumerate()
        .map(
            |(octet_index, &octet)| {
                if octet.is_ascii() {
                    Ok(char::from(octet))
                } else {
                    Err(DecodeError::OutOfRange { octet, octet_index })
                }
            },
        )
        .collect()
}

/// Reads octets, whatever they are: one above 0x7F becomes U+FFFD and is counted.
pub fn decode_lossy(octets: &[u8]) -> Decoded {
    let mut decoded = Decoded { text: String::with_capacity(octets.len()), replaced: 0 };
    for &octet in octets {
        if octet.is_ascii() {
            decoded.text.push(char::from(octet));
        } else {
            decoded.replaced = decoded.replaced.saturating_add(1);
            decoded.text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    decoded
}
