//! Receipts as operators write them (SMPP 3.4 appendix B).

use domain::clock::UnixMillis;
use smpp::pdu::{DataSm, DeliverSm};
use smpp::tlv::{TlvBuffer, tag};

use super::behaviour::{Outcome, ReceiptForm};
use super::delivery::Receipt;

/// `esm_class` of a receipt, and of an intermediate one (SMPP 3.4 §5.2.12).
const FINAL: u8 = 0x04;
const INTERMEDIATE: u8 = 0x20;

impl Outcome {
    /// The state word, the error and the number of the state (SMPP 3.4 §5.2.28).
    pub(super) const fn words(self) -> (&'static str, &'static str, u8) {
        match self {
            Self::Enroute => ("ENROUTE", "000", 1),
            Self::Delivered => ("DELIVRD", "000", 2),
            Self::Expired => ("EXPIRED", "034", 3),
            Self::Deleted => ("DELETED", "045", 4),
            Self::Undelivered => ("UNDELIV", "021", 5),
            Self::Rejected => ("REJECTD", "066", 8),
            Self::Unknown | Self::Silent => ("UNKNOWN", "099", 7),
        }
    }
}

/// Writes receipts into buffers that are used again and again.
#[derive(Debug, Default)]
pub(super) struct ReceiptWriter {
    text: String,
    id: String,
    tlvs: TlvBuffer,
    ucs2: Vec<u8>,
    /// The dates written last, by minute: nearly all receipts of a moment share them.
    dates: [(i64, String); 2],
}

impl ReceiptWriter {
    /// The `data_sm` of `receipt`.
    pub(super) fn write_data<'a>(&'a mut self, receipt: &'a Receipt, now: UnixMillis) -> DataSm<'a> {
        let sm = self.write(receipt, now);
        DataSm {
            service_type: b"",
            source: sm.source,
            destination: sm.destination,
            esm_class: sm.esm_class,
            registered_delivery: 0,
            data_coding: 0,
            tlvs: sm.tlvs,
        }
    }

    /// The PDU of `receipt`, done at `now`.
    pub(super) fn write<'a>(&'a mut self, receipt: &'a Receipt, now: UnixMillis) -> DeliverSm<'a> {
        let (word, error, state) = receipt.outcome.words();
        self.id.clear();
        receipt.format.write_in_receipt(receipt.number, &mut self.id);
        self.text.clear();
        self.tlvs.clear();
        let has_text = !matches!(receipt.form, ReceiptForm::Tlv | ReceiptForm::DataSm);
        if has_text {
            self.write_text(receipt, word, error, now);
        }
        self.ucs2.clear();
        if receipt.form == ReceiptForm::Ucs2 {
            text::ucs2::encode_into(&self.text, &mut self.ucs2);
        }
        if !matches!(receipt.form, ReceiptForm::Text | ReceiptForm::Ucs2) {
            self.tlvs.push_text(tag::RECEIPTED_MESSAGE_ID, self.id.as_bytes());
            self.tlvs.push(tag::MESSAGE_STATE, &[state]);
        }
        DeliverSm {
            source: receipt.recipient.address(),
            destination: receipt.sender.address(),
            esm_class: if receipt.outcome == Outcome::Enroute { INTERMEDIATE } else { FINAL },
            data_coding: if receipt.form == ReceiptForm::Ucs2 { 0x08 } else { 0x00 },
            short_message: if receipt.form == ReceiptForm::Ucs2 { &self.ucs2 } else { self.text.as_bytes() },
            tlvs: self.tlvs.as_tlvs(),
            ..DeliverSm::default()
        }
    }

    fn write_text(&mut self, receipt: &Receipt, word: &str, error: &str, now: UnixMillis) {
        let delivered = if receipt.outcome == Outcome::Delivered { "001" } else { "000" };
        let minutes = [receipt.submitted_minute, now.seconds().div_euclid(60)];
        for (known, minute) in self.dates.iter_mut().zip(minutes) {
            if known.0 != minute || known.1.is_empty() {
                *known = (minute, date(minute));
            }
        }
        let text_octets = receipt.text_start.iter().position(|&octet| octet == 0).unwrap_or(receipt.text_start.len());
        let text = std::str::from_utf8(&receipt.text_start[..text_octets]).unwrap_or_default();
        let [(_, submitted), (_, done)] = &self.dates;
        for piece in [
            "id:",
            &self.id,
            " sub:001 dlvrd:",
            delivered,
            " submit date:",
            submitted,
            " done date:",
            done,
            " stat:",
            word,
            " err:",
            error,
        ] {
            self.text.push_str(piece);
        }
        // In UCS-2 the text of the message would not fit beside the rest.
        if receipt.form != ReceiptForm::Ucs2 {
            self.text.push_str(" text:");
            self.text.push_str(text);
        }
    }
}

/// `YYMMDDhhmm` in UTC.
fn date(minute: i64) -> String {
    let text = domain::timestamp::format_utc(UnixMillis::from_seconds(minute * 60));
    text.chars().filter(char::is_ascii_digit).skip(2).take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::IdFormat;
    use crate::operator::delivery::Digits;

    fn receipt(form: ReceiptForm, outcome: Outcome) -> Receipt {
        let mut text_start = [0; 20];
        text_start[..5].copy_from_slice(b"Hello");
        Receipt {
            number: 255,
            outcome,
            format: IdFormat::HexadecimalInResponse,
            form,
            recipient: Digits::typed("48500100200"),
            sender: Digits::typed("ACME"),
            submitted_minute: 28_333_333,
            text_start,
            not_over: 0,
            attempts: 0,
        }
    }

    #[test]
    fn a_receipt_in_ucs2_fits_whatever_the_id() {
        let mut writer = ReceiptWriter::default();
        let receipt =
            Receipt { format: IdFormat::Uuid, number: u64::MAX, ..receipt(ReceiptForm::Ucs2, Outcome::Delivered) };
        let sm = writer.write(&receipt, UnixMillis::from_seconds(1_700_000_040));
        assert_eq!(sm.data_coding, 0x08);
        assert!(sm.short_message.len() <= 254, "{}", sm.short_message.len());
        let units: Vec<u16> =
            sm.short_message.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        assert!(String::from_utf16(&units).unwrap().ends_with("stat:DELIVRD err:000"));
    }

    #[test]
    fn the_text_is_that_of_appendix_b() {
        let mut writer = ReceiptWriter::default();
        let receipt = receipt(ReceiptForm::Text, Outcome::Expired);
        let sm = writer.write(&receipt, UnixMillis::from_seconds(1_700_000_040));
        let expected =
            "id:255 sub:001 dlvrd:000 submit date:2311142213 done date:2311142214 stat:EXPIRED err:034 text:Hello";
        assert_eq!(std::str::from_utf8(sm.short_message), Ok(expected));
        assert_eq!((sm.esm_class, sm.source.ton, sm.destination.ton), (0x04, 1, 5));
        assert!(sm.tlvs.is_empty());
    }

    #[test]
    fn parameters_say_it_alone_or_too() {
        let mut writer = ReceiptWriter::default();
        let alone = receipt(ReceiptForm::Tlv, Outcome::Delivered);
        let sm = writer.write(&alone, UnixMillis(0));
        assert!(sm.short_message.is_empty());
        assert_eq!((sm.tlvs.receipted_message_id(), sm.tlvs.message_state()), (Some(&b"255"[..]), Some(2)));
        let both = receipt(ReceiptForm::Both, Outcome::Enroute);
        let sm = writer.write(&both, UnixMillis(0));
        assert!(sm.short_message.starts_with(b"id:255 ") && sm.tlvs.message_state() == Some(1));
        assert_eq!(sm.esm_class, 0x20);
    }
}
