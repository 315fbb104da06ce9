//! What is made of one submit: a pure function of the behaviour, the number of the submit and its recipient.

use smpp::CommandStatus;

use super::behaviour::{Behaviour, Outcome};
use super::magic::{Magic, magic};

/// Least time between an early receipt and its answer, in milliseconds.
const EARLY_LEAD_MS: u64 = 20;
/// Answer and receipt of the slow magic recipient, in milliseconds.
const SLOW_ANSWER_MS: u64 = 2_000;
const SLOW_RECEIPT_MS: u64 = 8_000;

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
    /// The handset writes back.
    pub(super) replies: bool,
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
    let status = if window_is_full { CommandStatus::RTHROTTLED.0 } else { refused.unwrap_or(0) };
    let early = asked == Some(Magic::Early) || (asked.is_none() && behaviour.is_early(number));
    let due_to_cut =
        behaviour.disconnect_after > 0 && arrival.number_on_session.is_multiple_of(behaviour.disconnect_after);
    let cut = asked == Some(Magic::Cut) || due_to_cut;
    let answered = !cut && asked != Some(Magic::Unanswered) && behaviour.is_answered(number);
    let mut answer_after_ms = behaviour.answer_delay_ms(number);
    let mut receipt_after_ms = answer_after_ms + behaviour.receipt_delay_ms(number);
    if asked == Some(Magic::Slow) {
        answer_after_ms = SLOW_ANSWER_MS;
        receipt_after_ms = SLOW_ANSWER_MS + SLOW_RECEIPT_MS;
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
        replies: asked == Some(Magic::Replies),
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
            &Arrival { number: 1, number_on_session: 1, recipient, has_header: false, at_ms: 0, unanswered: 0 },
        )
    }

    #[test]
    fn magic_recipients_overrule_the_behaviour_and_can_be_turned_off() {
        let failing = Behaviour { missing_per_mille: 1000, ..Behaviour::default() };
        assert_eq!(verdict(&failing, "48500000001").outcome, Outcome::Delivered);
        assert_eq!(verdict(&failing, "48500000018").outcome, Outcome::Silent);
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
            let arrival =
                Arrival { number: 1, number_on_session: 1, recipient, has_header: false, at_ms: 0, unanswered };
            let verdict = judge(&behaviour, &arrival);
            (verdict.status, verdict.answer_after_ms)
        };
        assert_eq!(at(1), (0, None));
        assert_eq!(at(2), (0x58, Some(0)));
    }
}
