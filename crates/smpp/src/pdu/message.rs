//! `submit_sm`, `deliver_sm`, `data_sm` and their responses (SMPP 3.4 §4.4, §4.6, §4.7).

use bytes::BytesMut;

use super::Damage;
use crate::cursor::Cursor;
use crate::encode::{EncodeError, Frame, c_string_field};
use crate::frame::HEADER_OCTETS;
use crate::tlv::{Tlvs, tag};
use crate::{CommandId, CommandStatus};

/// Octets of an address of `submit_sm` and `deliver_sm`, without its NUL.
const ADDRESS_OCTETS_MAX: usize = 20;

/// Octets of an address of `data_sm`, without its NUL.
const DATA_ADDRESS_OCTETS_MAX: usize = 64;

/// Where a message comes from or goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Address<'a> {
    /// Type of number (§5.2.5): 0 unknown, 1 international, 3 network specific, 5 alphanumeric.
    pub ton: u8,
    /// Numbering plan (§5.2.6): 0 unknown, 1 E.164.
    pub npi: u8,
    /// Digits or letters, up to 20 octets.
    pub digits: &'a [u8],
}

/// The body that `submit_sm` (§4.4.1) and `deliver_sm` (§4.6.1) share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sm<'a> {
    /// Up to 5 octets, usually empty.
    pub service_type: &'a [u8],
    /// The sender.
    pub source: Address<'a>,
    /// The recipient.
    pub destination: Address<'a>,
    /// Mode, type and features (§5.2.12).
    pub esm_class: u8,
    /// §5.2.13.
    pub protocol_id: u8,
    /// §5.2.14.
    pub priority_flag: u8,
    /// Empty, or 16 octets (§7.1.1).
    pub schedule_delivery_time: &'a [u8],
    /// Empty, or 16 octets (§7.1.1).
    pub validity_period: &'a [u8],
    /// Which receipts are wanted (§5.2.17).
    pub registered_delivery: u8,
    /// §5.2.18.
    pub replace_if_present_flag: u8,
    /// The alphabet (§5.2.19).
    pub data_coding: u8,
    /// §5.2.20.
    pub sm_default_msg_id: u8,
    /// The message with its user data header, up to 255 octets (254 in 3.4).
    pub short_message: &'a [u8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

/// A message for the SMSC.
pub type SubmitSm<'a> = Sm<'a>;

/// A receipt or an incoming message.
pub type DeliverSm<'a> = Sm<'a>;

impl<'a> Sm<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        let service_type = cursor.c_string("service_type", 6)?;
        let source = Address::decode(cursor, "source_addr", ADDRESS_OCTETS_MAX + 1)?;
        let destination = Address::decode(cursor, "destination_addr", ADDRESS_OCTETS_MAX + 1)?;
        let esm_class = cursor.octet("esm_class")?;
        let protocol_id = cursor.octet("protocol_id")?;
        let priority_flag = cursor.octet("priority_flag")?;
        let schedule_delivery_time = cursor.c_string("schedule_delivery_time", 17)?;
        let validity_period = cursor.c_string("validity_period", 17)?;
        let registered_delivery = cursor.octet("registered_delivery")?;
        let replace_if_present_flag = cursor.octet("replace_if_present_flag")?;
        let data_coding = cursor.octet("data_coding")?;
        let sm_default_msg_id = cursor.octet("sm_default_msg_id")?;
        let sm_length = cursor.octet("sm_length")?;
        Ok(Self {
            service_type,
            source,
            destination,
            esm_class,
            protocol_id,
            priority_flag,
            schedule_delivery_time,
            validity_period,
            registered_delivery,
            replace_if_present_flag,
            data_coding,
            sm_default_msg_id,
            short_message: cursor.octets(sm_length.into()),
            tlvs: cursor.tlvs(),
        })
    }

    /// The message wherever it stands: `short_message`, or `message_payload` when that is empty.
    #[must_use]
    pub fn message(&self) -> &'a [u8] {
        if self.short_message.is_empty() {
            return self.tlvs.message_payload().unwrap_or_default();
        }
        self.short_message
    }

    /// Appends a `submit_sm` frame to `out`.
    ///
    /// # Errors
    /// [`EncodeError`] if a field cannot be sent as it is; `out` is then unchanged.
    pub fn encode_submit(&self, sequence_number: u32, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.encode(CommandId::SUBMIT_SM, sequence_number, out)
    }

    /// Appends a `deliver_sm` frame to `out`.
    ///
    /// # Errors
    /// [`EncodeError`] if a field cannot be sent as it is; `out` is then unchanged.
    pub fn encode_deliver(&self, sequence_number: u32, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.encode(CommandId::DELIVER_SM, sequence_number, out)
    }

    fn encode(&self, command_id: CommandId, sequence_number: u32, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.check()?;
        let mut frame = Frame::begin(out, command_id, CommandStatus::ROK, sequence_number);
        frame.c_string(self.service_type);
        frame.address(self.source);
        frame.address(self.destination);
        frame.octets(&[self.esm_class, self.protocol_id, self.priority_flag]);
        frame.c_string(self.schedule_delivery_time);
        frame.c_string(self.validity_period);
        frame.octets(&[
            self.registered_delivery,
            self.replace_if_present_flag,
            self.data_coding,
            self.sm_default_msg_id,
            self.short_message.len() as u8,
        ]);
        frame.octets(self.short_message);
        frame.octets(self.tlvs.raw());
        frame.finish();
        Ok(())
    }

    fn check(&self) -> Result<(), EncodeError> {
        c_string_field("service_type", self.service_type, 5)?;
        c_string_field("source_addr", self.source.digits, ADDRESS_OCTETS_MAX)?;
        c_string_field("destination_addr", self.destination.digits, ADDRESS_OCTETS_MAX)?;
        c_string_field("schedule_delivery_time", self.schedule_delivery_time, 16)?;
        c_string_field("validity_period", self.validity_period, 16)?;
        if self.short_message.len() > usize::from(u8::MAX) {
            return Err(EncodeError::TooLong {
                field: "short_message",
                octets: self.short_message.len(),
                octets_max: usize::from(u8::MAX),
            });
        }
        if !self.short_message.is_empty() && self.tlvs.get(tag::MESSAGE_PAYLOAD).is_some() {
            return Err(EncodeError::MessageTwice);
        }
        Ok(())
    }
}

impl<'a> Address<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>, field: &'static str, octets_max: usize) -> Result<Self, Damage> {
        Ok(Self { ton: cursor.octet(field)?, npi: cursor.octet(field)?, digits: cursor.address(field, octets_max)? })
    }
}

/// `data_sm` (§4.7.1): a message in either direction with its text in `message_payload`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DataSm<'a> {
    /// Up to 5 octets, usually empty.
    pub service_type: &'a [u8],
    /// The sender.
    pub source: Address<'a>,
    /// The recipient.
    pub destination: Address<'a>,
    /// Mode, type and features (§5.2.12).
    pub esm_class: u8,
    /// Which receipts are wanted (§5.2.17).
    pub registered_delivery: u8,
    /// The alphabet (§5.2.19).
    pub data_coding: u8,
    /// Optional parameters, the message among them.
    pub tlvs: Tlvs<'a>,
}

impl<'a> DataSm<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Result<Self, Damage> {
        Ok(Self {
            service_type: cursor.c_string("service_type", 6)?,
            source: Address::decode(cursor, "source_addr", DATA_ADDRESS_OCTETS_MAX + 1)?,
            destination: Address::decode(cursor, "destination_addr", DATA_ADDRESS_OCTETS_MAX + 1)?,
            esm_class: cursor.octet("esm_class")?,
            registered_delivery: cursor.octet("registered_delivery")?,
            data_coding: cursor.octet("data_coding")?,
            tlvs: cursor.tlvs(),
        })
    }

    /// The same message in the shape of `deliver_sm`, so that one handler serves both.
    #[must_use]
    pub fn as_sm(&self) -> Sm<'a> {
        Sm {
            service_type: self.service_type,
            source: self.source,
            destination: self.destination,
            esm_class: self.esm_class,
            registered_delivery: self.registered_delivery,
            data_coding: self.data_coding,
            tlvs: self.tlvs,
            ..Sm::default()
        }
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// [`EncodeError`] if a field cannot be sent as it is; `out` is then unchanged.
    pub fn encode(&self, sequence_number: u32, out: &mut BytesMut) -> Result<(), EncodeError> {
        c_string_field("service_type", self.service_type, 5)?;
        c_string_field("source_addr", self.source.digits, DATA_ADDRESS_OCTETS_MAX)?;
        c_string_field("destination_addr", self.destination.digits, DATA_ADDRESS_OCTETS_MAX)?;
        let mut frame = Frame::begin(out, CommandId::DATA_SM, CommandStatus::ROK, sequence_number);
        frame.c_string(self.service_type);
        frame.address(self.source);
        frame.address(self.destination);
        frame.octets(&[self.esm_class, self.registered_delivery, self.data_coding]);
        frame.octets(self.tlvs.raw());
        frame.finish();
        Ok(())
    }
}

/// `submit_sm_resp`, `deliver_sm_resp`, `data_sm_resp`, `submit_multi_resp` up to its list (§4.4.2, §4.6.2, §4.7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageIdResp<'a> {
    /// The operator's id of the message: any octets, any length; `None` if absent or empty.
    pub message_id: Option<&'a [u8]>,
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> MessageIdResp<'a> {
    pub(super) fn decode(cursor: &mut Cursor<'a>) -> Self {
        let message_id = cursor.optional_c_string(65).filter(|id| !id.is_empty());
        Self { message_id, tlvs: cursor.tlvs() }
    }
}

/// The message id and the optional parameters of a whole response frame, read the shortest way.
#[must_use]
pub fn message_id_of(frame: &[u8]) -> MessageIdResp<'_> {
    MessageIdResp::decode(&mut Cursor::new(frame.get(HEADER_OCTETS..).unwrap_or_default()))
}
