//! The words by which choices are written in the setup file and in the database.

use domain::control::{BindMode, DefaultAlphabet, EventKind, InterfaceVersion, LongMessages};
use domain::operator_id::MessageIdFormat;

/// A choice with a name for each of its values.
pub(super) trait Named: Copy + PartialEq + 'static {
    /// All values with their names, in the order of the documentation.
    const NAMES: &'static [(Self, &'static str)];

    /// The name of this value.
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(value, _)| *value == self).map_or("", |(_, name)| name)
    }

    /// The value of that name.
    fn by_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(value, _)| *value)
    }
}

impl Named for InterfaceVersion {
    const NAMES: &'static [(Self, &'static str)] = &[(Self::V33, "3.3"), (Self::V34, "3.4"), (Self::V50, "5.0")];
}

impl Named for BindMode {
    const NAMES: &'static [(Self, &'static str)] =
        &[(Self::Transceiver, "transceiver"), (Self::TransmitterReceiver, "transmitter+receiver")];
}

impl Named for MessageIdFormat {
    const NAMES: &'static [(Self, &'static str)] = &Self::NAMES;
}

impl Named for DefaultAlphabet {
    const NAMES: &'static [(Self, &'static str)] =
        &[(Self::Gsm7, "gsm7"), (Self::Latin1, "latin1"), (Self::Ascii, "ascii"), (Self::Gsm7Packed, "gsm7-packed")];
}

impl Named for LongMessages {
    const NAMES: &'static [(Self, &'static str)] =
        &[(Self::Udh8, "udh8"), (Self::Udh16, "udh16"), (Self::Sar, "sar"), (Self::Payload, "payload")];
}

impl Named for EventKind {
    const NAMES: &'static [(Self, &'static str)] = &Self::NAMES;
}

/// Whether a number is a long number or a short code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NumberKind {
    /// A number like any phone's.
    #[default]
    Long,
    /// A short code.
    Short,
}

impl Named for NumberKind {
    const NAMES: &'static [(Self, &'static str)] = &[(Self::Long, "long"), (Self::Short, "short")];
}
