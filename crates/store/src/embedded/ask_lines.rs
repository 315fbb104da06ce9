//! Questions about what waits: lines, schedules, validity, events.

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::lane::Lane;
use domain::request::Waiting;
use domain::state::{PartState, Status};
use rusqlite::{Connection, Params, params};
use smallvec::SmallVec;

use super::ask_message::RequestMemo;
use super::database::Fault;
use super::limits::{EXPIRING_LOOKED_AT_MAX, WAITING_LOOKED_UP_MAX};
use super::read::{self, MESSAGE_COLUMNS, MessageRow, prepare};
use super::shared::Shared;
use super::span::Span;
use crate::error::QuestionError;
use crate::question::Overdue;

/// Messages of an account that wait for a carrier and are due, by id.
pub(crate) fn waiting(
    shared: &Shared,
    lane: Lane,
    (carrier, account): (CarrierId, AccountId),
    after: MessageId,
    limit: usize,
) -> Result<Vec<Waiting>, QuestionError> {
    let now = shared.clock.now();
    let mut found = Vec::new();
    for span in shared.spans.of_lane_after(lane, after, |span| span.waiting_for(carrier, account) > 0) {
        if found.len() >= limit {
            break;
        }
        let room = limit - found.len();
        let few =
            span.hot.read().as_ref().and_then(|index| index.of_account_after(account, after.0, WAITING_LOOKED_UP_MAX));
        if let Some(ids) = few {
            found.extend(waiting_among(
                shared,
                &span,
                &ids,
                |row| row.carrier == carrier && row.due_at <= now.0,
                room,
            )?);
            continue;
        }
        let index = if span.is_sealed() { "INDEXED BY message_waiting" } else { "" };
        let sql = format!(
            "SELECT {MESSAGE_COLUMNS} FROM message m {index} WHERE m.status = 1 AND m.carrier = ?1 AND m.account = ?2 \
             AND m.id > ?3 AND m.due_at <= ?4 ORDER BY m.id LIMIT ?5"
        );
        let room = i64::try_from(room).unwrap_or(i64::MAX);
        found.extend(ask_waiting(shared, &span, &sql, params![carrier.0, account.0, after.0, now.0, room])?);
    }
    Ok(found)
}

/// Those of `ids` that wait and are `wanted`, in their order, at most `limit`.
fn waiting_among(
    shared: &Shared,
    span: &Span,
    ids: &[i64],
    wanted: impl Fn(&MessageRow) -> bool,
    limit: usize,
) -> Result<Vec<Waiting>, QuestionError> {
    shared.connections.with(span, |connection| {
        let mut memo = RequestMemo::new(shared);
        let mut found = Vec::new();
        for id in ids {
            if found.len() >= limit {
                break;
            }
            // A message in the index may have left the waiting state since.
            let row = read::message(connection, MessageId(*id), &mut memo.sum)?;
            if let Some(row) = row.filter(|row| row.status == Status::New && wanted(row)) {
                found.push(as_waiting(connection, &row, &mut memo)?);
            }
        }
        Ok(found)
    })
}

fn ask_waiting(
    shared: &Shared,
    span: &Span,
    sql: &str,
    parameters: impl Params,
) -> Result<Vec<Waiting>, QuestionError> {
    shared.connections.with(span, |connection| {
        let mut memo = RequestMemo::new(shared);
        let rows = message_rows(connection, sql, parameters, &mut memo)?;
        rows.into_iter().map(|row| as_waiting(connection, &row, &mut memo)).collect()
    })
}

fn message_rows(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
    memo: &mut RequestMemo,
) -> Result<Vec<MessageRow>, Fault> {
    let mut statement = prepare(connection, sql)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read::message_row(row, &mut memo.sum)?);
    }
    Ok(found)
}

fn as_waiting(connection: &Connection, row: &MessageRow, memo: &mut RequestMemo) -> Result<Waiting, Fault> {
    let request = memo.request(connection, row.request_id)?;
    let count = request.request.parts;
    let (mut parts_taken, mut parts_intended) = (SmallVec::new(), SmallVec::new());
    let mut sort = |number: u8, state| match state {
        PartState::Waiting => {}
        PartState::Intended => parts_intended.push(number),
        _ => parts_taken.push(number),
    };
    if count > 1 {
        let parts = read::parts(connection, row.id, count, &mut memo.sum)?;
        (1_u8..).zip(&parts).for_each(|(number, part)| sort(number, part.state));
    } else {
        sort(1, row.part.state);
    }
    Ok(Waiting {
        id: row.id,
        account: row.account,
        phone: row.phone,
        carrier: row.carrier,
        due_at: if row.due_at > 0 { UnixMillis(row.due_at) } else { request.request.due_at },
        content: request.content(),
        parts_taken,
        parts_intended,
    })
}

/// Scheduled messages that are due before a moment, by (due time, id).
pub(crate) fn scheduled(
    shared: &Shared,
    lane: Lane,
    due_before: UnixMillis,
    after: (UnixMillis, MessageId),
    limit: usize,
) -> Result<Vec<Waiting>, QuestionError> {
    let mut found: Vec<Waiting> = Vec::new();
    for span in shared.spans.of_lane_after(lane, MessageId(0), |span| span.waiting() > 0) {
        let after = (after.0.0, after.1.0);
        let in_memory = span.hot.read().as_ref().map(|index| index.scheduled_between(after, due_before.0, limit));
        let own = match in_memory {
            Some(keys) => {
                let ids: Vec<i64> = keys.into_iter().map(|(_, id)| id).collect();
                waiting_among(shared, &span, &ids, |_| true, usize::MAX)?
            }
            None => {
                let sql = format!(
                    "SELECT {MESSAGE_COLUMNS} FROM message m INDEXED BY message_due WHERE m.status = 1 AND m.due_at > 0 \
                     AND m.due_at < ?1 AND (m.due_at, m.id) > (?2, ?3) ORDER BY m.due_at, m.id LIMIT ?4"
                );
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                ask_waiting(shared, &span, &sql, params![due_before.0, after.0, after.1, limit])?
            }
        };
        found.extend(own);
    }
    found.sort_by_key(|waiting| (waiting.due_at, waiting.id));
    found.truncate(limit);
    Ok(found)
}

/// Messages past their time.
pub(crate) fn overdue(shared: &Shared, lane: Lane, limit: usize) -> Result<Vec<Overdue>, QuestionError> {
    let mut found = Vec::new();
    for span in shared.spans.of_lane_after(lane, MessageId(0), |span| span.counts.lock().open > 0) {
        if found.len() >= limit {
            break;
        }
        let room = limit - found.len();
        let own =
            if span.is_sealed() { overdue_sealed(shared, &span, room)? } else { overdue_hot(shared, &span, room)? };
        found.extend(own);
    }
    Ok(found)
}

/// Whether an open message is past its time, or from when on it is.
fn look(row: &MessageRow, now: UnixMillis, grace_ms: i64) -> Result<Overdue, UnixMillis> {
    let limit = if row.status == Status::New { row.expires_at } else { row.expires_at.plus_ms(grace_ms) };
    if limit < now { Ok(Overdue { id: row.id, account: row.account, status: row.status }) } else { Err(limit) }
}

fn overdue_hot(shared: &Shared, span: &Span, limit: usize) -> Result<Vec<Overdue>, QuestionError> {
    let now = shared.clock.now();
    let expiring = span.hot.write().as_mut().map(|index| index.take_expiring(now.0, EXPIRING_LOOKED_AT_MAX));
    let Some(expiring) = expiring else { return overdue_sealed(shared, span, limit) };
    let looked_at = shared.connections.with(span, |connection| {
        let mut memo = RequestMemo::new(shared);
        let mut found = Vec::new();
        let mut again = Vec::new();
        for (place, id) in expiring.iter().enumerate() {
            if found.len() >= limit {
                again.extend(expiring[place..].iter().map(|id| (*id, now)));
                break;
            }
            let Some(row) =
                read::message(connection, MessageId(*id), &mut memo.sum)?.filter(|row| !row.status.is_outcome())
            else {
                continue;
            };
            match look(&row, now, shared.options.receipt_grace_ms) {
                // It stays in view until somebody has ended it.
                Ok(overdue) => {
                    found.push(overdue);
                    again.push((*id, now));
                }
                Err(at) => again.push((*id, at)),
            }
        }
        Ok((found, again))
    });
    let mut hot = span.hot.write();
    let Some(index) = hot.as_mut() else { return looked_at.map(|(found, _)| found) };
    match looked_at {
        Ok((found, again)) => {
            again.into_iter().for_each(|(id, at)| index.look_again(id, at.0));
            Ok(found)
        }
        Err(error) => {
            expiring.into_iter().for_each(|id| index.look_again(id, now.0));
            Err(error)
        }
    }
}

fn overdue_sealed(shared: &Shared, span: &Span, limit: usize) -> Result<Vec<Overdue>, QuestionError> {
    let now = shared.clock.now();
    let sql = "SELECT id, account FROM message INDEXED BY message_open WHERE status = ?1 AND status IN (1, 2) AND expires_at < ?2 \
               ORDER BY expires_at LIMIT ?3";
    shared.connections.with(span, |connection| {
        let mut found = Vec::new();
        for (status, before) in [(Status::New, now), (Status::Sent, now.plus_ms(-shared.options.receipt_grace_ms))] {
            let mut statement = prepare(connection, sql)?;
            let room = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
            let ids = statement.query_map(params![status.code(), before.0, room], |row| {
                Ok(Overdue { id: MessageId(row.get(0)?), account: AccountId(row.get(1)?), status })
            })?;
            for overdue in ids {
                found.push(overdue?);
            }
        }
        Ok(found)
    })
}
