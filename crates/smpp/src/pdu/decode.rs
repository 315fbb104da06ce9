//! From a frame to a PDU.

use super::{
    AlertNotification, Bind, BindMode, BindResp, CancelSm, DataSm, DeliverSm, MessageIdResp, Outbind, QuerySm,
    QuerySmResp, Quirks, ReplaceSm, Sm, SubmitSm,
};
use crate::cursor::Cursor;
use crate::frame::HEADER_OCTETS;
use crate::{CommandId, CommandStatus, Header};

/// Why a body could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The frame is shorter than a header.
    #[error("the frame is shorter than a header")]
    NoHeader,
    /// A mandatory field is missing.
    #[error("the body ends before {field}")]
    EndsBefore {
        /// The first field that is missing.
        field: &'static str,
    },
}

impl Damage {
    /// The status a damaged request is answered with, unless the operator's profile says to accept it.
    #[must_use]
    pub const fn status(self) -> CommandStatus {
        match self {
            Self::NoHeader | Self::EndsBefore { .. } => CommandStatus::RINVCMDLEN,
        }
    }
}

/// What became of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// The body was read.
    Parsed {
        /// The frame's header.
        header: Header,
        /// The body.
        pdu: Pdu<'a>,
        /// What was odd about it.
        quirks: Quirks,
    },
    /// The body was not read; the stream is still in step.
    Damaged {
        /// The frame's header.
        header: Header,
        /// The whole frame, header included.
        raw: &'a [u8],
        /// What is wrong with it.
        why: Damage,
    },
}

impl Decoded<'_> {
    /// The frame's header.
    #[must_use]
    pub const fn header(&self) -> Header {
        match self {
            Self::Parsed { header, .. } | Self::Damaged { header, .. } => *header,
        }
    }
}

/// One PDU, borrowed from its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the specification, the fields those of the structs")]
pub enum Pdu<'a> {
    Bind(Bind<'a>),
    BindResp(BindResp<'a>),
    Outbind(Outbind<'a>),
    Unbind,
    UnbindResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSm(SubmitSm<'a>),
    SubmitSmResp(MessageIdResp<'a>),
    DeliverSm(DeliverSm<'a>),
    DeliverSmResp(MessageIdResp<'a>),
    DataSm(DataSm<'a>),
    DataSmResp(MessageIdResp<'a>),
    QuerySm(QuerySm<'a>),
    QuerySmResp(QuerySmResp<'a>),
    CancelSm(CancelSm<'a>),
    CancelSmResp,
    ReplaceSm(ReplaceSm<'a>),
    ReplaceSmResp,
    AlertNotification(AlertNotification<'a>),
    /// Known to the specification, not to this platform: `submit_multi` and the broadcasts. The body as it stood.
    Recognised(&'a [u8]),
    /// Not known to the specification. The body as it stood.
    Unknown(&'a [u8]),
}

/// Decodes a whole frame as given by [`crate::FrameCutter::next_frame`]. Never fails, never copies.
#[must_use]
pub fn decode(frame: &[u8]) -> Decoded<'_> {
    let Some(header) = Header::read(frame) else {
        let nothing = Header { command_id: CommandId(0), command_status: CommandStatus::ROK, sequence_number: 0 };
        return Decoded::Damaged { header: nothing, raw: frame, why: Damage::NoHeader };
    };
    let mut cursor = Cursor::new(&frame[HEADER_OCTETS..]);
    match body(header, &mut cursor, frame) {
        Ok(pdu) => Decoded::Parsed { header, pdu, quirks: cursor.finish() },
        Err(why) => Decoded::Damaged { header, raw: frame, why },
    }
}

fn body<'a>(header: Header, cursor: &mut Cursor<'a>, frame: &'a [u8]) -> Result<Pdu<'a>, Damage> {
    Ok(match header.command_id {
        CommandId::SUBMIT_SM => Pdu::SubmitSm(Sm::decode(cursor)?),
        CommandId::SUBMIT_SM_RESP => Pdu::SubmitSmResp(MessageIdResp::decode(cursor)),
        CommandId::DELIVER_SM => Pdu::DeliverSm(Sm::decode(cursor)?),
        CommandId::DELIVER_SM_RESP => Pdu::DeliverSmResp(MessageIdResp::decode(cursor)),
        CommandId::DATA_SM => Pdu::DataSm(DataSm::decode(cursor)?),
        CommandId::DATA_SM_RESP => Pdu::DataSmResp(MessageIdResp::decode(cursor)),
        CommandId::ENQUIRE_LINK => Pdu::EnquireLink,
        CommandId::ENQUIRE_LINK_RESP => Pdu::EnquireLinkResp,
        CommandId::UNBIND => Pdu::Unbind,
        CommandId::UNBIND_RESP => Pdu::UnbindResp,
        CommandId::GENERIC_NACK => Pdu::GenericNack,
        CommandId::OUTBIND => Pdu::Outbind(Outbind::decode(cursor)?),
        CommandId::QUERY_SM => Pdu::QuerySm(QuerySm::decode(cursor)?),
        // An error response has no body to read.
        CommandId::QUERY_SM_RESP if header.command_status.is_ok() => Pdu::QuerySmResp(QuerySmResp::decode(cursor)?),
        CommandId::CANCEL_SM => Pdu::CancelSm(CancelSm::decode(cursor)?),
        CommandId::CANCEL_SM_RESP => Pdu::CancelSmResp,
        CommandId::REPLACE_SM => Pdu::ReplaceSm(ReplaceSm::decode(cursor)?),
        CommandId::REPLACE_SM_RESP => Pdu::ReplaceSmResp,
        CommandId::ALERT_NOTIFICATION => Pdu::AlertNotification(AlertNotification::decode(cursor)?),
        other => match BindMode::of(other) {
            Some(mode) if other.is_response() => Pdu::BindResp(BindResp::decode(mode, cursor)),
            Some(mode) => Pdu::Bind(Bind::decode(mode, cursor)?),
            None => {
                // The body is handed out whole, so nothing of it is left over.
                *cursor = Cursor::new(&[]);
                let whole = &frame[HEADER_OCTETS..];
                if other.is_known() { Pdu::Recognised(whole) } else { Pdu::Unknown(whole) }
            }
        },
    })
}
