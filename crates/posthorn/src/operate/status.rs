//! How the server is doing, what needs attention first.

use std::sync::atomic::Ordering;

use domain::choice::Choice;
use domain::operator_id::Likeness;
use serde_json::{Map, Value, json};

use super::desk::OperationsDesk;
use super::queue;

/// Everything `posthorn status` shows.
pub(super) async fn status(desk: &OperationsDesk) -> Result<Value, String> {
    let health = desk.store.health();
    let figures = desk.tell.figures();
    let stats = desk.settle.stats();
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    Ok(json!({
        "alarms": desk.watch.alarms(),
        "queue": queue::list(desk, true).await?,
        "server": {
            "version": desk.store.control().version,
            "accepts": health.accepts,
            "diskFreeOctets": health.disk_free_octets,
        },
        "settled": {
            "taken": count(&stats.taken),
            "refused": count(&stats.refused),
            "receiptsMatched": count(&stats.receipts_matched),
            "receiptsParked": health.parked_receipts,
            "receiptsGivenUp": health.orphans_expired,
            "receiptsAmbiguous": count(&stats.receipts_ambiguous),
            "idsReused": health.operator_ids_reused,
        },
        "ids": ids(desk),
        "webhooks": {
            "told": figures.told,
            "waiting": figures.queued,
            "dead": figures.dead,
            "inFlight": figures.in_flight,
        },
    }))
}

/// How carriers write their ids, as far as that was learnt from their first receipts.
fn ids(desk: &OperationsDesk) -> Vec<Value> {
    let control = desk.store.control();
    let learnt = desk.settle.learnt_ids().into_iter().filter_map(|learnt| {
        let carrier = control.carrier(learnt.carrier)?;
        let ways = Likeness::ALL.iter().zip(learnt.hits).map(|((_, way), hits)| ((*way).to_owned(), json!(hits)));
        Some(json!({
            "carrier": carrier.name,
            "receipts": learnt.receipts,
            "hits": ways.collect::<Map<String, Value>>(),
            "fits": learnt.proposed.map(Choice::name),
            "set": carrier.message_id_format.name(),
        }))
    });
    learnt.collect()
}
