//! How operators write message ids, and how differently in answers and receipts.

use std::fmt::Write;

use super::dice::{Question, bits};

/// How message ids are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum IdFormat {
    /// Decimal in answers and receipts.
    #[default]
    Decimal,
    /// Hexadecimal in answers and receipts, upper case in the one and lower case in the other.
    Hexadecimal,
    /// Hexadecimal in answers, decimal in receipts.
    HexadecimalInResponse,
    /// Decimal in answers, hexadecimal in receipts.
    HexadecimalInReceipt,
    /// Decimal with leading zeros in answers, without in receipts.
    Padded,
    /// A UUID, lower case in answers and upper case in receipts.
    Uuid,
}

impl IdFormat {
    /// Appends the id as it stands in the answer to a submit.
    pub(super) fn write_in_answer(self, number: u64, out: &mut String) {
        match self {
            Self::Decimal | Self::HexadecimalInReceipt => append(out, format_args!("{number}")),
            Self::Hexadecimal | Self::HexadecimalInResponse => append(out, format_args!("{number:X}")),
            Self::Padded => append(out, format_args!("{number:020}")),
            Self::Uuid => append(out, format_args!("{}", Uuid(number))),
        }
    }

    /// Appends the id as it stands in a receipt.
    pub(super) fn write_in_receipt(self, number: u64, out: &mut String) {
        match self {
            Self::Decimal | Self::Padded | Self::HexadecimalInResponse => append(out, format_args!("{number}")),
            Self::Hexadecimal | Self::HexadecimalInReceipt => append(out, format_args!("{number:x}")),
            Self::Uuid => {
                let from = out.len();
                append(out, format_args!("{}", Uuid(number)));
                out[from..].make_ascii_uppercase();
            }
        }
    }

    /// The id as it stands in the answer.
    pub(super) fn in_answer(self, number: u64) -> String {
        let mut id = String::new();
        self.write_in_answer(number, &mut id);
        id
    }

    /// The id as it stands in a receipt.
    pub(super) fn in_receipt(self, number: u64) -> String {
        let mut id = String::new();
        self.write_in_receipt(number, &mut id);
        id
    }
}

fn append(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = out.write_fmt(what);
}

struct Uuid(u64);

impl std::fmt::Display for Uuid {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mixed = bits(0, self.0, Question::Id);
        let (time, low) = (self.0 >> 32, self.0 & 0xffff_ffff);
        let (a, b, c) = (mixed >> 48, (mixed >> 32) & 0x0fff, mixed & 0xffff);
        write!(out, "{time:08x}-{a:04x}-4{b:03x}-a{:03x}-{c:04x}{low:08x}", a & 0x0fff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_receipts_differ_as_they_do_in_the_field() {
        let both = |format: IdFormat| (format.in_answer(0xABC), format.in_receipt(0xABC));
        assert_eq!(both(IdFormat::Decimal), ("2748".into(), "2748".into()));
        assert_eq!(both(IdFormat::Hexadecimal), ("ABC".into(), "abc".into()));
        assert_eq!(both(IdFormat::HexadecimalInResponse), ("ABC".into(), "2748".into()));
        assert_eq!(both(IdFormat::HexadecimalInReceipt), ("2748".into(), "abc".into()));
        assert_eq!(both(IdFormat::Padded), ("00000000000000002748".into(), "2748".into()));
        let (answer, receipt) = both(IdFormat::Uuid);
        assert_eq!(answer.len(), 36);
        assert!(answer != receipt && answer.eq_ignore_ascii_case(&receipt));
        assert_ne!(answer, IdFormat::Uuid.in_answer(0xABD));
    }
}
