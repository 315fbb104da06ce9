//! Where receipts belong.

use domain::clock::UnixMillis;
use domain::fact::ParkedReceipt;
use domain::id::{CarrierId, MessageId};
use domain::operator_id::match_key;
use domain::receipt::ReceiptState;
use domain::state::{Part, PartState};
use rusqlite::{Connection, OptionalExtension, Row, params};

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

/// Looks only into the memory of the unsealed spans and at what sealed ones learnt lately.
pub(crate) fn match_in_memory(shared: &Shared, carrier: CarrierId, canonical_id: &str) -> Option<ReceiptMatch> {
    let key = match_key(carrier, canonical_id);
    let hot = shared.spans.newest_first().iter().find_map(|span| span.hot.read().as_ref()?.operator_key(key));
    // What was damaged or deleted since is left to the search, which says so.
    let is_there = |id: MessageId| shared.spans.of(id).is_some_and(|span| span.damage().is_none());
    let (id, part) = hot.or_else(|| shared.late_keys.find(key).filter(|(id, _)| is_there(*id)))?;
    Some(ReceiptMatch { id, part })
}

/// Looks everywhere, forms in order, newest spans first.
pub(crate) fn match_receipt(
    shared: &Shared,
    carrier: CarrierId,
    canonical_ids: &[Box<str>],
) -> Result<Option<ReceiptMatch>, QuestionError> {
    let since = shared.clock.now().plus_ms(-RECEIPT_LOOK_BACK_MS);
    let mut spans = Vec::clone(&shared.spans.newest_first());
    spans.retain(|span| {
        let is_old = shared.spans.end_of(span).is_some_and(|end| end.created() < since);
        !is_old || span.counts.lock().open > 0
    });
    for canonical_id in canonical_ids {
        let key = match_key(carrier, canonical_id);
        for span in &spans {
            let in_memory = span.hot.read().as_ref().map(|index| index.operator_key(key));
            let found = match in_memory {
                Some(found) => found,
                None if !span.filters.may_hold(KeyKind::Operator, key.cast_unsigned(), &shared.filter_budget) => None,
                None => shared.connections.with(span, |connection| sealed_key(connection, key))?,
            };
            if let Some((id, part)) = found {
                return Ok(Some(ReceiptMatch { id, part }));
            }
        }
    }
    Ok(None)
}

fn sealed_key(connection: &Connection, key: i64) -> Result<Option<(MessageId, u8)>, Fault> {
    let single =
        "SELECT id, 1 FROM message INDEXED BY message_operator_key WHERE operator_key = ?1 ORDER BY id DESC LIMIT 1";
    let several = "SELECT message_id, number FROM part INDEXED BY part_operator_key WHERE operator_key = ?1 ORDER BY message_id DESC LIMIT 1";
    for sql in [single, several] {
        let found =
            prepare(connection, sql)?.query_row([key], |row| Ok((MessageId(row.get(0)?), row.get(1)?))).optional()?;
        let Some((id, part)) = found else { continue };
        // An index entry that points to another row than it was made for must not settle a stranger's message.
        let mut sum = RowSum::default();
        let row = read::message(connection, id, &mut sum)?.ok_or_else(|| read::damaged("message", id.0))?;
        let parts: u8 = if sql == several { domain::limits::PARTS_PER_MESSAGE_MAX.max(part) } else { 1 };
        let own = read::progress(connection, row, parts, &mut sum)?;
        let is_own =
            |part: &Part| part.state != PartState::Waiting && match_key(part.carrier, &part.canonical_id) == key;
        if own.parts.get(usize::from(part.saturating_sub(1))).is_some_and(is_own) {
            return Ok(Some((id, part)));
        }
        return Err(Fault::Corrupt(format!("index entry {key:016x} of message {id}")));
    }
    Ok(None)
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
