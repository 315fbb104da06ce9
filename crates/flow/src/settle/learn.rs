//! What is learnt of how each carrier writes its ids.
//!
//! Two things are kept apart. *Evidence* decides which forms of an id may be tried where the format is `auto`: the other
//! base is only believed in once letters were seen that belong to it, so that two decimal counters never meet. *Rates*
//! over the first receipts are shown to people, who then may set the format; nothing is switched by them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use domain::control::Carrier;
use domain::id::CarrierId;
use domain::limits::ID_LEARNING_RECEIPTS;
use domain::operator_id::{self, Likeness, MessageIdFormat};
use parking_lot::RwLock;
use smallvec::SmallVec;
use store::question::ReceiptMatch;

use super::handle::Settle;

/// How long after a receipt its answer must be known: receipts may be early.
const JUDGED_AFTER: Duration = Duration::from_secs(2);
/// Share of the receipts that must agree before a format is proposed, in percent.
const PROPOSED_AT_PERCENT: u32 = 95;

/// What is known of the carriers.
#[derive(Default)]
pub(super) struct Learning(RwLock<HashMap<CarrierId, Arc<Learnt>>>);

/// What is known of one carrier.
#[derive(Default)]
pub(super) struct Learnt {
    answers_have_letters: AtomicBool,
    receipts_have_letters: AtomicBool,
    /// Receipts that only their own form found, and receipts that only the other base found.
    found_alone: [AtomicU32; 2],
    /// Receipts taken to be judged.
    taken: AtomicU32,
    /// Receipts judged.
    judged: AtomicU32,
    /// Of them, those whose id was made of nothing but digits.
    digits: AtomicU32,
    likenesses: [AtomicU32; Likeness::ALL.len()],
    named_two_ids: AtomicBool,
}

/// What the first receipts of a carrier say of its ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearntIds {
    /// The carrier.
    pub carrier: CarrierId,
    /// Receipts looked at.
    pub receipts: u32,
    /// Of them, those whose id came from the answer's id in each way of [`Likeness::ALL`].
    pub hits: [u32; Likeness::ALL.len()],
    /// The format that fits, once enough receipts agree.
    pub proposed: Option<MessageIdFormat>,
}

impl Learning {
    pub(super) fn of(&self, carrier: CarrierId) -> Arc<Learnt> {
        if let Some(learnt) = self.0.read().get(&carrier) {
            return Arc::clone(learnt);
        }
        Arc::clone(self.0.write().entry(carrier).or_default())
    }

    fn all(&self) -> Vec<LearntIds> {
        let mut all: Vec<_> = self.0.read().iter().map(|(carrier, learnt)| learnt.shown(*carrier)).collect();
        all.sort_unstable_by_key(|learnt| learnt.carrier.0);
        all
    }
}

fn has_letters(id: &str) -> bool {
    id.bytes().any(|octet| matches!(octet, b'a'..=b'f' | b'A'..=b'F'))
        && id.bytes().all(|octet| octet.is_ascii_hexdigit())
}

impl Learnt {
    /// An operator gave this id in an answer.
    pub(super) fn answered(&self, id: &str) {
        if !self.answers_have_letters.load(Relaxed) && has_letters(id) {
            self.answers_have_letters.store(true, Relaxed);
        }
    }

    /// A receipt names this id, in its plain form.
    pub(super) fn reported(&self, id: &str) {
        if !self.receipts_have_letters.load(Relaxed) && has_letters(id) {
            self.receipts_have_letters.store(true, Relaxed);
        }
    }

    /// The forms besides its own under which a receipt's id may be known: see the module.
    pub(super) fn further(&self, format: MessageIdFormat, id: &str) -> SmallVec<[Box<str>; 2]> {
        let mut forms = format.further(id);
        if forms.is_empty() {
            return forms;
        }
        let decimal_made_of_it = |form: &str| form.bytes().all(|octet| octet.is_ascii_digit());
        let answers_hexadecimal = self.answers_have_letters.load(Relaxed);
        let receipts_hexadecimal = self.receipts_have_letters.load(Relaxed);
        let id_is_decimal = decimal_made_of_it(id);
        let hexadecimal = id_is_decimal.then(|| forms[0].clone());
        forms.retain(|form| {
            let is_hexadecimal = hexadecimal.as_ref() == Some(form);
            if is_hexadecimal { answers_hexadecimal } else { receipts_hexadecimal && !answers_hexadecimal }
        });
        forms
    }

    /// Whether a decimal id of a receipt is likelier to be hexadecimal in the answers than to be as it is.
    pub(super) fn is_mixed(&self) -> bool {
        self.answers_have_letters.load(Relaxed) && !self.receipts_have_letters.load(Relaxed)
    }

    /// Which form found a receipt when the other one found nothing.
    pub(super) fn found_alone(&self, in_other_base: bool) {
        let count = &self.found_alone[usize::from(in_other_base)];
        if count.load(Relaxed) < u32::MAX / 2 {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Both forms found a message, and not the same: what the receipts before speak for, if they do clearly.
    pub(super) fn prefers_other_base(&self) -> Option<bool> {
        let [own, other] = [0, 1].map(|index| self.found_alone[index].load(Relaxed));
        if own > other.saturating_mul(10) { Some(false) } else { (other > own.saturating_mul(10)).then_some(true) }
    }

    /// True the first time a receipt names two different ids.
    pub(super) fn names_two_ids(&self) -> bool {
        !self.named_two_ids.swap(true, Relaxed)
    }

    /// Whether another receipt is wanted to learn from.
    pub(super) fn wants_more(&self) -> bool {
        self.taken.load(Relaxed) < ID_LEARNING_RECEIPTS
    }

    fn take(&self) -> bool {
        self.taken.fetch_update(Relaxed, Relaxed, |taken| (taken < ID_LEARNING_RECEIPTS).then_some(taken + 1)).is_ok()
    }

    fn judge(&self, answer: Option<&str>, receipt: &str) {
        if receipt.bytes().all(|octet| octet.is_ascii_digit()) {
            self.digits.fetch_add(1, Relaxed);
        }
        for ((likeness, _), hits) in Likeness::ALL.iter().zip(&self.likenesses) {
            if answer.is_some_and(|answer| likeness.holds(answer, receipt)) {
                hits.fetch_add(1, Relaxed);
            }
        }
        self.judged.fetch_add(1, Relaxed);
    }

    fn shown(&self, carrier: CarrierId) -> LearntIds {
        let receipts = self.judged.load(Relaxed);
        let hits = std::array::from_fn(|index| self.likenesses[index].load(Relaxed));
        let enough = |hits: u32| receipts >= ID_LEARNING_RECEIPTS && hits * 100 >= receipts * PROPOSED_AT_PERCENT;
        let [as_is, to_decimal, to_hexadecimal, without_zeros, case_folded] = hits;
        let proposed = if enough(as_is.max(without_zeros).max(case_folded)) {
            let only_digits = self.digits.load(Relaxed) == receipts;
            Some(if only_digits { MessageIdFormat::Decimal } else { MessageIdFormat::Hexadecimal })
        } else if enough(to_decimal) {
            Some(MessageIdFormat::HexadecimalInResponse)
        } else {
            enough(to_hexadecimal).then_some(MessageIdFormat::DecimalInResponse)
        };
        LearntIds { carrier, receipts, hits, proposed }
    }
}

impl Settle {
    /// What the first receipts of each carrier say of its ids.
    #[must_use]
    pub fn learnt_ids(&self) -> Vec<LearntIds> {
        self.0.learning.all()
    }

    /// Has receipts judged, once the answers to their messages must be known. `given` are ids as they stand in receipts.
    pub(super) fn learn(&self, carrier: &Carrier, given: Vec<Box<str>>) {
        let learnt = self.0.learning.of(carrier.id);
        let (settle, carrier) = (self.clone(), carrier.id);
        let given: Vec<_> = given.into_iter().filter(|_| learnt.take()).collect();
        if given.is_empty() {
            return;
        }
        tokio::spawn(async move {
            tokio::time::sleep(JUDGED_AFTER).await;
            for id in given {
                let answer = settle.answer_of(carrier, &id).await;
                learnt.judge(answer.as_deref(), &id);
            }
        });
    }

    /// The id in the answer that this id of a receipt belongs to, whatever format is set.
    async fn answer_of(&self, carrier: CarrierId, id: &str) -> Option<Box<str>> {
        let plain = operator_id::plain(id);
        let mut forms = vec![plain];
        forms.extend(operator_id::other_bases(&forms[0]));
        let found = self.0.store.match_receipt(carrier, &forms).await.ok()?;
        let ReceiptMatch { id, part } = found.into_iter().flatten().next()?;
        let message = self.0.store.message(id).await.ok()??;
        let part = message.parts.into_iter().nth(usize::from(part).checked_sub(1)?)?;
        Some(part.operator_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_base_is_only_tried_once_its_letters_were_seen() {
        let learnt = Learnt::default();
        let further = |learnt: &Learnt, id: &str| learnt.further(MessageIdFormat::Auto, id).into_vec();
        assert!(further(&learnt, "16").is_empty(), "two decimal counters must not meet");
        learnt.answered("1f");
        assert_eq!(further(&learnt, "16"), ["10".into()], "the answer may have been hexadecimal");
        assert!(learnt.is_mixed());
        let learnt = Learnt::default();
        learnt.reported("1f");
        assert_eq!(further(&learnt, "16"), ["22".into()], "the receipt may be hexadecimal");
        assert_eq!(further(&learnt, "1f"), ["31".into()]);
        assert!(learnt.further(MessageIdFormat::Decimal, "16").is_empty());
        learnt.answered("not a number");
        assert!(!learnt.is_mixed());
    }

    #[test]
    fn a_format_is_proposed_when_enough_receipts_agree() {
        let judged = |pairs: &dyn Fn(u32) -> (String, String)| {
            let learnt = Learnt::default();
            for number in 0..ID_LEARNING_RECEIPTS {
                let (answer, receipt) = pairs(number + 1_000_000);
                learnt.judge(Some(&answer), &receipt);
            }
            learnt.shown(CarrierId(1)).proposed
        };
        assert_eq!(judged(&|n| (format!("{n}"), format!("{n}"))), Some(MessageIdFormat::Decimal));
        assert_eq!(judged(&|n| (format!("{n:010}"), format!("{n}"))), Some(MessageIdFormat::Decimal));
        assert_eq!(judged(&|n| (format!("{n:X}g"), format!("{n:x}g"))), Some(MessageIdFormat::Hexadecimal));
        assert_eq!(judged(&|n| (format!("{n:x}"), format!("{n}"))), Some(MessageIdFormat::HexadecimalInResponse));
        assert_eq!(judged(&|n| (format!("{n}"), format!("{n:x}"))), Some(MessageIdFormat::DecimalInResponse));
        assert_eq!(judged(&|n| (format!("{n}"), format!("{}", n + u32::from(n % 10 == 0)))), None);
        let few = Learnt::default();
        few.judge(Some("1"), "1");
        assert_eq!(few.shown(CarrierId(1)).proposed, None);
    }

    #[test]
    fn where_both_forms_find_somebody_the_receipts_before_decide() {
        let learnt = Learnt::default();
        assert_eq!(learnt.prefers_other_base(), None);
        (0..20).for_each(|_| learnt.found_alone(true));
        assert_eq!(learnt.prefers_other_base(), Some(true));
        (0..10).for_each(|_| learnt.found_alone(false));
        assert_eq!(learnt.prefers_other_base(), None);
    }
}
