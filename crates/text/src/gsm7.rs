//! The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 §6.2.1), one septet per octet, as SMPP
//! carries it.

use crate::error::{DecodeError, Decoded, Unencodable};
use crate::gsm7_table::{Code, DEFAULT, ESCAPE, code_of, extension};

/// Septets this character takes: 1, 2 for the extension table, `None` where the alphabet lacks it.
#[inline]
pub fn units(character: char) -> Option<u32> {
    code_of(character).map(|code| match code {
        Code::Plain(_) => 1,
        Code::Escaped(_) => 2,
    })
}

/// Writes a text, one septet per octet.
///
/// # Errors
/// The first character that the alphabet lacks. Nothing is replaced.
pub fn encode(text: &str) -> Result<Vec<u8>, Unencodable> {
    let mut septets = Vec::with_capacity(text.len());
    encode_into(text, &mut septets)?;
    Ok(septets)
}

/// Writes a text behind what `septets` already holds, so that the caller decides on the allocation.
///
/// # Errors
/// The first character that the alphabet lacks; what came before it has been written.
pub fn encode_into(text: &str, septets: &mut Vec<u8>) -> Result<(), Unencodable> {
    for (byte_index, character) in text.char_indices() {
        match code_of(character) {
            Some(Code::Plain(code)) => septets.push(code),
            Some(Code::Escaped(code)) => septets.extend_from_slice(&[ESCAPE, code]),
            None => {
                return Err(Unencodable { character, byte_index });
            }
        }
    }
    Ok(())
}

/// Reads septets, one per octet, exactly.
///
/// # Errors
/// [`DecodeError::OutOfRange`], [`DecodeError::UnknownEscape`] or [`DecodeError::CutEscape`], whichever comes first.
pub fn decode(septets: &[u8]) -> Result<String, DecodeError> {
    let mut text = String::with_capacity(septets.len());
    let mut rest = Steps { septets, next: 0 };
    while let Some(step) = rest.step() {
        text.push(step?);
    }
    Ok(text)
}

/// Reads septets, one per octet, whatever they are, and counts the places that had to be replaced.
///
/// An escape that leads nowhere becomes the character that the default table has under the second code, as a handset
/// shows it (3GPP TS 23.038 §6.2.1.1). An escape after an escape, reserved for a further table, is one space, and so is
/// an escape at the end. An octet above 0x7F becomes U+FFFD.
pub fn decode_lossy(septets: &[u8]) -> Decoded {
    let mut decoded = Decoded { text: String::with_capacity(septets.len()), replaced: 0 };
    let mut rest = Steps { septets, next: 0 };
    while let Some(step) = rest.step() {
        match step {
            Ok(character) => decoded.text.push(character),
            Err(error) => {
                decoded.replaced = decoded.replaced.saturating_add(1);
                push_replacement(&mut decoded.text, error);
            }
        }
    }
    decoded
}

fn push_replacement(text: &mut String, error: DecodeError) {
    match error {
        DecodeError::UnknownEscape { octet: ESCAPE, .. } => text.push(' '),
        DecodeError::UnknownEscape { octet, .. } => {
            text.push(DEFAULT.get(usize::from(octet)).copied().unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        DecodeError::CutEscape { .. } => text.push(' '),
        _ => text.push(char::REPLACEMENT_CHARACTER),
    }
}

/// One character at a time, so that the exact and the lossy reader cannot drift apart.
struct Steps<'a> {
    septets: &'a [u8],
    next: usize,
}

impl Steps<'_> {
    fn step(&mut self) -> Option<Result<char, DecodeError>> {
        let octet_index = self.next;
        let octet = *self.septets.get(octet_index)?;
        self.next += 1;
        if octet != ESCAPE {
            let character = DEFAULT.get(usize::from(octet)).copied();
            return Some(character.ok_or(DecodeError::OutOfRange { octet, octet_index }));
        }
        let Some(&octet) = self.septets.get(self.next) else {
            return Some(Err(DecodeError::CutEscape { octet_index }));
        };
        self.next += 1;
        Some(extension(octet).ok_or(DecodeError::UnknownEscape { octet, octet_index }))
    }
}
