//! What is made of one submit: a pure function of the behaviour, the number of the submit and its recipient.

use smpp::CommandStatus;

use super::behaviour::{Behaviour, Outcome, ReceiptForm};
use super::ids::IdFormat;
use super::magic::{Magic, magic};

/// Least time between an early receipt and its answer, in milliseconds.
const EARLY_LEAD_MS: u64 = 20;
/// Answer and receipt of the slow magic recipient, in milliseconds.
const SLOW_ANSWER_MS: u64 = 2_000;
const SLOW_RECEIPT_MS: u64 = 8_000;
/// An answer after the 30 s that clients wait, in milliseconds.
const LATE_ANSWER_MS: u64 = 45_000;
/// Least time between an unbind and the answers that come after it, in milliseconds.
const UNBIND_LEAD_MS: u64 = 20;
/// A receipt that was nearly given up, in milliseconds.
const LATE_RECEIPT_MS: u64 = 60_000;
/// `congestion_state` of an operator that takes no more (SMPP 5.0 §4.8.4.18).
const CONGESTED: u8 = 100;

/// What is made of one submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// 0 if it is taken.
    pub(super) status: u32,
    /// Milliseconds until the answer; `None` if there is none.
    pub(super) answer_after_ms: Option<u64>,
    pub(super) outcome: Outcome,
    /// Milliseconds from the arrival to the receipt.
    pub(super) receipt_after_ms: u64,
    pub(super) copies: u8,
    pub(super) intermediate: bool,
    /// The connection is cut.
    pub(super) cut: bool,
    /// With RST.
    pub(super) reset: bool,
    /// The operator unbinds.
    pub(super) unbind: bool,
    /// The handset writes back, shortly or at length.
    pub(super) reply: Option<Reply>,
    pub(super) congestion: Option<u8>,
    pub(super) id_format: IdFormat,
    pub(super) receipt_form: ReceiptForm,
    /// The receipt leaves over another session.
    pub(super) elsewhere: bool,
}

/// What a handset writes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Short,
    Shuffled,
}

/// Where and how a submit came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    /// From 1.
    pub(super) number: u64,
    /// From 1, on its session.
    pub(super) number_on_session: u64,
    pub(super) recipient: &'a [u8],
    /// Whether it begins with a user data header.
    pub(super) has_header: bool,
    /// Whether it carries `sar_*` parameters.
    pub(super) has_sar: bool,
    /// Milliseconds since the start.
    pub(super) at_ms: u64,
    /// Unanswered submits of its session.
    pub(super) unanswered: usize,
}

pub(super) fn judge(behaviour: &Behaviour, arrival: &Arrival<'_>) -> Verdict {
    let number = arrival.number;
    let asked = if behaviour.magic { magic(arrival.recipient) } else { None };
    let refused = match asked {
        Some(Magic::Refused(status)) => Some(status),
        Some(_) => None,
        None => behaviour.refusal(arrival),
    };
    let window_is_full = behaviour.window_max > 0 && arrival.unanswered >= behaviour.window_max;
    let congestion = behaviour.congestion(arrival.at_ms);
    let at_the_top = behaviour.congestion_period_ms > 0 && congestion == Some(CONGESTED);
    let too_much = window_is_full || at_the_top;
    let status = if too_much { CommandStatus::RTHROTTLED.0 } else { refused.unwrap_or(0) };
    let early = asked == Some(Magic::Early) || (asked.is_none() && behaviour.is_early(number));
    let due_to_cut =
        behaviour.disconnect_after > 0 && arrival.number_on_session.is_multiple_of(behaviour.disconnect_after);
    let reset = asked == Some(Magic::Reset);
    let cut = asked == Some(Magic::Cut) || reset || due_to_cut;
    let due_to_unbind = behaviour.unbind_after > 0 && arrival.number_on_session == behaviour.unbind_after;
    let answered = !cut && asked != Some(Magic::Unanswered) && behaviour.is_answered(number);
    let mut answer_after_ms = behaviour.answer_delay_ms(arrival);
    let mut receipt_after_ms = answer_after_ms + behaviour.receipt_delay_ms(number);
    match asked {
        Some(Magic::Slow) => {
            answer_after_ms = SLOW_ANSWER_MS;
            receipt_after_ms = SLOW_ANSWER_MS + SLOW_RECEIPT_MS;
        }
        Some(Magic::LateAnswer) => answer_after_ms = LATE_ANSWER_MS,
        Some(Magic::LateReceipt) => receipt_after_ms = LATE_RECEIPT_MS,
        Some(Magic::Unbinds) => answer_after_ms = answer_after_ms.max(UNBIND_LEAD_MS),
        _ => {}
    }
    if early {
        receipt_after_ms = 0;
        answer_after_ms = answer_after_ms.max(EARLY_LEAD_MS);
    }
    Verdict {
        status,
        // A refusal is always said: what is not answered counts as taken.
        answer_after_ms: (answered || status != 0).then_some(answer_after_ms),
        outcome: match asked {
            Some(Magic::Ends(outcome)) => outcome,
            Some(_) => Outcome::Delivered,
            None => behaviour.outcome(number),
        },
        receipt_after_ms,
        copies: if asked == Some(Magic::Twice) { 2 } else { behaviour.copies(number) },
        intermediate: asked == Some(Magic::Intermediate) || behaviour.has_intermediate(number),
        cut,
        reset: reset || behaviour.cut_with_reset,
        unbind: asked == Some(Magic::Unbinds) || due_to_unbind,
        reply: match asked {
            Some(Magic::Replies) => Some(Reply::Short),
            Some(Magic::RepliesAtLength) => Some(Reply::Shuffled),
            _ => None,
        },
        congestion,
        id_format: if asked == Some(Magic::OtherBase) { IdFormat::HexadecimalInResponse } else { behaviour.id_format },
        receipt_form: match asked {
            Some(Magic::Ucs2Receipt) => ReceiptForm::Ucs2,
            Some(Magic::DataSmReceipt) => ReceiptForm::DataSm,
            _ => behaviour.receipt_form,
        },
        elsewhere: asked == Some(Magic::Elsewhere) || behaviour.receipts_elsewhere,
    }
}

/// Whether this recipient is refused as too fast until it was tried twice.
pub(super) fn is_throttled_twice(behaviour: &Behaviour, recipient: &[u8]) -> bool {
    behaviour.magic && magic(recipient) == Some(Magic::ThrottledTwice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(behaviour: &Behaviour, recipient: &str) -> Verdict {
        let recipient = recipient.as_bytes();
        judge(
            behaviour,
            &Arrival {
                number: 1,
                number_on_session: 1,
                recipient,
                has_header: false,
                has_sar: false,
                at_ms: 0,
                unanswered: 0,
            },
        )
    }

    #[test]
    fn magic_recipients_overrule_the_behaviour_and_can_be_turned_off() {
        let failing = Behaviour { missing_per_mille: 1000, ..Behaviour::default() };
        assert_eq!(verdict(&failing, "48500000001").outcome, Outcome::Delivered);
        assert_eq!(verdict(&failing, "48500000099").outcome, Outcome::Silent);
        assert_eq!(verdict(&failing, "48500000006").status, 0x0b);
        let plain = Behaviour { magic: false, ..failing };
        assert_eq!(verdict(&plain, "48500000001").outcome, Outcome::Silent);
        assert_eq!(verdict(&plain, "48500000006").status, 0);
    }

    #[test]
    fn an_early_receipt_leaves_before_its_answer() {
        let behaviour = Behaviour { early_per_mille: 1000, receipt_ms: 500, ..Behaviour::default() };
        let early = verdict(&behaviour, "48500999999");
        assert!(early.answer_after_ms > Some(early.receipt_after_ms), "{early:?}");
    }

    #[test]
    fn a_cut_takes_the_submit_and_leaves_it_unanswered() {
        let behaviour = Behaviour { disconnect_after: 1, ..Behaviour::default() };
        let cut = verdict(&behaviour, "48500999999");
        assert_eq!((cut.cut, cut.status, cut.answer_after_ms), (true, 0, None));
    }

    #[test]
    fn a_full_window_is_refused_aloud() {
        let behaviour = Behaviour { window_max: 2, unanswered_per_mille: 1000, ..Behaviour::default() };
        let recipient = b"48500999999";
        let at = |unanswered| {
            let arrival = Arrival {
                number: 1,
                number_on_session: 1,
                recipient,
                has_header: false,
                has_sar: false,
                at_ms: 0,
                unanswered,
            };
            let verdict = judge(&behaviour, &arrival);
            (verdict.status, verdict.answer_after_ms)
        };
        assert_eq!(at(1), (0, None));
        assert_eq!(at(2), (0x58, Some(0)));
    }
}
