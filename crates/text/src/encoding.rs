//! The ways a text travels, and the room a part has in each.

use crate::national::Shift;
use crate::{gsm7, ucs2};

/// Most parts the concatenation header can number: its total is one octet (3GPP TS 23.040 §9.2.3.24.1).
pub const PARTS_LIMIT: u16 = 255;

/// How the text travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Encoding {
    /// GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 §6.2.1).
    Gsm7,
    /// 16-bit units, big-endian (3GPP TS 23.038 §6.2.3); characters beyond the BMP travel as surrogate pairs.
    Ucs2,
    /// GSM 7-bit with national tables, which take room in the header of every part, a single one's included.
    National(Shift),
}

/// Octets of one message on the air.
const OCTETS: usize = 140;
/// Bit of [`Encoding::stored_code`] that says that tables are named in the others.
const STORED_NATIONAL: u16 = 0x100;

impl Encoding {
    /// The number the API reports as `encoding`: 0 for GSM-7, 8 for UCS-2.
    pub const fn contract_code(self) -> u8 {
        match self {
            Self::Gsm7 | Self::National(_) => 0,
            Self::Ucs2 => 8,
        }
    }

    /// A number to keep it under: 0 for GSM-7, 8 for UCS-2, above 255 with national tables (bit 8, then the language of
    /// the locking and of the single shift table in four bits each).
    pub fn stored_code(self) -> u16 {
        let code = |language: Option<crate::Language>| language.map_or(0, |language| u16::from(language.code()));
        match self {
            Self::Gsm7 => 0,
            Self::Ucs2 => 8,
            Self::National(shift) => STORED_NATIONAL | code(shift.locking) << 4 | code(shift.single),
        }
    }

    /// The encoding of a [`Self::stored_code`].
    pub fn from_stored_code(code: u16) -> Option<Self> {
        let language = |code: u16| match code & 0x0F {
            0 => Some(None),
            code => u8::try_from(code).ok().and_then(crate::Language::from_code).map(Some),
        };
        match code {
            0 => Some(Self::Gsm7),
            8 => Some(Self::Ucs2),
            0x100..=0x1FF => Some(Self::National(Shift { locking: language(code >> 4)?, single: language(code)? })),
            _ => None,
        }
    }

    /// Units this character takes, `None` where the alphabet lacks it.
    pub fn units(self, character: char) -> Option<u32> {
        match self {
            Self::Gsm7 => gsm7::units(character),
            Self::Ucs2 => Some(ucs2::units(character)),
            Self::National(shift) => shift.units(character),
        }
    }

    /// The `data_coding` of a regular message (SMPP 3.4 §5.2.19): 0x00 or 0x08.
    pub const fn data_coding(self) -> u8 {
        match self {
            Self::Gsm7 | Self::National(_) => 0x00,
            Self::Ucs2 => 0x08,
        }
    }

    /// Units that fit in a message of one part: 160 septets or 70 16-bit units, both 140 octets on the air; fewer where a
    /// header names national tables.
    pub const fn units_single(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
            Self::National(shift) => match shift.header_octets() {
                0 => 160,
                elements => septets_beside(1 + elements),
            },
        }
    }

    /// Units that fit in each part of a long message, beside a concatenation header of this width.
    pub const fn units_per_part(self, reference: ReferenceWidth) -> u32 {
        match (self, reference) {
            (Self::Gsm7, ReferenceWidth::Bits8) => 153,
            (Self::Gsm7, ReferenceWidth::Bits16) => 152,
            (Self::Ucs2, ReferenceWidth::Bits8) => 67,
            (Self::Ucs2, ReferenceWidth::Bits16) => 66,
            (Self::National(shift), ReferenceWidth::Bits8) => septets_beside(6 + shift.header_octets()),
            (Self::National(shift), ReferenceWidth::Bits16) => septets_beside(7 + shift.header_octets()),
        }
    }
}

/// Septets that fit beside a header of this many octets.
const fn septets_beside(header_octets: usize) -> u32 {
    ((OCTETS - header_octets) * 8 / 7) as u32
}

/// Width of the number that says which parts belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ReferenceWidth {
    /// Information element 0x00, 6 octets of header (3GPP TS 23.040 §9.2.3.24.1).
    Bits8,
    /// Information element 0x08, 7 octets of header (3GPP TS 23.040 §9.2.3.24.8).
    Bits16,
}

/// The number that says which parts belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Reference {
    /// Understood everywhere; 256 values per sender and recipient.
    Bits8(u8),
    /// 65,536 values, for operators known to carry it.
    Bits16(u16),
}

impl Reference {
    /// The width of this reference.
    pub const fn width(self) -> ReferenceWidth {
        match self {
            Self::Bits8(_) => ReferenceWidth::Bits8,
            Self::Bits16(_) => ReferenceWidth::Bits16,
        }
    }

    /// The number itself, whatever its width.
    pub const fn value(self) -> u16 {
        match self {
            Self::Bits8(value) => value as u16,
            Self::Bits16(value) => value,
        }
    }
}
