//! Receipts that came before the answer they belong to.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::control::Carrier;
use domain::fact::{Fact, MessageFact, ParkedReceipt};
use domain::id::MessageId;
use domain::lane::Lane;
use store::question::ReceiptMatch;

use super::handle::Settle;

/// Parked receipts looked at in one go of a round.
const PAGE: usize = 1_000;
/// Pause between two rounds over everything that is parked.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(30);

/// Parts were taken: do parked receipts wait for any of them?
pub(super) async fn match_taken(settle: &Settle, carrier: &Carrier, keys: Vec<(i64, Box<str>, ReceiptMatch)>) {
    for (_, canonical_id, place) in keys {
        match settle.0.store.parked(carrier.id, &canonical_id).await {
            Ok(found) => {
                for receipt in found {
                    if receipt.canonical_ids.first() == Some(&canonical_id) {
                        unpark(settle, &place, receipt).await;
                    } else {
                        // Found by a form that was made from its id: another message may have a better claim.
                        match_again(settle, carrier, vec![receipt]).await;
                    }
                }
            }
            Err(error) => tracing::error!(target: "settle", %error, "parked receipts can't be read"),
        }
        match_sharing(settle, carrier, &canonical_id, &place).await;
    }
}

/// Receipts that came over another carrier of the same operator account.
async fn match_sharing(settle: &Settle, carrier: &Carrier, canonical_id: &str, place: &ReceiptMatch) {
    let control = settle.0.store.control();
    for other in control.sharing_account(carrier.id).skip(1) {
        match settle.0.store.parked(other, canonical_id).await {
            Ok(found) => {
                let its_own =
                    |receipt: &ParkedReceipt| receipt.canonical_ids.first().is_some_and(|id| **id == *canonical_id);
                for receipt in found.into_iter().filter(its_own) {
                    unpark(settle, place, receipt).await;
                }
            }
            Err(error) => tracing::error!(target: "settle", %error, "parked receipts can't be read"),
        }
    }
}

/// Is the message of any of these receipts known by now?
pub(super) async fn match_again(settle: &Settle, carrier: &Carrier, parked: Vec<ParkedReceipt>) {
    let learnt = settle.0.learning.of(carrier.id);
    for receipt in parked {
        // Behind the ids that it names stand the forms that were made from the first one.
        let ids = receipt.canonical_ids.as_slice();
        let made = ids.first().map_or(0, |likeliest| carrier.message_id_format.further(likeliest).len());
        let named = ids.len().saturating_sub(made).max(ids.len().min(1));
        match settle.find(carrier, &learnt, &ids[..named]).await {
            Ok(Some(place)) => unpark(settle, &place, receipt).await,
            Ok(None) => {}
            Err(error) => tracing::error!(target: "settle", %error, "receipts can't be matched; they stay parked"),
        }
    }
}

/// Goes over everything that is parked, a page at a time: after a start, and as a net under the matching that follows
/// each answer.
#[derive(Default)]
pub(super) struct Round {
    after: Option<MessageId>,
    rests_until: Option<Instant>,
}

impl Round {
    /// Looks at the next page, unless it is resting.
    pub(super) async fn go_on(&mut self, settle: &Settle) {
        if self.rests_until.is_some_and(|until| Instant::now() < until) || !settle.0.store.has_parked() {
            return;
        }
        let after = self.after.unwrap_or(MessageId(0));
        let page = match settle.0.store.parked_after(after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(target: "settle", %error, "parked receipts can't be read");
                return;
            }
        };
        self.after = (page.len() == PAGE).then(|| page.last().map(|last| last.id)).flatten();
        self.rests_until = self.after.is_none().then(|| Instant::now() + BETWEEN_ROUNDS);
        let control = settle.0.store.control();
        for receipt in page {
            if let Some(carrier) = control.carrier(receipt.carrier) {
                match_again(settle, carrier, vec![receipt]).await;
            }
        }
    }
}

/// Gives a parked receipt to its message, once: the answer, the receipt and the round may all come upon it at a time.
async fn unpark(settle: &Settle, place: &ReceiptMatch, receipt: ParkedReceipt) {
    let parked_id = receipt.id;
    if !settle.0.unparking.lock().insert(parked_id) {
        return;
    }
    if settle.0.store.may_be_parked(parked_id) {
        give(settle, place, receipt).await;
    }
    settle.0.unparking.lock().remove(&parked_id);
}

/// First the message learns of it, then the parked one goes: a crash in between repeats a harmless fact.
async fn give(settle: &Settle, place: &ReceiptMatch, receipt: ParkedReceipt) {
    let ParkedReceipt { id: parked_id, carrier, at, state, error, done_at, raw, .. } = receipt;
    let what = MessageFact::Receipt { part: place.part, carrier, state, error, done_at, raw };
    let matched = settle.0.store.record(place.id.lane(), vec![Fact::Message { id: place.id, at, what }]).await;
    let unparked = match matched {
        Ok(()) => settle.0.store.record(Lane::Standard, vec![Fact::ReceiptUnparked { parked_id }]).await,
        Err(error) => Err(error),
    };
    match unparked {
        Ok(()) => _ = settle.0.stats.receipts_unparked.fetch_add(1, Ordering::Relaxed),
        Err(error) => tracing::warn!(target: "settle", %error, "a parked receipt was not matched; it stays parked"),
    }
}
