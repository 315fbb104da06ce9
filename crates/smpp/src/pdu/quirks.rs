//! What was odd about a PDU that was read all the same.

use std::fmt;

/// A set of oddities; empty for a PDU by the book.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks(u16);

impl Quirks {
    /// Nothing odd.
    pub const NONE: Self = Self(0);
    /// A C-octet string ran to the end of the body without its NUL.
    pub const MISSING_NUL: Self = Self(1);
    /// A field was longer than the specification allows.
    pub const OVERLONG_FIELD: Self = Self(1 << 1);
    /// An address held octets above 0x7F.
    pub const NON_ASCII_ADDRESS: Self = Self(1 << 2);
    /// `sm_length` promised more than the body held.
    pub const SHORT_MESSAGE_CUT: Self = Self(1 << 3);
    /// The body went on after its last field.
    pub const TRAILING_OCTETS: Self = Self(1 << 4);
    /// One NUL stood before the optional parameters.
    pub const STRAY_NUL: Self = Self(1 << 5);
    /// The optional parameters did not come out even.
    pub const TLV_CUT: Self = Self(1 << 6);

    const NAMES: [(Self, &'static str); 7] = [
        (Self::MISSING_NUL, "missing NUL"),
        (Self::OVERLONG_FIELD, "overlong field"),
        (Self::NON_ASCII_ADDRESS, "non-ASCII address"),
        (Self::SHORT_MESSAGE_CUT, "short message cut"),
        (Self::TRAILING_OCTETS, "trailing octets"),
        (Self::STRAY_NUL, "stray NUL"),
        (Self::TLV_CUT, "optional parameters cut"),
    ];

    /// Adds every oddity in `other`.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether every oddity in `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Quirks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (_, name) in Self::NAMES.iter().filter(|(quirk, _)| self.contains(*quirk)) {
            write!(out, "{separator}{name}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl fmt::Debug for Quirks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Quirks({self})")
    }
}
