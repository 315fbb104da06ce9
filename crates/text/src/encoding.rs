//! The two ways a text travels, and the room a part has in each.

/// Most parts the concatenation header can number: its total is one octet (3GPP TS 23.040 §9.2.3.24.1).
pub const PARTS_LIMIT: u16 = 255;

/// How the text travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Encoding {
    /// GSM 7-bit default alphabet with its extension table (3GPP TS 23.038 §6.2.1).
    Gsm7,
    /// 16-bit units, big-endian (3GPP TS 23.038 §6.2.3); characters beyond the BMP travel as surrogate pairs.
    Ucs2,
}

impl Encoding {
    /// The number the API reports as `encoding`: 0 for GSM-7, 8 for UCS-2.
    pub const fn contract_code(self) -> u8 {
        match self {
            Self::Gsm7 => 0,
            Self::Ucs2 => 8,
        }
    }

    /// The `data_coding` of a regular message (SMPP 3.4 §5.2.19): 0x00 or 0x08.
    pub const fn data_coding(self) -> u8 {
        match self {
            Self::Gsm7 => 0x00,
            Self::Ucs2 => 0x08,
        }
    }

    /// Units that fit in a message of one part: 160 septets or 70 16-bit units, both 140 octets on the air.
    pub const fn units_single(self) -> u32 {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Units that fit in each part of a long message, beside a concatenation header of this width.
    pub const fn units_per_part(self, reference: ReferenceWidth) -> u32 {
        match (self, reference) {
            (Self::Gsm7, ReferenceWidth::Bits8) => 153,
            (Self::Gsm7, ReferenceWidth::Bits16) => 152,
            (Self::Ucs2, ReferenceWidth::Bits8) => 67,
            (Self::Ucs2, ReferenceWidth::Bits16) => 66,
        }
    }
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
