//! What a fact leaves in a message's history.

use std::borrow::Cow;

use domain::clock::UnixMillis;
use domain::fact::{MessageFact, WebhookCall};
use domain::state::{NO_RECEIPT, PARTIAL_EVIDENCE, Status};

use super::write::NewStep;

/// The step a fact leaves; a plain hand-over leaves none, for the part itself tells of it.
pub(crate) fn new_step<'a>(
    what: &'a MessageFact,
    at: UnixMillis,
    moved: Option<Status>,
    told: bool,
) -> Option<NewStep<'a>> {
    let step = |kind, part, carrier, detail: Cow<'a, str>, raw| {
        Some(NewStep { at: at.0, kind, part, carrier, status: moved, detail, raw, logged: None, told })
    };
    match what {
        MessageFact::Submitted { .. } => None,
        MessageFact::Refused { part, carrier, command_status, .. } => {
            step("refused", *part, Some(*carrier), format!("{command_status:#06x}").into(), &[])
        }
        MessageFact::Receipt { part, carrier, error, raw, .. } => {
            step("receipt", *part, Some(*carrier), Cow::Borrowed(&**error), &**raw)
        }
        MessageFact::Intended { .. } | MessageFact::NotSent { .. } => None,
        MessageFact::Unanswered { part, carrier, is_repeated } => {
            let detail = if *is_repeated { "repeated" } else { "not_repeated" };
            step("unanswered", *part, Some(*carrier), detail.into(), &[])
        }
        MessageFact::Rerouted { carrier, reason } => step("rerouted", 0, Some(*carrier), Cow::Borrowed(&**reason), &[]),
        // What came too late to end or cancel the message did not happen to it.
        MessageFact::Ended { .. }
        | MessageFact::NoReceipt { .. }
        | MessageFact::Cancelled
        | MessageFact::Purged { .. }
            if moved.is_none() =>
        {
            None
        }
        MessageFact::NoReceipt { .. } => {
            let reason = if moved == Some(Status::Delivered) { PARTIAL_EVIDENCE } else { NO_RECEIPT };
            step("ended", 0, None, reason.into(), &[])
        }
        MessageFact::Ended { reason, .. } => step("ended", 0, None, (*reason).into(), &[]),
        MessageFact::Cancelled => step("cancelled", 0, None, "".into(), &[]),
        MessageFact::Purged { reason } => step("purged", 0, None, Cow::Borrowed(&**reason), &[]),
    }
}

/// How a webhook call failed, in words.
pub(crate) fn failed_call(call: &WebhookCall) -> String {
    let answer = if call.http_status == 0 { String::new() } else { format!("HTTP {} ", call.http_status) };
    format!("attempt {} after {} ms: {answer}{}", call.attempt, call.latency_ms, call.failure)
}
