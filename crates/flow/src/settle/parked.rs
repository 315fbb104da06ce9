//! Receipts that came before the answer they belong to.

use std::sync::atomic::Ordering;

use domain::fact::{Fact, MessageFact, ParkedReceipt};
use domain::id::CarrierId;
use domain::lane::Lane;
use store::question::ReceiptMatch;

use super::handle::Settle;

/// Parts were taken: do parked receipts wait for any of them?
pub(super) async fn match_taken(settle: &Settle, carrier: CarrierId, keys: Vec<(i64, Box<str>, ReceiptMatch)>) {
    for (_, canonical_id, place) in keys {
        match settle.0.store.parked(carrier, &canonical_id).await {
            Ok(found) => {
                for receipt in found {
                    unpark(settle, &place, receipt).await;
                }
            }
            Err(error) => tracing::error!(target: "settle", %error, "parked receipts can't be read"),
        }
    }
}

/// Receipts were parked: is any of their messages known by now?
pub(super) async fn match_again(settle: &Settle, parked: Vec<ParkedReceipt>) {
    for receipt in parked {
        match settle.find(receipt.carrier, &receipt.canonical_ids).await {
            Ok(Some(place)) => unpark(settle, &place, receipt).await,
            Ok(None) => {}
            Err(error) => tracing::error!(target: "settle", %error, "receipts can't be matched"),
        }
    }
}

/// First the message learns of it, then the parked one goes: a crash in between repeats a harmless fact.
async fn unpark(settle: &Settle, place: &ReceiptMatch, receipt: ParkedReceipt) {
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
