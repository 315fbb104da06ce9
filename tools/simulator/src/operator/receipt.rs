//! Receipts as operators write them (SMPP 3.4 appendix B).

use domain::clock::UnixMillis;
use smpp::pdu::DeliverSm;
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
    /// The dates written last, by minute: nearly all receipts of a moment share them.
    dates: [(i64, String); 2],
}

impl ReceiptWriter {
    /// The PDU of `receipt`, done at `now`.
    pub(super) fn write<'a>(&'a mut self, receipt: &'a Receipt, now: UnixMillis) -> DeliverSm<'a> {
        let (word, error, state) = receipt.outcome.words();
        self.id.clear();
        receipt.format.write_in_receipt(receipt.number, &mut self.id);
        self.text.clear();
        self.tlvs.clear();
        if receipt.form != ReceiptForm::Tlv {
            self.write_text(receipt, word, error, now);
        }
        if receipt.form != ReceiptForm::Text {
            self.tlvs.push_text(tag::RECEIPTED_MESSAGE_ID, self.id.as_bytes());
            self.tlvs.push(tag::MESSAGE_STATE, &[state]);
        }
        DeliverSm {
            source: receipt.recipient.address(),
            destination: receipt.sender.address(),
            esm_class: if receipt.outcome == Outcome::Enroute { INTERMEDIATE } else { FINAL },
            short_message: self.text.as_bytes(),
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
            " text:",
            text,
        ] {
            self.text.push_str(piece);
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
            attempts: 0,
        }
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
