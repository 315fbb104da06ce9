//! Questions about single messages and requests.

use std::collections::HashMap;
use std::sync::Arc;

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::limits::RECIPIENTS_PER_REQUEST_MAX;
use domain::link::LinkCodes;
use domain::request::{NewMessage, Request};
use domain::state::Status;
use rusqlite::{Connection, params};

use super::database::Fault;
use super::event_rows::{EVENT_COLUMNS, EVENT_TOLD, event_columns};
use super::filter::KeyKind;
use super::hash::{Reference, reference_key};
use super::read::{self, MessageRow, RequestRow, prepare};
use super::shared::Shared;
use super::span::Span;
use super::sum::RowSum;
use super::write::step_sum;
use crate::error::QuestionError;
use crate::question::{MessageRecord, Step};
use domain::fact::EventId;

/// Requests read within one question, so that a large one is read once.
pub(crate) struct RequestMemo {
    requests: HashMap<MessageId, Arc<RequestRow>>,
    codes: LinkCodes,
    pub sum: RowSum,
}

impl RequestMemo {
    /// Nothing read yet.
    pub fn new(shared: &Shared) -> Self {
        let codes = shared.control.link_codes().clone();
        Self { requests: HashMap::new(), codes, sum: RowSum::default() }
    }

    /// The request of a stored message.
    pub fn request(&mut self, connection: &Connection, id: MessageId) -> Result<Arc<RequestRow>, Fault> {
        if let Some(request) = self.requests.get(&id) {
            return Ok(Arc::clone(request));
        }
        let request = read::request(connection, id, &mut self.sum)?.ok_or_else(|| read::damaged("request", id.0))?;
        let request = Arc::new(request.with_codes(&self.codes));
        self.requests.insert(id, Arc::clone(&request));
        Ok(request)
    }

    /// The message as it is listed.
    pub fn record(&mut self, connection: &Connection, row: MessageRow) -> Result<MessageRecord, Fault> {
        let stored = self.request(connection, row.request_id)?;
        let request = &stored.request;
        let parts = if request.parts > 1 {
            read::parts(connection, row.id, request.parts, &mut self.sum)?.into_vec()
        } else {
            vec![row.part]
        };
        Ok(MessageRecord {
            id: row.id,
            account: row.account,
            key: request.key,
            uniq_id: request.uniq_id.clone(),
            external_id: stored.external_id(row.id).into(),
            phone: row.phone,
            sender: request.sender.clone(),
            text: domain::request::text_for(&request.text, request.links.as_deref(), row.id).into(),
            short_link: request.links.is_some(),
            encoding: request.encoding,
            flash: request.flash,
            status: row.status,
            status_at: row.status_at,
            error: row.error,
            control_version: request.control_version,
            accepted_at: request.accepted_at,
            schedule_time: request.schedule_time,
            expires_at: row.expires_at,
            price: row.price,
            currency: request.currency,
            carrier: row.carrier,
            parts,
        })
    }
}

/// One message.
pub(crate) fn message(shared: &Shared, id: MessageId) -> Result<Option<MessageRecord>, QuestionError> {
    let Some(span) = shared.spans.of(id) else { return Ok(None) };
    shared.connections.with(&span, |connection| {
        let mut memo = RequestMemo::new(shared);
        let row = read::message(connection, id, &mut memo.sum)?;
        row.map(|row| memo.record(connection, row)).transpose()
    })
}

/// Messages with the contract's `externalId`: one message of a request, or a whole request's. Newest request first.
pub(crate) fn find(
    shared: &Shared,
    account: AccountId,
    external_id: &str,
) -> Result<Vec<MessageRecord>, QuestionError> {
    let mut records = Vec::new();
    if let Some(id) = MessageId::from_reference(external_id) {
        records.extend(
            message(shared, id)?.filter(|record| record.account == account && *record.external_id == *external_id),
        );
    }
    for (span, request_id) in requests_with(shared, account, Reference::External, external_id)? {
        records.extend(whole_request(shared, &span, account, request_id)?);
        if records.len() >= RECIPIENTS_PER_REQUEST_MAX {
            return Ok(records);
        }
    }
    let Some((given, position)) = numbered(external_id) else { return Ok(records) };
    for (_, request_id) in requests_with(shared, account, Reference::External, given)? {
        let found = message(shared, request_id.offset(position))?;
        records.extend(found.filter(|record| record.account == account && *record.external_id == *external_id));
    }
    Ok(records)
}

/// `x-0012` as the twelfth message of `x`.
fn numbered(external_id: &str) -> Option<(&str, u32)> {
    let (given, digits) = external_id.rsplit_once('-')?;
    let number: u32 =
        digits.parse().ok().filter(|_| digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((given, number.checked_sub(1)?))
}

fn whole_request(
    shared: &Shared,
    span: &Span,
    account: AccountId,
    id: MessageId,
) -> Result<Vec<MessageRecord>, QuestionError> {
    shared.connections.with(span, |connection| {
        let mut memo = RequestMemo::new(shared);
        let rows = messages_of(connection, id, &mut memo)?;
        let own = rows.into_iter().filter(|row| row.account == account);
        own.map(|row| memo.record(connection, row)).collect()
    })
}

fn messages_of(connection: &Connection, id: MessageId, memo: &mut RequestMemo) -> Result<Vec<MessageRow>, Fault> {
    let request = memo.request(connection, id)?;
    let count = request.asked - request.request.refused.len().min(request.asked);
    // Places of recipients that were not accepted are left out.
    let last = id.offset(u32::try_from(RECIPIENTS_PER_REQUEST_MAX).unwrap_or(u32::MAX));
    let sql =
        format!("SELECT {} FROM message m WHERE m.id BETWEEN ?1 AND ?2 AND m.request_id = ?1", read::MESSAGE_COLUMNS);
    let mut statement = prepare(connection, &sql)?;
    let mut rows = statement.query(params![id.0, last.0])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(read::message_row(row, &mut memo.sum)?);
    }
    if messages.len() != count {
        return Err(Fault::BadRow(format!("request {id}: {} of its {count} messages are there", messages.len())));
    }
    Ok(messages)
}

/// Requests of an account with that reference, newest first.
pub(crate) fn requests_with(
    shared: &Shared,
    account: AccountId,
    kind: Reference,
    text: &str,
) -> Result<Vec<(Arc<Span>, MessageId)>, QuestionError> {
    let mut found = Vec::new();
    for span in shared.spans.newest_first().iter() {
        let ids = requests_in_span(shared, span, account, kind, text)?;
        found.extend(ids.into_iter().map(|id| (Arc::clone(span), id)));
    }
    Ok(found)
}

fn requests_in_span(
    shared: &Shared,
    span: &Span,
    account: AccountId,
    kind: Reference,
    text: &str,
) -> Result<Vec<MessageId>, QuestionError> {
    let key = reference_key(account, kind, text);
    let in_memory = span.hot.read().as_ref().map(|index| index.reference(key));
    let column = match kind {
        Reference::External => "external_id",
        Reference::Idempotency => "idempotency_key",
    };
    match in_memory {
        Some(None) => Ok(Vec::new()),
        Some(Some(id)) => shared.connections.with(span, |connection| {
            let mut sum = RowSum::default();
            let request = read::request(connection, id, &mut sum)?;
            let is_it = request.is_some_and(|stored| {
                let own = match kind {
                    Reference::External => stored.request.external_id.as_deref(),
                    Reference::Idempotency => stored.request.idempotency_key.as_deref(),
                };
                stored.request.account == account && own == Some(text)
            });
            Ok(is_it.then_some(id).into_iter().collect())
        }),
        None if !span.filters.may_hold(KeyKind::Reference, key, &shared.filter_budget) => Ok(Vec::new()),
        None => shared.connections.with(span, |connection| {
            let sql = format!("SELECT id FROM request WHERE {column} = ?1 AND account = ?2 ORDER BY id DESC");
            let mut statement = prepare(connection, &sql)?;
            let ids = statement.query_map(params![text, account.0], |row| row.get(0).map(MessageId))?;
            Ok(ids.collect::<Result<_, _>>()?)
        }),
    }
}

/// The youngest request with that reference that was accepted at or after `since`, whole.
pub(crate) fn repeated(
    shared: &Shared,
    account: AccountId,
    kind: Reference,
    text: &str,
    since: UnixMillis,
) -> Result<Option<Arc<Request>>, QuestionError> {
    for span in shared.spans.newest_first().iter() {
        // A request is never older than its id says, apart from what the clock was set back.
        let ended = shared.spans.end_of(span).is_some_and(|end| end.created() < since);
        if ended {
            continue;
        }
        for id in requests_in_span(shared, span, account, kind, text)? {
            let request = shared.connections.with(span, |connection| whole(shared, connection, id))?;
            if request.accepted_at >= since {
                return Ok(Some(Arc::new(request)));
            }
        }
    }
    Ok(None)
}

fn whole(shared: &Shared, connection: &Connection, id: MessageId) -> Result<Request, Fault> {
    let mut memo = RequestMemo::new(shared);
    let rows = messages_of(connection, id, &mut memo)?;
    let stored = memo.request(connection, id)?;
    let position = |row: &MessageRow| row.id.position_after(id).and_then(|position| u16::try_from(position).ok());
    let message = |row: &MessageRow| {
        let position = position(row).ok_or_else(|| read::damaged("message", row.id.0))?;
        let delay_ms = if row.due_at > 0 { row.due_at - stored.request.due_at.0 } else { 0 };
        Ok(NewMessage { position, phone: row.phone, price: row.price, carrier: row.carrier, delay_ms })
    };
    let messages = rows.iter().map(message).collect::<Result<_, Fault>>()?;
    Ok(Request { messages, ..stored.request.clone() })
}

/// What happened to a message, oldest first.
pub(crate) fn history(shared: &Shared, id: MessageId) -> Result<Vec<Step>, QuestionError> {
    let Some(span) = shared.spans.of(id) else { return Ok(Vec::new()) };
    shared.connections.with(&span, |connection| {
        let mut memo = RequestMemo::new(shared);
        let Some(row) = read::message(connection, id, &mut memo.sum)? else { return Ok(Vec::new()) };
        let least = row.steps;
        let record = memo.record(connection, row)?;
        let stored = stored_steps(connection, id, least, &mut memo.sum)?;
        let mut steps = Vec::new();
        for (number, part) in (1_u8..).zip(&record.parts) {
            let Some(at) = part.taken_at else { continue };
            // Of a part that was in doubt and was never answered, the step that began the doubt tells.
            if part.operator_id.is_empty() && stored.iter().any(|step| step.part == number && step.begins_doubt()) {
                continue;
            }
            steps.push(Step {
                at,
                kind: "submitted".into(),
                part: number,
                carrier: Some(part.carrier),
                status: None,
                detail: part.operator_id.clone(),
                raw: Box::default(),
            });
        }
        if let Some(last) = steps
            .iter_mut()
            .max_by_key(|step| step.at)
            .filter(|_| record.parts.iter().all(|part| part.taken_at.is_some()))
            .filter(|_| stored.iter().all(|step| step.status != Some(Status::Sent)))
        {
            last.status = Some(Status::Sent);
        }
        steps.extend(stored);
        steps.sort_by_key(|step| step.at);
        Ok(steps)
    })
}

/// The steps of a message that has `least` of them or more: one that is gone is damage, too.
fn stored_steps(connection: &Connection, id: MessageId, least: u16, sum: &mut RowSum) -> Result<Vec<Step>, Fault> {
    let sql = format!(
        "SELECT number, at, kind, part, carrier, status, detail, raw, account, position, check_sum, {EVENT_COLUMNS} \
         FROM step WHERE message_id = ?1 ORDER BY number"
    );
    let mut statement = prepare(connection, &sql)?;
    let mut rows = statement.query([id.0])?;
    let mut steps = Vec::new();
    let mut count = 0_u16;
    while let Some(row) = rows.next()? {
        count = count.saturating_add(1);
        let wrong = || read::damaged("step of message", id.0);
        let event = EventId { message: id, step: row.get(0)? };
        let (at, part): (i64, i64) = (row.get(1)?, row.get(3)?);
        let (carrier, status): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
        let kind: Box<str> = row.get(2)?;
        let detail: Box<str> = row.get(6)?;
        let raw: Box<[u8]> = row.get_ref(7)?.as_blob_or_null()?.unwrap_or_default().into();
        let logged = (row.get(8)?, row.get(9)?);
        if step_sum(event, at, &kind, part, carrier, status, &detail, &raw, logged, sum) != row.get::<_, i64>(10)? {
            return Err(wrong());
        }
        let status =
            status.map(|code| u8::try_from(code).ok().and_then(Status::from_code).ok_or_else(wrong)).transpose()?;
        let carrier = carrier.map(|number| u32::try_from(number).map(CarrierId).map_err(|_| wrong())).transpose()?;
        steps.push(Step {
            at: UnixMillis(at),
            kind,
            part: u8::try_from(part).map_err(|_| wrong())?,
            carrier,
            status,
            detail,
            raw,
        });
        if let Some(told) = event_columns(row, 11, event, sum)?.filter(|columns| columns.event == Some(EVENT_TOLD)) {
            steps.push(Step {
                at: UnixMillis(told.told_at.unwrap_or(at)),
                kind: "told".into(),
                part: 0,
                carrier: None,
                status: None,
                detail: format!("attempt {}: HTTP {}", told.attempts.unwrap_or(0), told.http_status.unwrap_or(0))
                    .into(),
                raw: Box::default(),
            });
        }
    }
    if count < least { Err(read::damaged("step of message", id.0)) } else { Ok(steps) }
}
