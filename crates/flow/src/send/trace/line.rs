//! A frame in words, with everything masked that need not be seen.

use domain::clock::UnixMillis;
use domain::control::Carrier;
use domain::phone::Phone;
use smpp::CommandStatus;
use smpp::pdu::{Address, Bind, Damage, Decoded, MessageIdResp, Pdu, Sm, decode};
use smpp::receipt;
use smpp::session::Direction;
use smpp::tlv::Tlvs;
use text::Reference;

use super::hub::TracedFrame;
use crate::two_way::text_of;

/// What is not masked. Passwords always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masking {
    /// Show texts of messages.
    pub show_text: bool,
    /// Show whole phone numbers.
    pub show_numbers: bool,
}

/// One PDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// When it was read or written.
    pub at: UnixMillis,
    /// The carrier's name.
    pub carrier: String,
    /// The bind, from 0.
    pub bind: u16,
    /// Which way it went.
    pub direction: Direction,
    /// Its name in the specification, or its number.
    pub pdu: String,
    /// Joins a response to its request.
    pub sequence_number: u32,
    /// The verdict of a response; `None` for requests.
    pub status: Option<String>,
    /// Its fields by the names of the specification, those with their usual values left out.
    pub fields: Vec<(&'static str, String)>,
}

impl TraceLine {
    /// A frame in words.
    #[must_use]
    pub fn of(frame: &TracedFrame, masking: Masking) -> Self {
        let decoded = decode(&frame.octets);
        let header = decoded.header();
        let mut words = Words { carrier: &frame.carrier, masking, fields: Vec::new() };
        match &decoded {
            Decoded::Parsed { pdu, quirks, .. } => {
                words.pdu(pdu);
                if !quirks.is_empty() {
                    words.push("quirks", format!("{quirks:?}"));
                }
            }
            Decoded::Damaged { raw, why, .. } => words.damage(raw, *why),
        }
        let status = header.command_id.is_response().then(|| status_words(header.command_status));
        Self {
            at: frame.at,
            carrier: frame.carrier.name.clone(),
            bind: frame.bind,
            direction: frame.direction,
            pdu: header.command_id.name().map_or_else(|| format!("{:#010x}", header.command_id.0), str::to_owned),
            sequence_number: header.sequence_number,
            status,
            fields: words.fields,
        }
    }

    /// Whether it is a response that says no.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.status.as_deref().is_some_and(|status| status != "ROK")
    }
}

fn status_words(status: CommandStatus) -> String {
    status.name().map_or_else(|| format!("{:#010x}", status.0), str::to_owned)
}

/// The fields of a PDU while they are put into words.
struct Words<'a> {
    carrier: &'a Carrier,
    masking: Masking,
    fields: Vec<(&'static str, String)>,
}

impl Words<'_> {
    fn push(&mut self, name: &'static str, value: impl Into<String>) {
        self.fields.push((name, value.into()));
    }

    /// Octets as readable characters; nothing takes over the terminal of whoever reads them.
    fn text(octets: &[u8]) -> String {
        String::from_utf8_lossy(octets)
            .chars()
            .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
            .collect()
    }

    fn pdu(&mut self, pdu: &Pdu<'_>) {
        match pdu {
            Pdu::Bind(bind) => self.bind(bind),
            Pdu::BindResp(resp) => self.push("system_id", Self::text(resp.system_id)),
            Pdu::SubmitSm(sm) | Pdu::DeliverSm(sm) => self.sm(sm),
            Pdu::DataSm(data) => self.sm(&data.as_sm()),
            Pdu::SubmitSmResp(resp) | Pdu::DeliverSmResp(resp) | Pdu::DataSmResp(resp) => self.resp(resp),
            Pdu::Recognised(body) | Pdu::Unknown(body) => self.push("body", format!("{} octets", body.len())),
            _ => {}
        }
    }

    fn bind(&mut self, bind: &Bind<'_>) {
        self.push("system_id", Self::text(bind.system_id));
        self.push("password", "***");
        if !bind.system_type.is_empty() {
            self.push("system_type", Self::text(bind.system_type));
        }
        self.push("interface_version", format!("{:#04x}", bind.interface_version));
    }

    fn resp(&mut self, resp: &MessageIdResp<'_>) {
        if let Some(id) = resp.message_id {
            self.push("message_id", Self::text(id));
        }
        if let Some(state) = resp.tlvs.congestion_state() {
            self.push("congestion_state", state.to_string());
        }
    }

    fn sm(&mut self, sm: &Sm<'_>) {
        self.push("source", self.address(&sm.source));
        self.push("destination", self.address(&sm.destination));
        for (name, octet) in [
            ("esm_class", sm.esm_class),
            ("registered_delivery", sm.registered_delivery),
            ("data_coding", sm.data_coding),
        ] {
            if octet != 0 {
                self.push(name, format!("{octet:#04x}"));
            }
        }
        if !sm.validity_period.is_empty() {
            self.push("validity_period", Self::text(sm.validity_period));
        }
        if sm.esm_class & 0x40 != 0
            && let Some(place) = text::udh::split(sm.message()).and_then(|(header, _)| header.concat())
        {
            let reference = match place.reference {
                Reference::Bits8(reference) => u16::from(reference),
                Reference::Bits16(reference) => reference,
            };
            self.push("part", format!("{} of {}, reference {reference}", place.number, place.total));
        }
        if receipt::is_receipt(sm.esm_class) {
            self.receipt(sm);
        } else {
            let octets = sm.message().len();
            let shown = self.masking.show_text.then(|| format!("{:?}", text_of(self.carrier.default_alphabet, sm)));
            self.push("text", shown.unwrap_or_else(|| format!("*** ({octets} octets)")));
        }
        self.tlvs(sm.tlvs);
    }

    fn receipt(&mut self, sm: &Sm<'_>) {
        let words = receipt::text_of(sm);
        let Some(found) = receipt::parse(&words, sm.tlvs) else {
            self.push("receipt", format!("*** ({} octets that are no receipt)", words.len()));
            return;
        };
        for (name, value) in
            [("id", found.id()), ("stat", found.stat), ("err", found.err), ("done_date", found.done_date)]
        {
            if let Some(value) = value {
                self.push(name, Self::text(value));
            }
        }
    }

    fn tlvs(&mut self, tlvs: Tlvs<'_>) {
        if let Some((reference, total, number)) = tlvs.sar() {
            self.push("part", format!("{number} of {total}, reference {reference}"));
        }
        if let Some(state) = tlvs.message_state() {
            self.push("message_state", state.to_string());
        }
        let count = tlvs.iter().count();
        if count > 0 {
            self.push("tlvs", count.to_string());
        }
    }

    fn address(&self, address: &Address<'_>) -> String {
        let digits = Self::text(address.digits);
        match Phone::parse(&digits) {
            Ok(phone) if !self.masking.show_numbers => phone.masked(),
            _ => digits,
        }
    }

    fn damage(&mut self, raw: &[u8], why: Damage) {
        self.push("damage", why.to_string());
        self.push("octets", raw.len().to_string());
        if self.masking.show_text && self.masking.show_numbers {
            self.push("raw", raw.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
        }
    }
}
