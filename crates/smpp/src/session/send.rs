//! Pushing requests into the window and the write buffer at once.

use bytes::BytesMut;
use tokio::time::Instant;

use super::window::Window;
use crate::CommandId;
use crate::encode::EncodeError;
use crate::pdu::{DataSm, Sm};
use crate::tlv::{Tlvs, tag};

/// Why a request was not taken. Nothing was written and no slot is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The window or the write buffer is full; keep the request and push it when asked again.
    #[error("no room left; push it when asked again")]
    Full,
    /// It cannot be written as it is.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The peer speaks SMPP 3.3 and would lose part of the message with its optional parameters.
    #[error(
        "the peer speaks SMPP 3.3, where message_payload and SAR do not exist; split the message by user data header, \
         or set the operator to accept optional parameters"
    )]
    NoTlvs,
}

/// Room for new requests.
#[derive(Debug)]
pub(crate) struct SendBatch<'a> {
    pub(crate) window: &'a mut Window,
    pub(crate) out: &'a mut BytesMut,
    pub(crate) now: Instant,
    pub(crate) octets_written: u64,
    pub(crate) write_octets_max: usize,
    pub(crate) tlvs_allowed: bool,
    pub(crate) pushed: &'a mut usize,
    pub(crate) refused: &'a mut bool,
}

impl SendBatch<'_> {
    pub(crate) fn room(&self) -> usize {
        if self.out.len() >= self.write_octets_max { 0 } else { self.window.room() }
    }

    pub(crate) fn push_sm(&mut self, command_id: CommandId, token: u64, message: &Sm<'_>) -> Result<(), PushError> {
        let tlvs = self.allowed(message.tlvs)?;
        let message = Sm { tlvs, ..*message };
        self.push(command_id, token, |sequence_number, out| {
            if command_id == CommandId::SUBMIT_SM {
                message.encode_submit(sequence_number, out)
            } else {
                message.encode_deliver(sequence_number, out)
            }
        })
    }

    pub(crate) fn push_data(&mut self, token: u64, message: &DataSm<'_>) -> Result<(), PushError> {
        let tlvs = self.allowed(message.tlvs)?;
        let message = DataSm { tlvs, ..*message };
        self.push(CommandId::DATA_SM, token, |sequence_number, out| message.encode(sequence_number, out))
    }

    /// The parameters a peer may be sent: those it can do without are left out, the others are refused.
    fn allowed<'t>(&self, tlvs: Tlvs<'t>) -> Result<Tlvs<'t>, PushError> {
        if self.tlvs_allowed || tlvs.is_empty() {
            return Ok(tlvs);
        }
        let carries_text = tlvs.iter().any(|tlv| matches!(tlv.tag, tag::MESSAGE_PAYLOAD | tag::SAR_MSG_REF_NUM));
        if carries_text { Err(PushError::NoTlvs) } else { Ok(Tlvs::EMPTY) }
    }

    fn push(
        &mut self,
        command_id: CommandId,
        token: u64,
        encode: impl FnOnce(u32, &mut BytesMut) -> Result<(), EncodeError>,
    ) -> Result<(), PushError> {
        if self.room() == 0 {
            *self.refused = true;
            return Err(PushError::Full);
        }
        let sequence_number = self.window.take_sequence_number();
        encode(sequence_number, self.out)?;
        let frame_ends_at = self.octets_written + self.out.len() as u64;
        self.window.reserve(sequence_number, command_id, token, self.now, frame_ends_at);
        *self.pushed += 1;
        Ok(())
    }
}
