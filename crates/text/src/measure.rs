//! How a text travels, and in how many parts.

use crate::encoding::{Encoding, ReferenceWidth};
use crate::error::Unencodable;
use crate::gsm7;
use crate::gsm7_table::{ASCII_COST, COST_BEYOND, COST_UNITS, code_of};
use crate::national::{Language, Shift};
use crate::ucs2;

/// Encoding, units and parts of a text, without allocating the parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measure {
    /// How the text travels.
    pub encoding: Encoding,
    /// Septets or 16-bit units of the text alone, headers and units lost at cuts not counted.
    pub units: u32,
    /// Parts it takes, at least 1 (an empty text is one empty part); 65,535 stands for that many or more.
    pub parts: u16,
}

/// Cheapest encoding and exact count of parts for a concatenation header of this width, counting the units lost
/// where a pair would be split.
///
/// GSM-7 is always the cheaper one where it can be used: even a text of nothing but extension characters gets 80
/// of them into a part, UCS-2 gets 70.
pub fn measure(text: &str, reference: ReferenceWidth) -> Measure {
    match gsm7_units(text) {
        Ok(units) => measured(text, Encoding::Gsm7, units, reference),
        Err(_) => measured(text, Encoding::Ucs2, ucs2_units(text), reference),
    }
}

/// As [`measure`], with the encoding prescribed, for an operator that takes only one.
///
/// # Errors
/// The first character that GSM-7 lacks, where GSM-7 was asked for.
pub fn measure_as(text: &str, encoding: Encoding, reference: ReferenceWidth) -> Result<Measure, Unencodable> {
    match encoding {
        Encoding::Ucs2 => Ok(measured(text, encoding, ucs2_units(text), reference)),
        Encoding::Gsm7 => Ok(measured(text, encoding, gsm7_units(text)?, reference)),
        Encoding::National(shift) => Ok(measured(text, encoding, shift.text_units(text)?, reference)),
    }
}

/// As [`measure`], with the national tables of these languages to choose from. They are taken where they spare parts
/// against UCS-2; of several ways the one with the fewest parts, then the smallest header,
/// then rather another extension than another alphabet (a handset that knows neither still shows the plain letters).
pub fn measure_with(text: &str, languages: &[Language], reference: ReferenceWidth) -> Measure {
    let usual = measure(text, reference);
    if usual.encoding != Encoding::Ucs2 {
        return usual;
    }
    let shifts = languages.iter().flat_map(|language| Shift::of_language(*language));
    let ways = shifts.filter_map(|shift| measure_as(text, Encoding::National(shift), reference).ok().zip(Some(shift)));
    let best = ways
        .min_by_key(|(measure, shift)| (measure.parts, shift.header_octets(), shift.locking.is_some(), measure.units));
    best.map(|(measure, _)| measure).filter(|measure| measure.parts < usual.parts).unwrap_or(usual)
}

/// The characters that force UCS-2, in the order of the text; none for a text that fits GSM-7.
pub fn forcing_characters(text: &str) -> impl Iterator<Item = Unencodable> + '_ {
    text.char_indices()
        .filter(|(_, character)| code_of(*character).is_none())
        .map(|(byte_index, character)| Unencodable { character, byte_index })
}

fn measured(text: &str, encoding: Encoding, units: usize, reference: ReferenceWidth) -> Measure {
    let capacity = encoding.units_per_part(reference) as usize;
    let parts = if units <= encoding.units_single() as usize {
        1
    } else if units == text.chars().count() {
        // No pairs, nothing is lost at a cut.
        units.div_ceil(capacity)
    } else {
        match encoding {
            Encoding::Gsm7 => parts_filled(text, capacity, |character| gsm7::units(character).unwrap_or(0)),
            Encoding::Ucs2 => parts_filled(text, capacity, ucs2::units),
            Encoding::National(shift) => parts_filled(text, capacity, |character| shift.units(character).unwrap_or(0)),
        }
    };
    Measure {
        encoding,
        units: u32::try_from(units).unwrap_or(u32::MAX),
        parts: u16::try_from(parts).unwrap_or(u16::MAX),
    }
}

/// Parts when each takes all it can. Filling greedily is optimal: a cut further left never helps what follows.
fn parts_filled(text: &str, capacity: usize, units: impl Fn(char) -> u32) -> usize {
    let mut parts = 1;
    let mut filled = 0;
    for character in text.chars() {
        let units = units(character) as usize;
        filled += units;
        if filled > capacity {
            parts += 1;
            filled = units;
        }
    }
    parts
}

/// Septets of the text, or the first character that GSM-7 lacks.
pub(crate) fn gsm7_units(text: &str) -> Result<usize, Unencodable> {
    let mut units = 0;
    let mut seen = 0;
    for octet in text.bytes() {
        let cost = ASCII_COST[usize::from(octet)];
        seen |= cost;
        units += usize::from(cost & COST_UNITS);
    }
    if seen & COST_BEYOND == 0 {
        return Ok(units);
    }
    text.char_indices().try_fold(0, |units, (byte_index, character)| {
        let more = gsm7::units(character).ok_or(Unencodable { character, byte_index })?;
        Ok(units + more as usize)
    })
}

pub(crate) fn ucs2_units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}
