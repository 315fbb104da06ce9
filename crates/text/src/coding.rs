//! What `data_coding` says about a message that came in (SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4).

/// The alphabet that `data_coding` names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Alphabet {
    /// Whatever the operator's default is: mostly unpacked GSM-7, elsewhere Latin-1, ASCII or packed GSM-7.
    OperatorDefault,
    /// IA5 / ASCII.
    Ascii,
    /// Latin-1.
    Latin1,
    /// UTF-16BE.
    Ucs2,
    /// Octets that are no text.
    Binary,
    /// A text in an alphabet that is not supported (JIS, Cyrillic, Hebrew, pictograms, compressed …).
    Other,
}

/// The alphabet of a message with this `data_coding`.
///
/// Values up to 0x0F are SMPP's own list; above that the coding groups of 3GPP TS 23.038 §4 rule, so that a flash
/// message (0x10, 0x18, 0xF0) is read like any other.
pub const fn alphabet(data_coding: u8) -> Alphabet {
    match data_coding {
        0x00 => Alphabet::OperatorDefault,
        0x01 => Alphabet::Ascii,
        0x02 | 0x04 => Alphabet::Binary,
        0x03 => Alphabet::Latin1,
        0x08 => Alphabet::Ucs2,
        0x05..=0x07 | 0x09..=0x0F => Alphabet::Other,
        // Bit 5 of the general groups: the text is compressed.
        0x20..=0x3F | 0x60..=0x7F => Alphabet::Other,
        0x10..=0x1F | 0x40..=0x5F => match data_coding & 0x0C {
            0x00 => Alphabet::OperatorDefault,
            0x04 => Alphabet::Binary,
            0x08 => Alphabet::Ucs2,
            _ => Alphabet::Other,
        },
        0x80..=0xBF => Alphabet::Other,
        0xC0..=0xDF => Alphabet::OperatorDefault,
        0xE0..=0xEF => Alphabet::Ucs2,
        0xF0..=0xFF if data_coding & 0x04 == 0 => Alphabet::OperatorDefault,
        0xF0..=0xFF => Alphabet::Binary,
    }
}

/// Whether the message is shown at once and not kept: message class 0 (3GPP TS 23.038 §4).
pub const fn is_flash(data_coding: u8) -> bool {
    let has_class = matches!(data_coding, 0x10..=0x1F | 0x30..=0x3F | 0x50..=0x5F | 0x70..=0x7F | 0xF0..=0xFF);
    has_class && data_coding & 0x03 == 0
}
