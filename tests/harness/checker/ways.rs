//! What can only be judged over several entries: repeats, order, neighbours.

use std::collections::{BTreeMap, HashMap};

use super::breach::{Breach, Invariant};
use super::evidence::Evidence;

/// Every part beyond its first submit is a duplicate; it must follow a crash, and be one of those in flight then. That is
/// the crash after its submit before: a backlog may keep it waiting until after the next ones.
pub fn duplicates_bounded(evidence: &Evidence) -> Vec<Breach> {
    let mut last_seen = HashMap::new();
    let mut of_crash: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for submit in &evidence.submitted {
        let crashes = submit.crashes_before;
        if let Some(before) = last_seen.insert((submit.destination.as_str(), submit.part.0), crashes) {
            // The operator may have read what the dead server wrote a moment after its death.
            let crash = crashes.min(before + 1);
            of_crash.entry(crash).or_default().push(&submit.destination);
        }
    }
    of_crash
        .into_iter()
        .map(|(crash, whom)| (crash, whom, if crash == 0 { 0 } else { evidence.in_flight_max }))
        .filter(|(_, whom, allowed)| whom.len() > *allowed)
        .map(|(crash, whom, allowed)| {
            let (count, first) = (whom.len(), whom.first().copied().unwrap_or_default());
            Breach::new(
                Invariant::DuplicatesBounded,
                format!("{count} submitted again because of crash {crash}, {allowed} allowed, such as {first}"),
            )
        })
        .collect()
}

/// How far along a status is (API contract §5).
fn rank(status: u64) -> u8 {
    match status {
        1 => 0,
        2 => 1,
        22..=24 => 2,
        _ => 3,
    }
}

/// Told states rise, each with one event id; the final dump is not behind what was told.
pub fn states_move_up(evidence: &Evidence) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut breach = |detail: String| breaches.push(Breach::new(Invariant::StatesMoveUp, detail));
    let mut events: HashMap<&str, (&str, u64)> = HashMap::new();
    let mut moves: HashMap<&str, Vec<(u64, &str)>> = HashMap::new();
    for told in &evidence.told {
        let (id, phone, status) = (told.event_id.as_str(), told.phone.as_str(), told.status);
        match events.insert(id, (phone, status)) {
            // A repeat of a call: the same event, nothing new.
            Some(before) if before == (phone, status) => continue,
            Some(before) => breach(format!("event {id} was about {before:?}, then about {:?}", (phone, status))),
            None => {}
        }
        let known = moves.entry(phone).or_default();
        if let Some((_, other)) = known.iter().find(|(before, _)| *before == status) {
            breach(format!("{phone} was told to be {status} by two events, {other} and {id}"));
        } else if let Some((before, _)) = known.last().filter(|(before, _)| rank(*before) >= rank(status)) {
            breach(format!("{phone} was told to be {before}, then {status}"));
        }
        known.push((status, id));
    }
    for shown in &evidence.shown {
        let last =
            moves.get(shown.phone.as_str()).and_then(|known| known.iter().max_by_key(|(status, _)| rank(*status)));
        if let Some((status, _)) = last.filter(|(status, _)| rank(*status) > rank(shown.status)) {
            breach(format!("{} was told to be {status} and is shown as {}", shown.phone, shown.status));
        }
    }
    breaches
}

/// The texts that the operator can join: every part is there, in the order of their numbers.
pub fn joined(evidence: &Evidence) -> Vec<(&str, String)> {
    let mut parts: BTreeMap<&str, BTreeMap<u8, (&str, u8)>> = BTreeMap::new();
    for submit in &evidence.submitted {
        parts.entry(&submit.destination).or_default().insert(submit.part.0, (&submit.text, submit.part.1));
    }
    parts
        .into_iter()
        .filter(|(_, parts)| parts.values().all(|(_, count)| usize::from(*count) == parts.len()))
        .map(|(destination, parts)| (destination, parts.values().map(|(text, _)| *text).collect()))
        .collect()
}

/// Every answer, page and event carries what its own account asked for.
pub fn tenants_apart(evidence: &Evidence) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let mut breach = |detail: String| breaches.push(Breach::new(Invariant::TenantsApart, detail));
    let asked: HashMap<&str, (&str, &str)> = evidence
        .asked
        .iter()
        .map(|asked| (asked.phone.as_str(), (asked.account.as_str(), asked.external_id.as_str())))
        .collect();
    for asked in &evidence.asked {
        if let Some(answered) = asked.answered_id.as_ref().filter(|answered| **answered != asked.external_id) {
            breach(format!("{} was answered with the id {answered}", asked.external_id));
        }
    }
    let seen = evidence.shown.iter().map(|shown| ("shown", &shown.account, &shown.phone, &shown.external_id));
    let told = evidence.told.iter().map(|told| ("told", &told.account, &told.phone, &told.external_id));
    for (how, account, phone, id) in seen.chain(told) {
        match asked.get(phone.as_str()) {
            Some((owner, own)) if owner != account || own != id => {
                breach(format!("{account} was {how} {id} to {phone}, which {owner} asked for as {own}"));
            }
            None => breach(format!("{account} was {how} {id} to {phone}, which nobody asked for")),
            Some(_) => {}
        }
    }
    breaches
}
