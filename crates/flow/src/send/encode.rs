//! From a part to a submit_sm (SMPP 3.4 §4.4.1).

use domain::clock::UnixMillis;
use domain::control::{Carrier, LongMessages, SubmitWith, TonNpi};
use smpp::pdu::{Address, DataSm, SubmitSm};
use smpp::tlv::{Tlvs, tag};

use super::form::Form;
use crate::enqueue::{Encoded, Job, ReferenceOctets};

/// esm_class: the message begins with a user data header (§5.2.12).
const UDHI: u8 = 0x40;
/// registered_delivery: a receipt for success and failure (§5.2.17).
const RECEIPT_WANTED: u8 = 0x01;
/// registered_delivery: intermediate notifications as well (§5.2.17).
const INTERMEDIATE_WANTED: u8 = 0x10;
/// Message class 0 in data_coding (§5.2.19, 3GPP TS 23.038 §4).
const CLASS_0: u8 = 0x10;

/// A part in the PDU that carries it.
pub(super) enum Written<'a> {
    SubmitSm(SubmitSm<'a>),
    DataSm(DataSm<'a>),
}

/// The octets of one part that are not in the job itself; reused from part to part.
#[derive(Default)]
pub(super) struct Scratch {
    short_message: Vec<u8>,
    destination: String,
    validity: String,
    tlvs: Vec<u8>,
}

impl Scratch {
    /// Writes part `number` (from 1) of `job`, or all of it where it goes in one piece, and hands the PDU to `push`.
    pub(super) fn submit<R>(
        &mut self,
        carrier: &Carrier,
        (job, encoded, reference): (&Job, &Encoded, u16),
        number: u8,
        (now, form): (UnixMillis, Form),
        push: impl FnOnce(&Written<'_>) -> R,
    ) -> R {
        use std::fmt::Write as _;
        self.short_message.clear();
        self.tlvs.clear();
        let has_header = match job.whole(encoded) {
            Some(whole) => {
                self.short_message.extend_from_slice(whole);
                false
            }
            None => {
                let part = encoded.parts.get(usize::from(number).saturating_sub(1));
                self.short_message.extend_from_slice(part.map(Vec::as_slice).unwrap_or_default());
                let as_sar = form.long_messages(encoded.long_messages) == LongMessages::Sar;
                self.patch_reference(encoded, as_sar, reference)
            }
        };
        self.destination.clear();
        _ = write!(self.destination, "{}", job.phone);
        self.validity.clear();
        let remaining_ms = job.remaining_ms(now);
        if !form.has(Form::WITHOUT_TIMES) {
            write_relative_validity(&mut self.validity, remaining_ms);
        }
        let content = job.content();
        let (TonNpi { ton, npi }, digits) = carrier.source(&content.sender);
        let by_data_sm = form.submit_with(carrier) == SubmitWith::DataSm;
        if by_data_sm {
            self.payload_to_tlv();
            self.write_time_to_live(remaining_ms, form);
        } else if job.whole(encoded).is_some() {
            self.payload_to_tlv();
        }
        let source = Address { ton, npi, digits: digits.as_bytes() };
        let destination = Address { ton: 1, npi: 1, digits: self.destination.as_bytes() };
        let esm_class = if has_header { UDHI } else { 0 };
        let data_coding = encoded.data_coding | if content.flash { CLASS_0 } else { 0 };
        let intermediate = if carrier.intermediate_receipts { INTERMEDIATE_WANTED } else { 0 };
        let registered_delivery = RECEIPT_WANTED | intermediate;
        let tlvs = Tlvs::new(&self.tlvs);
        if by_data_sm {
            let data =
                DataSm { source, destination, esm_class, registered_delivery, data_coding, tlvs, ..DataSm::default() };
            return push(&Written::DataSm(data));
        }
        push(&Written::SubmitSm(SubmitSm {
            source,
            destination,
            esm_class,
            validity_period: self.validity.as_bytes(),
            registered_delivery,
            data_coding,
            short_message: &self.short_message,
            tlvs,
            ..SubmitSm::default()
        }))
    }

    /// Moves the text into message_payload (§5.3.2.32).
    fn payload_to_tlv(&mut self) {
        let octets = u16::try_from(self.short_message.len()).unwrap_or(u16::MAX);
        self.tlvs.extend_from_slice(&tag::MESSAGE_PAYLOAD.to_be_bytes());
        self.tlvs.extend_from_slice(&octets.to_be_bytes());
        self.tlvs.extend_from_slice(&self.short_message);
        self.short_message.clear();
    }

    /// How long a message is good for, where the PDU has no field for it (§5.3.2.9).
    fn write_time_to_live(&mut self, remaining_ms: i64, form: Form) {
        if !form.has(Form::WITHOUT_TIMES) {
            let seconds = u32::try_from((remaining_ms.max(0) + 999) / 1000).unwrap_or(u32::MAX);
            self.tlvs.extend_from_slice(&tag::QOS_TIME_TO_LIVE.to_be_bytes());
            self.tlvs.extend_from_slice(&[0, 4]);
            self.tlvs.extend_from_slice(&seconds.to_be_bytes());
        }
    }

    /// Puts the reference where it belongs; true when the part keeps its user data header.
    fn patch_reference(&mut self, encoded: &Encoded, as_sar: bool, reference: u16) -> bool {
        let [high, low] = reference.to_be_bytes();
        match encoded.reference {
            ReferenceOctets::None => return encoded.has_tables,
            ReferenceOctets::Bits8 => self.short_message[3] = low,
            ReferenceOctets::Bits16 => self.short_message[3..5].copy_from_slice(&[high, low]),
        }
        // Tables can be named in a header only.
        if as_sar && !encoded.has_tables {
            self.header_to_sar(reference, encoded.reference);
            return false;
        }
        true
    }

    /// Moves the concatenation header into sar_msg_ref_num, sar_total_segments and sar_segment_seqnum
    /// (§5.3.2.22 to §5.3.2.24).
    fn header_to_sar(&mut self, reference: u16, octets: ReferenceOctets) {
        let total_at = if octets == ReferenceOctets::Bits16 { 5 } else { 4 };
        let (total, number) = (self.short_message[total_at], self.short_message[total_at + 1]);
        self.short_message.drain(..total_at + 2);
        let [high, low] = reference.to_be_bytes();
        self.tlvs.extend_from_slice(&[0x02, 0x0c, 0, 2, high, low]);
        self.tlvs.extend_from_slice(&[0x02, 0x0e, 0, 1, total]);
        self.tlvs.extend_from_slice(&[0x02, 0x0f, 0, 1, number]);
    }
}

/// Relative time `YYMMDDhhmmss000R` (§7.1.1.2): immune to differing clocks. Rounded up to a second.
fn write_relative_validity(out: &mut String, remaining_ms: i64) {
    use std::fmt::Write as _;
    let seconds = (remaining_ms.max(0) + 999) / 1000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    _ = write!(out, "0000{:02}{:02}{:02}{:02}000R", days.min(31), rest / 3600, rest / 60 % 60, rest % 60);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_is_relative() {
        let written = |ms| {
            let mut out = String::new();
            write_relative_validity(&mut out, ms);
            out
        };
        assert_eq!(written(3 * 86_400_000), "000003000000000R");
        assert_eq!(written(300_000), "000000000500000R");
        assert_eq!(written(1), "000000000001000R");
    }
}
