//! How an operator behaves.

use super::dice::{Question, below, dice};
use super::ids::IdFormat;
use super::incoming::Incoming;
use super::rule::{Refusal, When};
use super::verdict::Arrival;

/// What the operator makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// DELIVRD.
    Delivered,
    /// UNDELIV.
    Undelivered,
    /// EXPIRED.
    Expired,
    /// REJECTD.
    Rejected,
    /// DELETED.
    Deleted,
    /// UNKNOWN.
    Unknown,
    /// ENROUTE: an intermediate receipt.
    Enroute,
    /// No receipt at all.
    Silent,
}

/// Where a receipt says what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ReceiptForm {
    /// In the text of SMPP 3.4 appendix B.
    #[default]
    Text,
    /// In `receipted_message_id` and `message_state`, with an empty text.
    Tlv,
    /// In both.
    Both,
    /// In the text, which is UCS-2 (data_coding 8).
    Ucs2,
    /// In the parameters of a `data_sm`.
    DataSm,
}

/// Submits that are answered after a time of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Which.
    pub when: When,
    /// Milliseconds until their answer.
    pub answer_ms: u64,
}

/// A part of the run, in milliseconds since the start (or of the period).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// From here on.
    pub from_ms: u64,
    /// Until just before here.
    pub to_ms: u64,
}

/// How submits are answered and receipts sent. Everything random comes from the seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// Seed of all choices.
    pub seed: u64,
    /// Least time until a submit is answered, in milliseconds.
    pub answer_ms: u64,
    /// Up to so much is added to it, evenly spread, in milliseconds.
    pub answer_jitter_ms: u64,
    /// Of 1000 answers so many take [`Self::answer_tail_ms`] longer.
    pub answer_tail_per_mille: u16,
    /// How much longer those take, in milliseconds.
    pub answer_tail_ms: u64,
    /// Submits with an answer time of their own; the first that applies replaces [`Self::answer_ms`].
    pub delays: Vec<Delay>,
    /// Of 1000 submits so many are taken and never answered.
    pub unanswered_per_mille: u16,
    /// Submits that are refused; the first rule that applies decides.
    pub refusals: Vec<Refusal>,
    /// More parts per second than this are answered RTHROTTLED; 0 = no limit.
    pub rate_per_second: u32,
    /// More unanswered submits on a session than this are answered RTHROTTLED; 0 = no limit.
    pub window_max: usize,
    /// Time from the answer to the receipt, in milliseconds.
    pub receipt_ms: u64,
    /// Of 1000 receipts so many are sent before the answer to their submit.
    pub early_per_mille: u16,
    /// Of 1000 receipts so many come [`Self::late_ms`] later.
    pub late_per_mille: u16,
    /// How much later those come, in milliseconds.
    pub late_ms: u64,
    /// Each receipt is sent so many times.
    pub copies: u8,
    /// Of 1000 receipts so many are sent once more.
    pub duplicates_per_mille: u16,
    /// Of 1000 messages so many get an intermediate receipt (ENROUTE) before the final one.
    pub intermediate_per_mille: u16,
    /// Of 1000 messages so many end otherwise than delivered, with one of [`Self::failures`].
    pub failed_per_mille: u16,
    /// How messages end that are not delivered, each as likely as it is listed.
    pub failures: Vec<Outcome>,
    /// Of 1000 receipts so many are not sent at all.
    pub missing_per_mille: u16,
    /// Receipts overtake each other by up to this time, in milliseconds.
    pub reorder_ms: u64,
    /// How ids are written.
    pub id_format: IdFormat,
    /// Where receipts say what they say.
    pub receipt_form: ReceiptForm,
    /// Whether the last four digits of a recipient decide, see [`super::magic_recipients`].
    pub magic: bool,
    /// The connection is cut after so many submits; 0 = never.
    pub disconnect_after: u64,
    /// The connection is cut after so much time, in milliseconds; 0 = never.
    pub disconnect_every_ms: u64,
    /// Octets per second that are read of a connection; 0 = no limit.
    pub read_octets_per_second: u64,
    /// The connection is cut with RST instead of FIN.
    pub cut_with_reset: bool,
    /// The operator unbinds after so many submits of a session, with answers outstanding; 0 = never.
    pub unbind_after: u64,
    /// Octets written at a time; 0 = as many as there are.
    pub slice_octets: usize,
    /// What is said of time repeats after so many milliseconds; 0 = it does not.
    pub period_ms: u64,
    /// While this lasts nothing is read and nothing is written, and the sockets stay open.
    pub blackhole: Option<Span>,
    /// `congestion_state` (SMPP 5.0 §4.8.4.18) rises from 0 to 100 and falls again within so many milliseconds; at 100
    /// submits are refused with RTHROTTLED. 0 = it is not sent.
    pub congestion_period_ms: u64,
    /// Receipts leave over another session than their message came on, where there is one.
    pub receipts_elsewhere: bool,
    /// Milliseconds between incoming messages that come by themselves; 0 = none do.
    pub incoming_every_ms: u64,
    /// What they are like, one after the other.
    pub incoming: Vec<Incoming>,
    /// Whom they are written to.
    pub incoming_to: String,
    /// Nothing is read at all: the peer's process hangs and its kernel still takes what is sent.
    pub deaf: bool,
    /// Answers and receipts are held back.
    pub frozen: bool,
    /// Binds are refused with this `command_status`; 0 = they are not.
    pub bind_refusal: u32,
    /// More binds at a time than this are refused with RALYBND; 0 = no limit.
    pub binds_max: usize,
    /// `congestion_state` of every answer (SMPP 5.0 §4.8.4.18); `None` = not said.
    pub congestion_state: Option<u8>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            seed: 1,
            answer_ms: 0,
            answer_jitter_ms: 0,
            answer_tail_per_mille: 0,
            answer_tail_ms: 0,
            delays: Vec::new(),
            unanswered_per_mille: 0,
            refusals: Vec::new(),
            rate_per_second: 0,
            window_max: 0,
            receipt_ms: 0,
            early_per_mille: 0,
            late_per_mille: 0,
            late_ms: 0,
            copies: 1,
            duplicates_per_mille: 0,
            intermediate_per_mille: 0,
            failed_per_mille: 0,
            failures: vec![Outcome::Undelivered, Outcome::Expired, Outcome::Rejected, Outcome::Unknown],
            missing_per_mille: 0,
            reorder_ms: 0,
            id_format: IdFormat::Decimal,
            receipt_form: ReceiptForm::Text,
            magic: true,
            disconnect_after: 0,
            disconnect_every_ms: 0,
            read_octets_per_second: 0,
            cut_with_reset: false,
            unbind_after: 0,
            slice_octets: 0,
            period_ms: 0,
            blackhole: None,
            congestion_period_ms: 0,
            receipts_elsewhere: false,
            incoming_every_ms: 0,
            incoming: Vec::new(),
            incoming_to: "48500100200".into(),
            deaf: false,
            frozen: false,
            bind_refusal: 0,
            binds_max: 0,
            congestion_state: None,
        }
    }
}

impl Behaviour {
    fn chance(&self, number: u64, question: Question, per_mille: u16) -> bool {
        per_mille > 0 && dice(self.seed, number, question) < per_mille
    }

    /// What becomes of submit `number`.
    pub(super) fn outcome(&self, number: u64) -> Outcome {
        if self.chance(number, Question::Missing, self.missing_per_mille) {
            return Outcome::Silent;
        }
        if self.failures.is_empty() || !self.chance(number, Question::Failed, self.failed_per_mille) {
            return Outcome::Delivered;
        }
        let which = below(self.seed, number, Question::Failure, self.failures.len() as u64);
        self.failures.get(which as usize).copied().unwrap_or(Outcome::Undelivered)
    }

    /// The time within the period.
    fn within_period(&self, at_ms: u64) -> u64 {
        at_ms.checked_rem(self.period_ms).unwrap_or(at_ms)
    }

    /// When the blackhole that swallows at this time ends; `None` outside of one.
    pub(super) fn swallows_until(&self, at_ms: u64) -> Option<u64> {
        let Span { from_ms, to_ms } = self.blackhole?;
        let within = self.within_period(at_ms);
        (from_ms..to_ms).contains(&within).then(|| at_ms.saturating_add(to_ms - within))
    }

    /// Whether nothing is read at this time.
    pub(super) fn is_deaf(&self, at_ms: u64) -> bool {
        self.deaf || self.swallows_until(at_ms).is_some()
    }

    /// Whether nothing is sent at this time.
    pub(super) fn is_frozen(&self, at_ms: u64) -> bool {
        self.frozen || self.swallows_until(at_ms).is_some()
    }

    /// The `congestion_state` of this time: as ordered, or a triangle from 0 to 100 and back.
    pub(super) fn congestion(&self, at_ms: u64) -> Option<u8> {
        if self.congestion_state.is_some() {
            return self.congestion_state;
        }
        let within = at_ms.checked_rem(self.congestion_period_ms)?;
        let up = (within * 200 / self.congestion_period_ms) as u8;
        Some(if up <= 100 { up } else { 200 - up })
    }

    /// The `command_status` a submit is refused with, if a rule says so.
    pub(super) fn refusal(&self, arrival: &Arrival<'_>) -> Option<u32> {
        let arrival = Arrival { at_ms: self.within_period(arrival.at_ms), ..*arrival };
        let rule = self.refusals.iter().find(|rule| rule.applies(self.seed, &arrival));
        rule.map(|rule| rule.command_status)
    }

    pub(super) fn is_answered(&self, number: u64) -> bool {
        !self.chance(number, Question::Unanswered, self.unanswered_per_mille)
    }

    /// Milliseconds until the answer.
    pub(super) fn answer_delay_ms(&self, arrival: &Arrival<'_>) -> u64 {
        let number = arrival.number;
        let within = Arrival { at_ms: self.within_period(arrival.at_ms), ..*arrival };
        let own = self.delays.iter().find(|delay| delay.when.applies(self.seed, &within));
        let jitter_ms = below(self.seed, number, Question::AnswerJitter, self.answer_jitter_ms);
        let tail = self.chance(number, Question::AnswerTail, self.answer_tail_per_mille);
        own.map_or(self.answer_ms, |delay| delay.answer_ms) + jitter_ms + if tail { self.answer_tail_ms } else { 0 }
    }

    pub(super) fn is_early(&self, number: u64) -> bool {
        self.chance(number, Question::Early, self.early_per_mille)
    }

    /// Milliseconds from the answer to the receipt.
    pub(super) fn receipt_delay_ms(&self, number: u64) -> u64 {
        let order_ms = below(self.seed, number, Question::Order, self.reorder_ms);
        let late = self.chance(number, Question::Late, self.late_per_mille);
        self.receipt_ms + order_ms + if late { self.late_ms } else { 0 }
    }

    /// How many times the receipt is sent.
    pub(super) fn copies(&self, number: u64) -> u8 {
        self.copies.saturating_add(self.chance(number, Question::Duplicate, self.duplicates_per_mille).into())
    }

    pub(super) fn has_intermediate(&self, number: u64) -> bool {
        self.chance(number, Question::Intermediate, self.intermediate_per_mille)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(number: u64, recipient: &[u8]) -> Arrival<'_> {
        Arrival {
            number,
            number_on_session: number,
            recipient,
            at_ms: 0,
            unanswered: 0,
            has_header: false,
            has_sar: false,
        }
    }

    fn count(of: impl Fn(u64) -> bool) -> usize {
        (0..10_000).filter(|&number| of(number)).count()
    }

    #[test]
    fn shares_are_met_and_independent_of_each_other() {
        let behaviour = Behaviour {
            missing_per_mille: 100,
            failed_per_mille: 500,
            unanswered_per_mille: 100,
            failures: vec![Outcome::Expired, Outcome::Rejected],
            ..Behaviour::default()
        };
        let ends = |outcome| count(|number| behaviour.outcome(number) == outcome);
        assert!((900..1100).contains(&ends(Outcome::Silent)));
        assert!((2000..2500).contains(&ends(Outcome::Expired)));
        assert!((2000..2500).contains(&ends(Outcome::Rejected)));
        assert!((4300..4700).contains(&ends(Outcome::Delivered)));
        let both = count(|number| behaviour.outcome(number) == Outcome::Silent && !behaviour.is_answered(number));
        assert!((50..150).contains(&both), "{both}");
    }

    #[test]
    fn the_same_seed_makes_the_same_choices_and_another_one_others() {
        let behaviour = |seed| Behaviour { seed, failed_per_mille: 500, reorder_ms: 1000, ..Behaviour::default() };
        let choices = |seed| -> Vec<_> {
            let behaviour = behaviour(seed);
            (0..100).map(|number| (behaviour.outcome(number), behaviour.receipt_delay_ms(number))).collect()
        };
        assert_eq!(choices(7), choices(7));
        assert_ne!(choices(7), choices(8));
    }

    #[test]
    fn delays_stay_within_what_was_asked_for() {
        let behaviour = Behaviour {
            answer_ms: 5,
            answer_jitter_ms: 10,
            answer_tail_per_mille: 100,
            answer_tail_ms: 1000,
            ..Behaviour::default()
        };
        let delays: Vec<u64> = (0..10_000).map(|number| behaviour.answer_delay_ms(&arrival(number, b"1"))).collect();
        assert!(delays.iter().all(|delay| (5..15).contains(delay) || (1005..1015).contains(delay)));
        assert!((900..1100).contains(&delays.iter().filter(|&&delay| delay > 1000).count()));
    }

    #[test]
    fn waves_and_blackholes_come_again_with_the_period() {
        let behaviour = Behaviour {
            period_ms: 100,
            blackhole: Some(Span { from_ms: 20, to_ms: 50 }),
            congestion_period_ms: 200,
            ..Behaviour::default()
        };
        assert_eq!(
            [19, 20, 49, 50, 125].map(|at_ms| behaviour.swallows_until(at_ms)),
            [None, Some(50), Some(50), None, Some(150)]
        );
        assert!(behaviour.is_deaf(30) && behaviour.is_frozen(130) && !behaviour.is_deaf(199));
        assert_eq!([0, 50, 100, 150, 250].map(|at_ms| behaviour.congestion(at_ms)), [0, 50, 100, 50, 50].map(Some));
        assert_eq!(Behaviour::default().congestion(5), None);
    }

    #[test]
    fn a_delay_of_its_own_replaces_the_usual_one() {
        let delays = vec![Delay { when: When::Except("9".into()), answer_ms: 5_000 }];
        let behaviour = Behaviour { answer_ms: 3, delays, ..Behaviour::default() };
        assert_eq!(behaviour.answer_delay_ms(&arrival(1, b"48500000009")), 3);
        assert_eq!(behaviour.answer_delay_ms(&arrival(1, b"48500000008")), 5_000);
    }
}
