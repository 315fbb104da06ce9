//! What memory learns of a commit, before anybody hears of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::request::Request;
use domain::state::Progress;

use super::commit::{IndexChange, Outcome};
use super::filter::{Filters, KeyKind};
use super::hash::{Reference, reference_key};
use super::index::{HotIndex, NewEntry};
use super::live::{Head, Live, LiveCache};
use super::shared::Shared;
use super::span::{Counts, Span};
use super::write::due_column;

impl Outcome {
    /// Whether it brought keys that a filter would have to hold.
    pub fn has_keys(&self) -> bool {
        !self.accepted.is_empty()
            || !self.incoming.is_empty()
            || self.changes.iter().any(|change| matches!(change, IndexChange::OperatorKey { .. }))
    }
}

/// Takes a durable outcome into memory.
pub(crate) fn publish(shared: &Shared, span: &Span, live: &mut LiveCache, outcome: Outcome) {
    if let Some(index) = span.hot.write().as_mut() {
        outcome.accepted.iter().for_each(|(request, _)| add_request(index, request));
        outcome.incoming.iter().for_each(|message| index.incoming.add_message(message));
        let reused = outcome.changes.iter().filter(|change| apply(index, change)).count();
        if reused > 0 {
            shared.operator_ids_reused.fetch_add(reused as u64, Ordering::Relaxed);
        }
    }
    if span.sealing.load(Ordering::Acquire) || span.is_sealed() {
        add_late(shared, &span.filters, &outcome);
    }
    if outcome.changes.iter().any(|change| matches!(change, IndexChange::Untold(_))) {
        span.untold.store(true, Ordering::Release);
    }
    if outcome.changes.iter().any(|change| matches!(change, IndexChange::Dead(_))) {
        span.dead.store(true, Ordering::Release);
    }
    span.last_position.fetch_max(outcome.last_position, Ordering::AcqRel);
    count(&mut span.counts.lock(), &outcome);
    if !outcome.spent.is_empty() {
        let mut spent = shared.spent.lock();
        for (account, money) in &outcome.spent {
            let sum = spent.entry(*account).or_default();
            *sum = sum.plus(*money);
        }
    }
    outcome.parked.iter().for_each(|parked| shared.parked.add(parked));
    outcome.unparked.iter().for_each(|id| shared.parked.remove(*id));
    for (message, was_cached) in outcome.put_back {
        if was_cached { live.put_back(message) } else { live.add(message) }
    }
    for (request, head) in &outcome.accepted {
        add_live(live, request, head);
    }
}

/// Takes a request with its messages into an index.
fn add_request(index: &mut HotIndex, request: &Request) {
    for (kind, text) in references(request) {
        index.add_reference(reference_key(request.account, kind, text), request.id);
    }
    for (position, message) in request.messages.iter().enumerate() {
        index.add_message(NewEntry {
            id: request.message_id(position).0,
            account: request.account,
            phone: message.phone.as_u64(),
            due_at: due_column(request, message.delay_ms),
            expires_at: request.expires_at.plus_ms(message.delay_ms).0,
            open: true,
            waits: true,
        });
    }
}

/// The references by which a repeat of a request is recognised.
pub(crate) fn references(request: &Request) -> impl Iterator<Item = (Reference, &str)> {
    let external = request.external_id.as_deref().map(|text| (Reference::External, text));
    let idempotency = request.idempotency_key.as_deref().map(|text| (Reference::Idempotency, text));
    external.into_iter().chain(idempotency)
}

/// Takes in a change; true if it was an operator id that another message holds already.
fn apply(index: &mut HotIndex, change: &IndexChange) -> bool {
    match change {
        IndexChange::OperatorKey { key, id, part } => return index.add_operator_key(*key, *id, *part),
        IndexChange::Unscheduled { due_at, id } => index.remove_scheduled(*due_at, *id),
        IndexChange::Logged(logged) => index.log(*logged),
        IndexChange::IncomingPart(id) => index.incoming.add_part(*id),
        IndexChange::IncomingJoined(id) => index.incoming.part_joined(*id),
        IndexChange::IncomingHandled(id) => index.incoming.handled(*id),
        IndexChange::Untold(event) => index.add_untold(*event),
        IndexChange::Told(event) => index.remove_untold(*event),
        IndexChange::Dead(event) => index.add_dead(*event),
    }
    false
}

fn add_late(shared: &Shared, filters: &Filters, outcome: &Outcome) {
    for (request, _) in &outcome.accepted {
        for (kind, text) in references(request) {
            filters.add_late(KeyKind::Reference, reference_key(request.account, kind, text));
        }
        for message in &request.messages {
            filters.add_late(KeyKind::Phone, message.phone.as_u64());
        }
    }
    for phone in outcome.incoming.iter().filter_map(|message| message.phone) {
        filters.add_late(KeyKind::Phone, phone.as_u64());
    }
    for change in &outcome.changes {
        if let IndexChange::OperatorKey { key, id, part } = change {
            filters.add_late(KeyKind::Operator, key.cast_unsigned());
            shared.late_keys.add(*key, *id, *part);
        }
    }
}

fn count(counts: &mut Counts, outcome: &Outcome) {
    counts.messages += outcome.accepted.iter().map(|(request, _)| request.messages.len() as u64).sum::<u64>();
    let is_part = |change: &&IndexChange| matches!(change, IndexChange::IncomingPart(_));
    counts.incoming += (outcome.incoming.len() + outcome.changes.iter().filter(is_part).count()) as u64;
    counts.open = counts.open.saturating_add_signed(outcome.open);
    for (line, change) in &outcome.waiting {
        let waiting = counts.waiting.entry(*line).or_default();
        *waiting = waiting.saturating_add_signed(*change);
        if *waiting == 0 {
            counts.waiting.remove(line);
        }
    }
}

fn add_live(live: &mut LiveCache, request: &Request, head: &Arc<Head>) {
    for (position, message) in request.messages.iter().enumerate() {
        live.add(Box::new(Live {
            id: request.message_id(position),
            head: Arc::clone(head),
            phone: message.phone,
            price: message.price,
            carrier: message.carrier,
            due_at: due_column(request, message.delay_ms),
            progress: Progress::new(request.parts, request.accepted_at),
            steps: 0,
        }));
    }
}
