//! How a part is written where the settings of its carrier turned out not to please the operator.

use domain::control::{Carrier, LongMessages, SubmitWith};
use text::{Encoding, Reference, Segment};

use crate::enqueue::{Encoded, Job, ReferenceOctets};

/// What is done otherwise; several things may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Form(u8);

impl Form {
    /// Schedule and validity are left empty.
    pub(super) const WITHOUT_TIMES: Self = Self(1);
    /// No optional parameters.
    pub(super) const WITHOUT_TLVS: Self = Self(2);
    /// UCS-2 although GSM 7-bit would do.
    pub(super) const AS_UCS2: Self = Self(4);
    /// `sar_*` parameters in place of a user data header.
    pub(super) const AS_SAR: Self = Self(8);
    /// A long message in one piece in `message_payload`.
    pub(super) const AS_PAYLOAD: Self = Self(16);
    /// A part of it was written by itself: what was learnt meanwhile does not make one piece of the rest.
    pub(super) const IN_PARTS: Self = Self(32);
    /// What an operator does not take once it will not take the next time either.
    const LEARNT: Self = Self(2 | 8 | 16);

    /// As stored in a job or a carrier.
    pub(super) const fn of_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// To be stored in a job or a carrier.
    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// The part of it that is worth remembering for a carrier.
    pub(super) const fn learnt(self) -> Self {
        Self(self.0 & Self::LEARNT.0)
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this and not in the other.
    pub(super) const fn less(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// What is in both.
    pub(super) const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// How long messages travel in this form, `usual` being how they do else. A payload stays one: its parts left the
    /// line together.
    pub(super) const fn long_messages(self, usual: LongMessages) -> LongMessages {
        match usual {
            _ if self.has(Self::AS_PAYLOAD) => LongMessages::Payload,
            LongMessages::Payload => LongMessages::Payload,
            LongMessages::Sar if self.has(Self::WITHOUT_TLVS) => LongMessages::Udh8,
            kept if self.has(Self::WITHOUT_TLVS) || !self.has(Self::AS_SAR) => kept,
            _ => LongMessages::Sar,
        }
    }

    /// Which PDU carries a part in this form: `data_sm` is nothing without optional parameters.
    pub(super) const fn submit_with(self, carrier: &Carrier) -> SubmitWith {
        if self.has(Self::WITHOUT_TLVS) { SubmitWith::SubmitSm } else { carrier.link.submit_with }
    }

    /// Whether a job would be written otherwise with this added to the `present` form.
    pub(super) fn changes(self, carrier: &Carrier, job: &Job, present: Self) -> bool {
        let next = present.with(self);
        match self {
            Self::AS_UCS2 => as_ucs2(job).is_some(),
            Self::AS_SAR => {
                job.content().parts > 1
                    && next.long_messages(carrier.long_messages) != present.long_messages(carrier.long_messages)
            }
            Self::WITHOUT_TLVS => {
                let long = job.content().parts > 1
                    && next.long_messages(carrier.long_messages) != present.long_messages(carrier.long_messages);
                long || next.submit_with(carrier) != present.submit_with(carrier)
            }
            _ => true,
        }
    }
}

/// The message as it is written otherwise than usual, where this form asks for that.
pub(super) fn other(job: &Job, carrier: &Carrier, form: Form) -> Option<Encoded> {
    if form.has(Form::AS_UCS2)
        && let Some(encoded) = as_ucs2(job)
    {
        return Some(encoded);
    }
    let encoded = if form.has(Form::AS_PAYLOAD) { job.in_one_piece(carrier) } else { None };
    if encoded.is_some() {
        // From now on it is one piece for every bind: its parts leave the line together.
        job.adopt_form(Form::AS_PAYLOAD.bits());
    }
    encoded
}

/// Notes that a message goes in parts, if it does.
pub(super) fn note_parts(job: &Job, is_whole: bool) {
    if !is_whole {
        job.adopt_form(Form::IN_PARTS.bits());
    }
}

/// A text of one part in UCS-2; `None` where that would make more parts than were accepted and priced,
/// or where it is UCS-2 anyway.
fn as_ucs2(job: &Job) -> Option<Encoded> {
    let content = job.content();
    if content.parts != 1 || content.encoding == Encoding::Ucs2 {
        return None;
    }
    let segments = text::segment_as(&job.text(), Encoding::Ucs2, Reference::Bits8(0), 1).ok()?;
    Some(Encoded {
        parts: segments.iter().map(Segment::short_message).collect(),
        reference: ReferenceOctets::None,
        has_tables: false,
        whole: None,
        long_messages: LongMessages::Udh8,
        data_coding: Encoding::Ucs2.data_coding(),
    })
}
