//! Cutting a text into parts that are ready for `submit_sm`.

use crate::cut::Cutter;
use crate::encoding::{Encoding, PARTS_LIMIT, Reference};
use crate::error::TextError;
use crate::measure::{Measure, gsm7_units, measure, measure_as, ucs2_units};
use crate::national::Shift;
use crate::udh::Concat;
use crate::{gsm7, packed, ucs2};

/// One segment ready for `submit_sm`: the user data header (empty for a single part), followed by the text as
/// unpacked GSM-7 (SMPP carries one septet per octet) or UTF-16BE octets.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Segment {
    /// The user data header with its length octet; empty for a message of one part without national tables.
    pub udh: Vec<u8>,
    /// The text of this part: one septet per octet, or UTF-16BE.
    pub payload: Vec<u8>,
}

impl Segment {
    /// What `short_message` carries; with a header, `esm_class` must have 0x40 set (SMPP 3.4 §5.2.12).
    pub fn short_message(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(self.udh.len() + self.payload.len());
        octets.extend_from_slice(&self.udh);
        octets.extend_from_slice(&self.payload);
        octets
    }

    /// What `short_message` carries for an operator whose default alphabet is packed: the header, then the septets
    /// packed behind its fill bits. Only for a GSM-7 segment.
    pub fn short_message_packed(&self) -> Vec<u8> {
        let mut octets = self.udh.clone();
        octets.extend(packed::pack(&self.payload, packed::fill_bits(self.udh.len())));
        octets
    }
}

/// Cuts a text into as many segments as [`measure`] announces, in its cheapest encoding.
///
/// The width of the reference counts: 1377 septets are nine parts with 8 bits and ten with 16, so parts that were
/// promised with one width may have to be sent with it. No pair is ever split. Combining sequences and joined emoji
/// stay whole where that costs no further part.
///
/// # Errors
/// [`TextError::TooManyParts`] if the text needs more than `parts_max`, or more than [`PARTS_LIMIT`].
pub fn segment(text: &str, reference: Reference, parts_max: u16) -> Result<Vec<Segment>, TextError> {
    cut(text, measure(text, reference.width()), reference, parts_max)
}

/// As [`segment`], with the encoding prescribed, for an operator that takes only one.
///
/// # Errors
/// As [`segment`], and [`TextError::Unencodable`] for the first character that GSM-7 lacks, where it was asked for.
pub fn segment_as(
    text: &str,
    encoding: Encoding,
    reference: Reference,
    parts_max: u16,
) -> Result<Vec<Segment>, TextError> {
    cut(text, measure_as(text, encoding, reference.width())?, reference, parts_max)
}

fn cut(text: &str, measure: Measure, reference: Reference, parts_max: u16) -> Result<Vec<Segment>, TextError> {
    let Measure { encoding, parts, .. } = measure;
    let parts_max = parts_max.min(PARTS_LIMIT);
    if parts > parts_max {
        return Err(TextError::TooManyParts { parts, parts_max });
    }
    let capacity = if parts == 1 { encoding.units_single() } else { encoding.units_per_part(reference.width()) };
    match encoding {
        Encoding::Gsm7 => {
            let units = |character| gsm7::units(character).unwrap_or(0);
            assemble(Cutter::new(text, parts, capacity, units), parts, reference, Shift::default(), |piece| {
                let mut payload = Vec::with_capacity(gsm7_units(piece)?);
                gsm7::encode_into(piece, &mut payload)?;
                Ok(payload)
            })
        }
        Encoding::Ucs2 => {
            let pieces = Cutter::new(text, parts, capacity, ucs2::units);
            assemble(pieces, parts, reference, Shift::default(), |piece| {
                let mut payload = Vec::with_capacity(ucs2_units(piece) * 2);
                ucs2::encode_into(piece, &mut payload);
                Ok(payload)
            })
        }
        Encoding::National(shift) => {
            let units = |character| shift.units(character).unwrap_or(0);
            let pieces = Cutter::new(text, parts, capacity, units);
            assemble(pieces, parts, reference, shift, |piece| Ok(shift.encode(piece)?))
        }
    }
}

fn assemble<'a>(
    pieces: impl Iterator<Item = &'a str>,
    parts: u16,
    reference: Reference,
    shift: Shift,
    encode: impl Fn(&str) -> Result<Vec<u8>, TextError>,
) -> Result<Vec<Segment>, TextError> {
    let mut segments = Vec::with_capacity(usize::from(parts));
    for (piece, number) in pieces.zip(1..=u8::MAX) {
        let mut udh = match u8::try_from(parts) {
            Ok(total) if total > 1 => Concat { reference, total, number }.to_header(),
            _ => Vec::new(),
        };
        if shift != Shift::default() {
            // The concatenation stays first, where its reference is looked for.
            udh.resize(udh.len().max(1), 0);
            udh.extend(shift.to_elements());
            udh[0] = u8::try_from(udh.len() - 1).unwrap_or(u8::MAX);
        }
        segments.push(Segment { udh, payload: encode(piece)? });
    }
    Ok(segments)
}
