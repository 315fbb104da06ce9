//! What waits to be sent to the ESME.

use smpp::pdu::Address;
use text::{Reference, TextError};

use super::behaviour::{Outcome, ReceiptForm};
use super::ids::IdFormat;

/// Most parts of an incoming message.
const PARTS_MAX: u16 = 255;
/// Octets of a message that a receipt repeats.
pub(super) const TEXT_START_OCTETS: usize = 20;

/// An address without an allocation: a load has one per waiting receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digits {
    octets: [u8; 20],
    length: u8,
    ton: u8,
    npi: u8,
}

impl Digits {
    /// The first 20 octets of an address, which is all that SMPP allows.
    pub(super) fn of(address: &Address<'_>) -> Self {
        let length = address.digits.len().min(20);
        let mut octets = [0; 20];
        octets[..length].copy_from_slice(&address.digits[..length]);
        Self { octets, length: length as u8, ton: address.ton, npi: address.npi }
    }

    /// The address of a number typed by a person: international, or a short code.
    pub(super) fn typed(number: &str) -> Self {
        let digits = number.strip_prefix('+').unwrap_or(number);
        let (ton, npi) = match digits.bytes().all(|octet| octet.is_ascii_digit()) {
            true if digits.len() > 6 => (1, 1),
            true => (3, 0),
            false => (5, 0),
        };
        Self::of(&Address { ton, npi, digits: digits.as_bytes() })
    }

    pub(super) fn address(&self) -> Address<'_> {
        Address { ton: self.ton, npi: self.npi, digits: &self.octets[..usize::from(self.length)] }
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(self.address().digits).into_owned()
    }
}

/// Something for the ESME.
#[derive(Clone, Debug)]
pub(super) enum Delivery {
    Receipt(Receipt),
    Incoming(Box<Part>),
}

/// A receipt that waits to be sent. How it is written was settled when its message was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt {
    pub(super) number: u64,
    pub(super) outcome: Outcome,
    pub(super) format: IdFormat,
    pub(super) form: ReceiptForm,
    /// Whom the message went to: the receipt comes from there.
    pub(super) recipient: Digits,
    pub(super) sender: Digits,
    /// Minutes since 1970.
    pub(super) submitted_minute: i64,
    pub(super) text_start: [u8; TEXT_START_OCTETS],
    /// The session it must not leave over, where there is another one; 0 = any will do.
    pub(super) not_over: u64,
    /// Times it was sent before.
    pub(super) attempts: u8,
}

/// One part of an incoming message.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) source: Digits,
    pub(super) destination: Digits,
    pub(super) has_header: bool,
    pub(super) data_coding: u8,
    pub(super) octets: Vec<u8>,
    /// Times it was sent before.
    pub(super) attempts: u8,
}

/// Cuts an incoming message into parts as a handset does.
pub(super) fn incoming(
    source: &str,
    destination: &str,
    text: &str,
    reference: Reference,
) -> Result<Vec<Delivery>, TextError> {
    let encoding = text::measure(text, reference.width()).encoding;
    let segments = text::segment(text, reference, PARTS_MAX)?;
    let data_coding = encoding.data_coding();
    let part = |segment: &text::Segment| {
        Delivery::Incoming(Box::new(Part {
            source: Digits::typed(source),
            destination: Digits::typed(destination),
            has_header: !segment.udh.is_empty(),
            data_coding,
            octets: segment.short_message(),
            attempts: 0,
        }))
    };
    Ok(segments.iter().map(part).collect())
}
