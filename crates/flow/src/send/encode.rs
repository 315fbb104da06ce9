//! From a part to a submit_sm (SMPP 3.4 §4.4.1).

use domain::clock::UnixMillis;
use domain::control::{Carrier, LongMessages};
use domain::sender::SenderKind;
use smpp::pdu::{Address, SubmitSm};
use smpp::tlv::Tlvs;

use crate::enqueue::{Encoded, Job, ReferenceOctets};

/// esm_class: the message begins with a user data header (§5.2.12).
const UDHI: u8 = 0x40;
/// registered_delivery: a receipt for success and failure (§5.2.17).
const RECEIPT_WANTED: u8 = 0x01;
/// Message class 0 in data_coding (§5.2.19, 3GPP TS 23.038 §4).
const CLASS_0: u8 = 0x10;

/// The octets of one submit_sm that are not in the job itself; reused from part to part.
#[derive(Default)]
pub(super) struct Scratch {
    short_message: Vec<u8>,
    destination: String,
    validity: String,
    tlvs: Vec<u8>,
}

impl Scratch {
    /// Writes part `number` (from 1) of `job` and hands the PDU to `push`.
    pub(super) fn submit<R>(
        &mut self,
        carrier: &Carrier,
        (job, encoded): (&Job, &Encoded),
        number: u8,
        now: UnixMillis,
        push: impl FnOnce(&SubmitSm<'_>) -> R,
    ) -> R {
        use std::fmt::Write as _;
        let part = encoded.parts.get(usize::from(number).saturating_sub(1)).map(Vec::as_slice).unwrap_or_default();
        self.short_message.clear();
        self.short_message.extend_from_slice(part);
        self.tlvs.clear();
        let has_header = self.patch_reference(carrier.long_messages, encoded.reference, job.reference());
        self.destination.clear();
        _ = write!(self.destination, "{}", job.phone);
        self.validity.clear();
        write_relative_validity(&mut self.validity, job.remaining_ms(now));
        let content = job.content();
        let (ton, npi) = match content.sender.kind() {
            SenderKind::Alphanumeric => (5, 0),
            SenderKind::ShortCode => (3, 0),
            SenderKind::International => (1, 1),
        };
        let sm = SubmitSm {
            source: Address { ton, npi, digits: content.sender.as_str().as_bytes() },
            destination: Address { ton: 1, npi: 1, digits: self.destination.as_bytes() },
            esm_class: if has_header { UDHI } else { 0 },
            validity_period: self.validity.as_bytes(),
            registered_delivery: RECEIPT_WANTED,
            data_coding: encoded.data_coding | if content.flash { CLASS_0 } else { 0 },
            short_message: &self.short_message,
            tlvs: Tlvs::new(&self.tlvs),
            ..SubmitSm::default()
        };
        push(&sm)
    }

    /// Puts the reference where it belongs; true when the part keeps its user data header.
    fn patch_reference(&mut self, long_messages: LongMessages, octets: ReferenceOctets, reference: u16) -> bool {
        let [high, low] = reference.to_be_bytes();
        match octets {
            ReferenceOctets::None => return false,
            ReferenceOctets::Bits8 => self.short_message[3] = low,
            ReferenceOctets::Bits16 => self.short_message[4..6].copy_from_slice(&[high, low]),
        }
        if long_messages == LongMessages::Sar {
            self.header_to_sar(reference);
        }
        long_messages != LongMessages::Sar
    }

    /// Moves the concatenation header into sar_msg_ref_num, sar_total_segments and sar_segment_seqnum
    /// (§5.3.2.22 to §5.3.2.24).
    fn header_to_sar(&mut self, reference: u16) {
        let (total, number) = (self.short_message[4], self.short_message[5]);
        self.short_message.drain(..6);
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
