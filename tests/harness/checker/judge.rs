//! From books to breaches.

use std::collections::{HashMap, HashSet};

use super::breach::{Breach, Invariant};
use super::evidence::Evidence;
use super::ways;
use crate::ledger::Outcome;

/// Final for the API contract (§5): nothing follows but a late delivery.
pub(super) fn is_final(status: u64) -> bool {
    matches!(status, 9 | 10 | 21..=24)
}

/// All breaches, sorted; empty = every promise was kept.
#[must_use]
pub fn judge(evidence: &Evidence) -> Vec<Breach> {
    let mut breaches = Vec::new();
    breaches.extend(nothing_lost(evidence));
    breaches.extend(nothing_made_up(evidence));
    breaches.extend(once_at_most(evidence));
    breaches.extend(ways::duplicates_bounded(evidence));
    breaches.extend(ways::states_move_up(evidence));
    breaches.extend(text_equal(evidence));
    breaches.extend(receipts_stored(evidence));
    breaches.extend(ways::tenants_apart(evidence));
    breaches.sort();
    breaches
}

/// The breaches as one text with at most ten of each kind, or nothing.
#[must_use]
pub fn verdict(breaches: &[Breach]) -> Option<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut lines = Vec::new();
    for breach in breaches {
        let count = counts.entry(breach.invariant.number()).or_default();
        *count += 1;
        if *count <= 10 {
            lines.push(breach.to_string());
        }
    }
    (!lines.is_empty()).then(|| format!("{} breaches\n{}", breaches.len(), lines.join("\n")))
}

fn nothing_lost(evidence: &Evidence) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let lost = |what: String| Breach::new(Invariant::NothingLost, what);
    let shown: HashMap<&str, u64> = evidence.shown.iter().map(|shown| (shown.phone.as_str(), shown.status)).collect();
    let stored: Option<HashSet<&str>> =
        evidence.stored.as_ref().map(|stored| stored.iter().map(|row| row.phone.as_str()).collect());
    let submitted: HashSet<&str> = evidence.submitted.iter().map(|submit| submit.destination.as_str()).collect();
    let told: HashSet<&str> =
        evidence.told.iter().filter(|told| told.answered < 300).map(|told| told.phone.as_str()).collect();
    for asked in evidence.asked.iter().filter(|asked| asked.outcome == Outcome::Kept) {
        let (id, phone) = (&asked.external_id, asked.phone.as_str());
        match shown.get(phone) {
            None => breaches.push(lost(format!("{id} was answered 200 and is not shown by the API"))),
            Some(&status) if evidence.settled && !is_final(status) => {
                breaches.push(lost(format!("{id} stays at status {status}")));
            }
            Some(&status) if evidence.settled && evidence.all_told && !told.contains(phone) => {
                breaches.push(lost(format!("{id} ended with {status} and its webhook never came")));
            }
            Some(_) => {}
        }
        if stored.as_ref().is_some_and(|stored| !stored.contains(phone)) {
            breaches.push(lost(format!("{id} was answered 200 and is in no span file")));
        }
    }
    for shown in &evidence.shown {
        if matches!(shown.status, 2 | 21 | 22) && !submitted.contains(shown.phone.as_str()) {
            let (id, status) = (&shown.external_id, shown.status);
            breaches.push(lost(format!("{id} has status {status} and never reached the operator")));
        }
    }
    breaches
}

fn nothing_made_up(evidence: &Evidence) -> Vec<Breach> {
    let asked: HashMap<&str, Outcome> =
        evidence.asked.iter().map(|asked| (asked.phone.as_str(), asked.outcome)).collect();
    let mut breaches = Vec::new();
    for submit in &evidence.submitted {
        match asked.get(submit.destination.as_str()) {
            None => breaches.push(format!("nobody sent to {}: `{}`", submit.destination, submit.text)),
            Some(Outcome::Refused(status)) => {
                breaches.push(format!("the message to {} was refused with {status}", submit.destination));
            }
            Some(_) => {}
        }
    }
    breaches.into_iter().map(|detail| Breach::new(Invariant::NothingMadeUp, detail)).collect()
}

fn once_at_most(evidence: &Evidence) -> Vec<Breach> {
    let mut seen = HashSet::new();
    let mut breaches = Vec::new();
    for shown in &evidence.shown {
        if !seen.insert(shown.phone.as_str()) {
            breaches
                .push(Breach::new(Invariant::UnansweredOnceAtMost, format!("{} is shown twice", shown.external_id)));
        }
    }
    let mut rows = HashSet::new();
    for row in evidence.stored.iter().flatten() {
        if !rows.insert(row.phone.as_str()) {
            breaches.push(Breach::new(Invariant::UnansweredOnceAtMost, format!("{} is stored twice", row.phone)));
        }
    }
    breaches
}

fn text_equal(evidence: &Evidence) -> Vec<Breach> {
    let asked: HashMap<&str, &str> =
        evidence.asked.iter().map(|asked| (asked.phone.as_str(), asked.text.as_str())).collect();
    let differs = |whom: &str, what: &str, text: &str| {
        asked
            .get(whom)
            .filter(|asked| **asked != text)
            .map(|asked| Breach::new(Invariant::TextEqual, format!("{whom}: asked `{asked}`, {what} `{text}`")))
    };
    let mut breaches = Vec::new();
    for (destination, text) in ways::joined(evidence) {
        breaches.extend(differs(destination, "the operator read", &text));
    }
    for shown in &evidence.shown {
        breaches.extend(differs(&shown.phone, "the API shows", &shown.text));
    }
    breaches
}

fn receipts_stored(evidence: &Evidence) -> Vec<Breach> {
    let shown: HashMap<&str, u64> = evidence.shown.iter().map(|shown| (shown.phone.as_str(), shown.status)).collect();
    let parts: HashMap<&str, u8> =
        evidence.submitted.iter().map(|submit| (submit.destination.as_str(), submit.part.1)).collect();
    let mut breaches = Vec::new();
    for receipt in evidence.receipts.iter().filter(|receipt| receipt.acknowledged) {
        let destination = receipt.destination.as_str();
        // Of a long message one receipt alone decides nothing when it says "delivered".
        let expected: &[u64] = match receipt.word {
            "DELIVRD" if parts.get(destination) == Some(&1) => &[21],
            "DELIVRD" => continue,
            _ => &[21, 22],
        };
        if let Some(status) = shown.get(destination).filter(|status| !expected.contains(status)) {
            let word = receipt.word;
            breaches.push(Breach::new(
                Invariant::ReceiptsStored,
                format!("{destination}: the receipt {word} was acknowledged, the status is {status}"),
            ));
        }
    }
    breaches
}
