//! Where receipts belong.

use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::fact::ParkedReceipt;
use domain::id::{CarrierId, MessageId};
use domain::limits::OPERATOR_ID_HOLDERS_MAX;
use domain::operator_id::match_key;
use domain::receipt::ReceiptState;
use domain::state::PartState;
use rusqlite::{Connection, Row, params};
use smallvec::SmallVec;

use super::database::Fault;
use super::filter::KeyKind;
use super::limits::RECEIPT_LOOK_BACK_MS;
use super::parked::Found;
use super::read::{self, prepare};
use super::shared::Shared;
use super::span::Span;
use super::sum::RowSum;
use super::write::parked_sum;
use crate::error::QuestionError;
use crate::question::ReceiptMatch;

const PARKED_COLUMNS: &str =
    "SELECT id, carrier, canonical_ids, at, state, error, done_at, raw, check_sum FROM parked_receipt";

/// Looks only into the memory of the unsealed spans and at what sealed ones learnt lately; an id that was given to
/// several messages is left to [`match_receipt`].
pub(crate) fn match_in_memory(shared: &Shared, carrier: CarrierId, canonical_id: &str) -> Option<ReceiptMatch> {
    let key = match_key(carrier, canonical_id);
    let mut found: Option<(MessageId, u8)> = None;
    for span in shared.spans.newest_first().iter() {
        let hot = span.hot.read();
        let Some((index, place)) = hot.as_ref().and_then(|index| index.operator_key(key).map(|place| (index, place)))
        else {
            continue;
        };
        if index.is_reused(key) || found.is_some_and(|(id, _)| id != place.0) {
            return None;
        }
        found = Some(place);
    }
    // What was damaged or deleted since is left to the search, which says so.
    let is_there = |id: MessageId| shared.spans.of(id).is_some_and(|span| span.damage().is_none());
    let (id, part) = found.or_else(|| shared.late_keys.find(key).filter(|(id, _)| is_there(*id)))?;
    Some(ReceiptMatch { id, part })
}

/// Looks everywhere for each of the forms, newest spans first: the newest part that still waits for its outcome,
/// else the newest.
pub(crate) fn match_receipt(
    shared: &Shared,
    carrier: CarrierId,
    canonical_ids: &[Box<str>],
) -> Result<Vec<Option<ReceiptMatch>>, QuestionError> {
    let since = shared.clock.now().plus_ms(-RECEIPT_LOOK_BACK_MS);
    let mut spans = Vec::clone(&shared.spans.newest_first());
    spans.retain(|span| {
        let is_old = shared.spans.end_of(span).is_some_and(|end| end.created() < since);
        !is_old || span.counts.lock().open > 0
    });
    canonical_ids.iter().map(|canonical_id| match_form(shared, &spans, match_key(carrier, canonical_id))).collect()
}

fn match_form(shared: &Shared, spans: &[Arc<Span>], key: i64) -> Result<Option<ReceiptMatch>, QuestionError> {
    let (mut open, mut newest): (Option<ReceiptMatch>, Option<ReceiptMatch>) = (None, None);
    let is_newer =
        |place: &ReceiptMatch, than: &Option<ReceiptMatch>| than.as_ref().is_none_or(|than| place.id > than.id);
    for span in spans {
        let ends_before = |place: &ReceiptMatch| shared.spans.end_of(span).is_some_and(|end| end <= place.id);
        if open.as_ref().is_some_and(ends_before) {
            continue;
        }
        let in_memory = span.hot.read().as_ref().map(|index| index.operator_key_holders(key));
        let holders = match in_memory {
            Some(holders) if holders.is_empty() => continue,
            Some(holders) => shared.connections.with(span, |connection| with_states(connection, &holders, key))?,
            None if !span.filters.may_hold(KeyKind::Operator, key.cast_unsigned(), &shared.filter_budget) => continue,
            None => shared.connections.with(span, |connection| sealed_holders(connection, key))?,
        };
        for (place, is_open) in holders {
            if is_open && is_newer(&place, &open) {
                open = Some(place.clone());
            }
            if is_newer(&place, &newest) {
                newest = Some(place);
            }
        }
    }
    Ok(open.or(newest))
}

/// Parts that hold a key, newest first, with whether they still wait for their outcome.
type Holders = SmallVec<[(ReceiptMatch, bool); 1]>;

fn with_states(connection: &Connection, holders: &[(MessageId, u8)], key: i64) -> Result<Holders, Fault> {
    let mut found = Holders::new();
    for &(id, part) in holders {
        let mut sum = RowSum::default();
        let row = read::message(connection, id, &mut sum)?.ok_or_else(|| read::damaged("message", id.0))?;
        // Of a message of several parts the row itself has no id; more parts than there are do no harm.
        let is_single = !row.part.canonical_id.is_empty();
        let parts: u8 = if is_single { 1 } else { domain::limits::PARTS_PER_MESSAGE_MAX.max(part).max(2) };
        let progress = read::progress(connection, row, parts, &mut sum)?;
        // An index entry that points to another row than it was made for must not settle a stranger's message.
        let own = progress.parts.get(usize::from(part.saturating_sub(1)));
        let own = own.filter(|own| own.state != PartState::Waiting && match_key(own.carrier, &own.canonical_id) == key);
        let own = own.ok_or_else(|| Fault::Corrupt(format!("index entry {key:016x} of message {id}")))?;
        found.push((ReceiptMatch { id, part }, !own.state.is_outcome()));
    }
    Ok(found)
}

fn sealed_holders(connection: &Connection, key: i64) -> Result<Holders, Fault> {
    let single =
        "SELECT id, 1 FROM message INDEXED BY message_operator_key WHERE operator_key = ?1 ORDER BY id DESC LIMIT ?2";
    let several = "SELECT message_id, number FROM part INDEXED BY part_operator_key WHERE operator_key = ?1 \
                   ORDER BY message_id DESC, number LIMIT ?2";
    let mut holders: Vec<(MessageId, u8)> = Vec::new();
    for sql in [single, several] {
        let mut statement = prepare(connection, sql)?;
        let limit = i64::try_from(OPERATOR_ID_HOLDERS_MAX).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![key, limit], |row| Ok((MessageId(row.get(0)?), row.get(1)?)))?;
        for holder in rows {
            holders.push(holder?);
        }
    }
    holders.sort_by_key(|(id, part)| (std::cmp::Reverse(*id), *part));
    with_states(connection, &holders, key)
}

/// Parked receipts of a carrier that the id matches, oldest first.
pub(crate) fn parked(
    shared: &Shared,
    carrier: CarrierId,
    canonical_id: &str,
) -> Result<Vec<ParkedReceipt>, QuestionError> {
    let is_it = |parked: &ParkedReceipt| {
        parked.carrier == carrier && parked.canonical_ids.iter().any(|form| **form == *canonical_id)
    };
    let mut found = Vec::new();
    match shared.parked.find(match_key(carrier, canonical_id)) {
        Found::All(ids) => {
            for id in ids {
                let Some(span) = shared.spans.of(MessageId(id)) else { continue };
                found.extend(shared.connections.with(&span, |connection| one_parked(connection, id))?);
            }
        }
        Found::AskFiles => {
            let since = shared.clock.now().plus_ms(-domain::limits::PARKED_RECEIPT_LIFE_MS);
            for span in shared.spans.newest_first().iter() {
                if shared.spans.end_of(span).is_none_or(|end| end.created() >= since) {
                    found.extend(all_parked(shared, span)?);
                }
            }
        }
    }
    found.retain(is_it);
    found.sort_by_key(|parked| parked.id);
    Ok(found)
}

/// Parked receipts after `after`, oldest first, as far as memory knows them.
pub(crate) fn parked_after(
    shared: &Shared,
    after: MessageId,
    limit: usize,
) -> Result<Vec<ParkedReceipt>, QuestionError> {
    let mut found = Vec::new();
    for id in shared.parked.after(after, limit) {
        let Some(span) = shared.spans.of(id) else { continue };
        found.extend(shared.connections.with(&span, |connection| one_parked(connection, id.0))?);
    }
    Ok(found)
}

fn one_parked(connection: &Connection, id: i64) -> Result<Option<ParkedReceipt>, Fault> {
    let mut statement = prepare(connection, &format!("{PARKED_COLUMNS} WHERE id = ?1"))?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(parked_row).transpose()
}

/// All parked receipts of a span.
pub(crate) fn all_parked(shared: &Shared, span: &Span) -> Result<Vec<ParkedReceipt>, QuestionError> {
    shared.connections.with(span, parked_rows)
}

/// All parked receipts in a file.
pub(crate) fn parked_rows(connection: &Connection) -> Result<Vec<ParkedReceipt>, Fault> {
    let mut statement = prepare(connection, PARKED_COLUMNS)?;
    let mut rows = statement.query(params![])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(parked_row(row)?);
    }
    Ok(found)
}

/// Reads a row of `parked_receipt` with all its columns in the order of the table.
pub(crate) fn parked_row(row: &Row<'_>) -> Result<ParkedReceipt, Fault> {
    let id: i64 = row.get(0)?;
    let wrong = || read::damaged("parked receipt", id);
    let forms = row.get_ref(2)?.as_str()?;
    let canonical_ids: Vec<Box<str>> = serde_json::from_str(forms).map_err(|_| wrong())?;
    let parked = ParkedReceipt {
        id: MessageId(id),
        carrier: CarrierId(row.get(1)?),
        canonical_ids: canonical_ids.into_iter().collect(),
        at: UnixMillis(row.get(3)?),
        state: ReceiptState::from_word(row.get_ref(4)?.as_str()?),
        error: row.get(5)?,
        done_at: row.get::<_, Option<i64>>(6)?.map(UnixMillis),
        raw: row.get(7)?,
    };
    if parked_sum(&parked, forms, &mut RowSum::default()) != row.get::<_, i64>(8)? {
        return Err(wrong());
    }
    Ok(parked)
}

/// Whether a receipt with that id may be parked, as far as memory knows.
pub(crate) fn may_be_parked(shared: &Shared, carrier: CarrierId, canonical_id: &str) -> bool {
    match shared.parked.find(match_key(carrier, canonical_id)) {
        Found::All(ids) => !ids.is_empty(),
        Found::AskFiles => true,
    }
}
