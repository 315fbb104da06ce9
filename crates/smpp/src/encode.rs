//! Writing frames. Reading forgives, writing does not: what cannot be sent as it is is an [`EncodeError`].

use bytes::{BufMut, BytesMut};

use crate::frame::HEADER_OCTETS;
use crate::pdu::Address;
use crate::{CommandId, CommandStatus, Header};

/// Why a PDU cannot be written. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A field is longer than the specification allows.
    #[error("{field} has {octets} octets; at most {octets_max} can be sent")]
    TooLong {
        /// Its name in the specification.
        field: &'static str,
        /// Its length.
        octets: usize,
        /// Its limit.
        octets_max: usize,
    },
    /// A C-octet string holds the octet that would end it.
    #[error("{field} holds a NUL octet, which would end it early")]
    NulInside {
        /// Its name in the specification.
        field: &'static str,
    },
    /// Both `short_message` and `message_payload` are given (SMPP 3.4 §4.4.1).
    #[error("the message stands in short_message and in message_payload; give it once")]
    MessageTwice,
}

pub(crate) fn c_string_field(field: &'static str, value: &[u8], octets_max: usize) -> Result<(), EncodeError> {
    if value.len() > octets_max {
        return Err(EncodeError::TooLong { field, octets: value.len(), octets_max });
    }
    if value.contains(&0) {
        return Err(EncodeError::NulInside { field });
    }
    Ok(())
}

/// A frame being written at the end of a buffer; its length is filled in by [`Self::finish`].
pub(crate) struct Frame<'a> {
    out: &'a mut BytesMut,
    start: usize,
}

impl<'a> Frame<'a> {
    pub(crate) fn begin(out: &'a mut BytesMut, id: CommandId, status: CommandStatus, sequence_number: u32) -> Self {
        let start = out.len();
        // One growth for a usual PDU instead of one for each field.
        out.reserve(256);
        let header = Header { command_id: id, command_status: status, sequence_number };
        out.put_slice(&header.to_octets(HEADER_OCTETS as u32));
        Self { out, start }
    }

    pub(crate) fn octets(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    pub(crate) fn c_string(&mut self, value: &[u8]) {
        self.out.extend_from_slice(value);
        self.out.put_u8(0);
    }

    pub(crate) fn address(&mut self, address: Address<'_>) {
        self.out.extend_from_slice(&[address.ton, address.npi]);
        self.c_string(address.digits);
    }

    pub(crate) fn finish(self) {
        let length = (self.out.len() - self.start) as u32;
        self.out[self.start..self.start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

/// Appends a PDU without a body: `enquire_link`, `unbind`, their responses, `generic_nack`, most refusals.
pub fn header_only(command_id: CommandId, status: CommandStatus, sequence_number: u32, out: &mut BytesMut) {
    let header = Header { command_id, command_status: status, sequence_number };
    out.extend_from_slice(&header.to_octets(HEADER_OCTETS as u32));
}

/// Appends a PDU with any octets as its body, for peers that are to misbehave on purpose and for unknown commands.
pub fn raw(command_id: CommandId, status: CommandStatus, sequence_number: u32, body: &[u8], out: &mut BytesMut) {
    let mut frame = Frame::begin(out, command_id, status, sequence_number);
    frame.octets(body);
    frame.finish();
}

/// Appends the response to a message (`submit_sm_resp`, `deliver_sm_resp`, `data_sm_resp`) with its id and optional
/// parameters.
///
/// A refused `submit_sm` or `data_sm` has no body (SMPP 3.4 §4.4.2); `deliver_sm_resp` always carries its empty id
/// (§4.6.2). An id is cut at a NUL, which would end it on the wire anyway.
pub fn message_response(
    command_id: CommandId,
    status: CommandStatus,
    sequence_number: u32,
    message_id: &[u8],
    tlvs: crate::tlv::Tlvs<'_>,
    out: &mut BytesMut,
) {
    let has_body = matches!(
        command_id,
        CommandId::SUBMIT_SM_RESP | CommandId::DATA_SM_RESP | CommandId::DELIVER_SM_RESP | CommandId::SUBMIT_MULTI_RESP
    );
    if !has_body || (!status.is_ok() && command_id != CommandId::DELIVER_SM_RESP && tlvs.is_empty()) {
        return header_only(command_id, status, sequence_number, out);
    }
    let mut frame = Frame::begin(out, command_id, status, sequence_number);
    let end = message_id.iter().position(|&octet| octet == 0).unwrap_or(message_id.len());
    frame.c_string(&message_id[..end]);
    frame.octets(tlvs.raw());
    frame.finish();
}
