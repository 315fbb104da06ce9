//! The GSM 7-bit default alphabet and its extension, as printed in 3GPP TS 23.038 §6.2.1 and §6.2.1.1, and the
//! same tables turned round at compile time.

/// The code that leads to the extension table.
pub(crate) const ESCAPE: u8 = 0x1B;

/// 3GPP TS 23.038 §6.2.1, by code. The place of the escape holds U+001B, which no text may use.
#[rustfmt::skip]
pub(crate) static DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// 3GPP TS 23.038 §6.2.1.1: code after the escape, character.
pub(crate) static EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// How a character is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Code {
    /// One septet.
    Plain(u8),
    /// The escape, then this septet.
    Escaped(u8),
}

// The turned tables keep one octet per character: the code, with the top bit for "after an escape".
const ABSENT: u8 = 0xFF;
const ESCAPED: u8 = 0x80;
const GREEK_FIRST: u32 = 0x0390;

static LATIN: [u8; 256] = invert::<256>(0);
static GREEK: [u8; 32] = invert::<32>(GREEK_FIRST);
const EURO: u8 = ESCAPED | 0x65;

const fn invert<const LENGTH: usize>(first: u32) -> [u8; LENGTH] {
    let mut inverted = [ABSENT; LENGTH];
    let mut code = 0;
    while code < DEFAULT.len() {
        let place = (DEFAULT[code] as u32).wrapping_sub(first) as usize;
        if place < LENGTH && code != ESCAPE as usize {
            inverted[place] = code as u8;
        }
        code += 1;
    }
    let mut entry = 0;
    while entry < EXTENSION.len() {
        let place = (EXTENSION[entry].1 as u32).wrapping_sub(first) as usize;
        if place < LENGTH {
            inverted[place] = ESCAPED | EXTENSION[entry].0;
        }
        entry += 1;
    }
    inverted
}

/// How this character is written, if the alphabet has it.
#[inline]
pub(crate) fn code_of(character: char) -> Option<Code> {
    let point = u32::from(character);
    let octet = if point < 256 {
        LATIN[point as usize]
    } else if point.wrapping_sub(GREEK_FIRST) < 32 {
        GREEK[(point - GREEK_FIRST) as usize]
    } else if character == '€' {
        EURO
    } else {
        ABSENT
    };
    match octet {
        ABSENT => None,
        octet if octet & ESCAPED != 0 => Some(Code::Escaped(octet & !ESCAPED)),
        octet => Some(Code::Plain(octet)),
    }
}

/// The character that the extension table has under this code.
pub(crate) fn extension(code: u8) -> Option<char> {
    EXTENSION.iter().find(|(known, _)| *known == code).map(|(_, character)| *character)
}

/// Set in [`ASCII_COST`] for what this table cannot count: an ASCII character that the alphabet lacks, or an octet of
/// a longer UTF-8 sequence.
pub(crate) const COST_BEYOND: u8 = 0x10;
/// The bits of [`ASCII_COST`] that count septets.
pub(crate) const COST_UNITS: u8 = 0x03;

/// Septets per octet of UTF-8, so that an ASCII text is measured with one look per octet and no branch.
pub(crate) static ASCII_COST: [u8; 256] = {
    let mut cost = [COST_BEYOND; 256];
    let mut octet = 0;
    while octet < 128 {
        cost[octet] = match LATIN[octet] {
            ABSENT => COST_BEYOND,
            code if code & ESCAPED != 0 => 2,
            _ => 1,
        };
        octet += 1;
    }
    cost
};
