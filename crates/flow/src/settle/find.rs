//! Where a receipt belongs.

use std::sync::atomic::Ordering::Relaxed;

use domain::control::Carrier;
use domain::operator_id;
use smallvec::SmallVec;
use store::QuestionError;
use store::question::ReceiptMatch;

use super::handle::Settle;
use super::learn::Learnt;

/// The forms of a receipt's id, likeliest first.
pub(super) type Forms = SmallVec<[Box<str>; 2]>;

impl Settle {
    /// The part that a receipt of `carrier` is about, durable or about to be. `ids` are the ids it names in their plain
    /// form, likeliest first. `None` as well where two messages come into question: nobody's message is settled on
    /// a guess.
    pub(super) async fn find(
        &self,
        carrier: &Carrier,
        learnt: &Learnt,
        ids: &[Box<str>],
    ) -> Result<Option<ReceiptMatch>, QuestionError> {
        let Some(likeliest) = ids.first() else { return Ok(None) };
        learnt.reported(likeliest);
        let known = self.known_at_once(carrier, likeliest);
        if known.is_some() && !learnt.is_mixed() {
            return Ok(known);
        }
        let further = learnt.further(carrier.message_id_format, likeliest);
        if known.is_some() && further.is_empty() {
            return Ok(known);
        }
        let mut forms: Forms = ids.iter().cloned().collect();
        forms.extend(further);
        let mut found: Vec<_> = forms.iter().map(|form| self.known_at_once(carrier, form)).collect();
        if found[ids.len()..].iter().all(Option::is_none) {
            let asked = self.0.store.match_receipt(carrier.id, &forms).await?;
            for (place, asked) in found.iter_mut().zip(asked) {
                *place = place.take().or(asked);
            }
        }
        match self.choose(learnt, &found, ids.len()) {
            Some(place) => Ok(Some(place)),
            None => self.find_sharing(carrier, ids).await,
        }
    }

    /// The part of a carrier that shares its account at the operator with this one, and so its ids.
    async fn find_sharing(&self, carrier: &Carrier, ids: &[Box<str>]) -> Result<Option<ReceiptMatch>, QuestionError> {
        let control = self.0.store.control();
        for other in control.sharing_account(carrier.id).skip(1).filter_map(|id| control.carrier(id)) {
            let soon = ids.iter().find_map(|id| self.known_at_once(other, id));
            let found = match soon {
                Some(place) => Some(place),
                None => self.0.store.match_receipt(other.id, ids).await?.into_iter().flatten().next(),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Of what each form found, the one that counts. The first `own` forms are ids as the receipt names them, the others
    /// were made from the first one.
    fn choose(&self, learnt: &Learnt, found: &[Option<ReceiptMatch>], own: usize) -> Option<ReceiptMatch> {
        let (named, made) = found.split_at(own.min(found.len()));
        let as_named = named.iter().flatten().next();
        let mut others = made.iter().flatten();
        let converted = others.next();
        let unique = converted.filter(|converted| others.all(|other| other == *converted));
        match (as_named, unique) {
            (Some(named), Some(converted)) if named != converted => match learnt.prefers_other_base() {
                Some(true) => Some(converted.clone()),
                Some(false) => Some(named.clone()),
                None => {
                    self.0.stats.receipts_ambiguous.fetch_add(1, Relaxed);
                    None
                }
            },
            (Some(named), _) => {
                if !made.is_empty() {
                    learnt.found_alone(false);
                }
                Some(named.clone())
            }
            (None, Some(converted)) => {
                learnt.found_alone(true);
                Some(converted.clone())
            }
            (None, None) => {
                if converted.is_some() {
                    self.0.stats.receipts_ambiguous.fetch_add(1, Relaxed);
                }
                None
            }
        }
    }

    fn known_at_once(&self, carrier: &Carrier, form: &str) -> Option<ReceiptMatch> {
        self.in_progress(carrier, form).or_else(|| self.0.store.match_at_once(carrier.id, form))
    }

    /// A part whose answer is here and not durable yet.
    fn in_progress(&self, carrier: &Carrier, form: &str) -> Option<ReceiptMatch> {
        self.0.in_progress.lock().get(&operator_id::match_key(carrier.id, form)).cloned()
    }
}
