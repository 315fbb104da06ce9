//! Answers to requests of the peer.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;

use crate::encode::message_response;
use crate::tlv::Tlvs;
use crate::{CommandId, CommandStatus, Header};

/// The answer to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The `sequence_number` of the request.
    pub sequence_number: u32,
    /// The `command_id` of the request.
    pub request: CommandId,
    /// The verdict.
    pub status: CommandStatus,
    /// The id given to a submitted message; empty in answers to `deliver_sm`.
    pub message_id: &'a [u8],
    /// Optional parameters; usually none.
    pub tlvs: Tlvs<'a>,
}

impl Answer<'static> {
    /// An answer without a message id.
    #[must_use]
    pub const fn new(request: Header, status: CommandStatus) -> Self {
        Self {
            sequence_number: request.sequence_number,
            request: request.command_id,
            status,
            message_id: &[],
            tlvs: Tlvs::EMPTY,
        }
    }
}

impl<'a> Answer<'a> {
    /// Accepts a message under `message_id`.
    #[must_use]
    pub const fn accepted(request: Header, message_id: &'a [u8]) -> Self {
        Self {
            sequence_number: request.sequence_number,
            request: request.command_id,
            status: CommandStatus::ROK,
            message_id,
            tlvs: Tlvs::EMPTY,
        }
    }

    /// Writes the response unless the request has none or every request is answered already.
    pub(crate) fn write(&self, unanswered: &AtomicUsize, out: &mut BytesMut) -> bool {
        let Some(response) = self.request.response() else {
            return false;
        };
        let one_less = |count: usize| count.checked_sub(1);
        if unanswered.try_update(Ordering::AcqRel, Ordering::Acquire, one_less).is_err() {
            return false;
        }
        message_response(response, self.status, self.sequence_number, self.message_id, self.tlvs, out);
        true
    }
}

/// Answers written from within the handler, straight into the write buffer.
#[derive(Debug)]
pub struct Answers<'a> {
    pub(crate) unanswered: &'a AtomicUsize,
    pub(crate) out: &'a mut BytesMut,
}

impl Answers<'_> {
    /// Answers one request now. Each request is answered once: here, or later by [`super::SessionHandle::respond`].
    pub fn respond(&mut self, answer: &Answer<'_>) {
        answer.write(self.unanswered, self.out);
    }
}
