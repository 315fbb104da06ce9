//! Rows of events: the steps that moved a message to an outcome, and notices, the events with a row of
//! their own. Both have the same columns for what became of telling them.

use std::sync::Arc;

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::control::EventKind;
use domain::event::{CallId, Event};
use domain::fact::{CallOutcome, EventId, WebhookCall};
use domain::id::{AccountId, MessageId};
use domain::state::{Progress, Status};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::ask_message::RequestMemo;
use super::database::Fault;
use super::index::Logged;
use super::live::{Head, Live};
use super::payload;
use super::read::{self, prepare};
use super::sum::RowSum;
use super::write::{Statements, step_sum};
use crate::question::{EventRecord, Telling};

/// `event`: to be told.
pub(crate) const EVENT_UNTOLD: i64 = 1;
/// `event`: told.
pub(crate) const EVENT_TOLD: i64 = 2;
/// `event`: given up.
pub(crate) const EVENT_DEAD: i64 = 3;

/// The columns [`event_columns`] reads, in its order.
pub(crate) const EVENT_COLUMNS: &str = "event, told_at, attempts, next_at, call_id, http_status, event_sum";
/// What was told stays told: an end that is recorded late changes nothing.
pub(crate) const UPDATE_STEP_EVENT: &str = "UPDATE step SET event=?3, told_at=?4, attempts=?5, next_at=?6, call_id=?7, \
    http_status=?8, event_sum=?9 WHERE message_id=?1 AND number=?2 AND event<>2";
const UPDATE_NOTICE_EVENT: &str = "UPDATE notice SET event=?3, told_at=?4, attempts=?5, next_at=?6, call_id=?7, \
    http_status=?8, event_sum=?9 WHERE id=?1 AND ?2=0 AND event<>2";

/// The columns of an event that change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventColumns {
    pub event: Option<i64>,
    pub told_at: Option<i64>,
    pub attempts: Option<i64>,
    pub next_at: Option<i64>,
    pub call_id: Option<[u8; 16]>,
    pub http_status: Option<i64>,
}

impl EventColumns {
    /// Of an event that is to be told, or that nobody wants to be told.
    pub fn fresh(told: bool) -> Self {
        if !told {
            return Self::default();
        }
        Self { event: Some(EVENT_UNTOLD), attempts: Some(0), next_at: Some(0), ..Self::default() }
    }

    /// The `event_sum` of the row.
    pub fn sum(&self, id: EventId, sum: &mut RowSum) -> i64 {
        sum.begin().int(id.message.0).int(i64::from(id.step));
        for value in [self.event, self.told_at, self.attempts, self.next_at] {
            sum.opt_int(value);
        }
        sum.bytes(self.call_id.as_ref().map_or(&[], |id| &id[..])).opt_int(self.http_status).finish()
    }

    fn telling(&self) -> Telling {
        match self.event {
            Some(EVENT_TOLD) => Telling::Told,
            Some(EVENT_DEAD) => Telling::GivenUp,
            Some(_) => Telling::Waiting,
            None => Telling::Unwanted,
        }
    }

    fn record(&self, event: Event) -> EventRecord {
        EventRecord {
            event: Event {
                attempts: self.attempts.and_then(|attempts| u16::try_from(attempts).ok()).unwrap_or(0),
                next_at: UnixMillis(self.next_at.unwrap_or(0)),
                call: self.call_id.map(CallId),
                ..event
            },
            telling: self.telling(),
            last_try_at: self.told_at.map(UnixMillis),
            http_status: self.http_status.and_then(|status| u16::try_from(status).ok()).unwrap_or(0),
        }
    }
}

/// Reads [`EVENT_COLUMNS`] from column `first` on, if it is an event that somebody wants to be told.
pub(crate) fn event_columns(
    row: &Row<'_>,
    first: usize,
    id: EventId,
    sum: &mut RowSum,
) -> Result<Option<EventColumns>, Fault> {
    let columns = EventColumns {
        event: row.get(first)?,
        told_at: row.get(first + 1)?,
        attempts: row.get(first + 2)?,
        next_at: row.get(first + 3)?,
        call_id: row.get(first + 4)?,
        http_status: row.get(first + 5)?,
    };
    match row.get::<_, Option<i64>>(first + 6)? {
        Some(stored) if stored == columns.sum(id, sum) => Ok(Some(columns)),
        None if columns == EventColumns::default() => Ok(None),
        _ => Err(read::damaged("event of message", id.message.0)),
    }
}

/// Keeps an event that has a row of its own.
pub(crate) fn notice(
    connection: &Connection,
    event: &Event,
    position: i64,
    told: bool,
    sum: &mut RowSum,
) -> Result<(), Fault> {
    let kind = event.kind().name();
    let payload = payload::to_json(&event.payload);
    let check_sum = notice_sum(event, position, kind, &payload, sum);
    let columns = EventColumns::fresh(told);
    let event_sum = told.then(|| columns.sum(event.id, sum));
    prepare(connection, "INSERT OR REPLACE INTO notice VALUES (?1,?2,?3,?4,?5,?6,?7,?8,NULL,?9,?10,NULL,NULL,?11)")?
        .execute(params![
            event.id.message.0,
            event.account.0,
            position,
            kind,
            event.webhook_url.as_deref(),
            payload,
            check_sum,
            columns.event,
            columns.attempts,
            columns.next_at,
            event_sum,
        ])?;
    Ok(())
}

fn notice_sum(event: &Event, position: i64, kind: &str, payload: &str, sum: &mut RowSum) -> i64 {
    sum.begin().int(event.id.message.0).int(i64::from(event.account.0)).int(position).text(kind);
    sum.opt_text(event.webhook_url.as_deref()).text(payload).finish()
}

/// Keeps what a webhook call means for one of its events; false if that event is told already or unknown.
pub(crate) fn called(
    connection: &Connection,
    statements: &mut Statements<'_>,
    id: EventId,
    call: &WebhookCall,
    sum: &mut RowSum,
) -> Result<bool, Fault> {
    let (event, next_at) = match call.outcome {
        CallOutcome::Told => (EVENT_TOLD, 0),
        CallOutcome::RetryAt(at) => (EVENT_UNTOLD, at.0),
        CallOutcome::Dead => (EVENT_DEAD, 0),
    };
    let columns = EventColumns {
        event: Some(event),
        told_at: Some(call.at.0),
        attempts: Some(i64::from(call.attempt)),
        next_at: Some(next_at),
        call_id: Some(call.id.0),
        http_status: Some(i64::from(call.http_status)),
    };
    let event_sum = columns.sum(id, sum);
    let values = params![
        id.message.0,
        id.step,
        columns.event,
        columns.told_at,
        columns.attempts,
        columns.next_at,
        columns.call_id,
        columns.http_status,
        event_sum,
    ];
    let changed = if id.has_row() {
        prepare(connection, UPDATE_NOTICE_EVENT)?.execute(values)?
    } else {
        statements.update_event()?.execute(values)?
    };
    Ok(changed > 0)
}

/// Has an event told again: its tries go on counting, the call it was frozen in is forgotten. False if
/// there is no such event.
pub(crate) fn replayed(connection: &Connection, id: EventId, sum: &mut RowSum) -> Result<bool, Fault> {
    let (table, key) =
        if id.has_row() { ("notice", "id=?1 AND ?2=0") } else { ("step", "message_id=?1 AND number=?2") };
    let sql = format!("SELECT {EVENT_COLUMNS} FROM {table} WHERE {key} AND position IS NOT NULL");
    let found = {
        let mut statement = prepare(connection, &sql)?;
        let mut rows = statement.query(params![id.message.0, id.step])?;
        let row = rows.next()?;
        row.map(|row| event_columns(row, 0, id, sum)).transpose()?
    };
    let Some(found) = found else { return Ok(false) };
    let found = found.unwrap_or_default();
    let columns = EventColumns {
        event: Some(EVENT_UNTOLD),
        attempts: Some(found.attempts.unwrap_or(0)),
        next_at: Some(0),
        call_id: None,
        ..found
    };
    let sql = format!("UPDATE {table} SET event=?3, attempts=?4, next_at=0, call_id=NULL, event_sum=?5 WHERE {key}");
    prepare(connection, &sql)?.execute(params![
        id.message.0,
        id.step,
        columns.event,
        columns.attempts,
        columns.sum(id, sum)
    ])?;
    Ok(true)
}

/// An event and what became of telling it; `None` if it is not kept (any more).
pub(crate) fn event(
    connection: &Connection,
    id: EventId,
    memo: &mut RequestMemo,
) -> Result<Option<EventRecord>, Fault> {
    if id.has_row() { notice_event(connection, id, memo) } else { step_event(connection, id, memo) }
}

fn notice_event(connection: &Connection, id: EventId, memo: &mut RequestMemo) -> Result<Option<EventRecord>, Fault> {
    let mut statement = prepare(connection, "SELECT * FROM notice WHERE id = ?1")?;
    let mut rows = statement.query([id.message.0])?;
    rows.next()?.map(|row| notice_row(row, &mut memo.sum)).transpose()
}

/// Reads a row of `notice` with all its columns in the order of the table.
pub(crate) fn notice_row(row: &Row<'_>, sum: &mut RowSum) -> Result<EventRecord, Fault> {
    let id = EventId::of_row(MessageId(row.get(0)?));
    let wrong = || read::damaged("notice", id.message.0);
    let (kind, text) = (row.get_ref(3)?.as_str()?, row.get_ref(5)?.as_str()?);
    let payload = EventKind::by_name(kind).and_then(|kind| payload::from_json(kind, text)).ok_or_else(wrong)?;
    let account = AccountId(u32::try_from(row.get::<_, i64>(1)?).map_err(|_| wrong())?);
    let webhook_url = row.get_ref(4)?.as_str_or_null()?.map(Arc::from);
    let event = Event::new(id, account, webhook_url, payload);
    if notice_sum(&event, row.get(2)?, kind, text, sum) != row.get::<_, i64>(6)? {
        return Err(wrong());
    }
    let columns = event_columns(row, 7, id, sum)?.unwrap_or_default();
    Ok(columns.record(event))
}

fn step_event(connection: &Connection, id: EventId, memo: &mut RequestMemo) -> Result<Option<EventRecord>, Fault> {
    let sql = format!(
        "SELECT at, kind, part, carrier, status, detail, raw, account, position, check_sum, {EVENT_COLUMNS} FROM step \
         WHERE message_id = ?1 AND number = ?2"
    );
    let mut statement = prepare(connection, &sql)?;
    let mut rows = statement.query(params![id.message.0, id.step])?;
    let Some(step) = rows.next()? else { return Ok(None) };
    let wrong = || read::damaged("event of message", id.message.0);
    let columns = event_columns(step, 10, id, &mut memo.sum)?.unwrap_or_default();
    let (at, part, status): (i64, i64, Option<i64>) = (step.get(0)?, step.get(2)?, step.get(4)?);
    let (kind, detail) = (step.get_ref(1)?.as_str()?, step.get_ref(5)?.as_str()?);
    let raw = step.get_ref(6)?.as_blob_or_null()?.unwrap_or_default();
    let logged: (Option<i64>, Option<i64>) = (step.get(7)?, step.get(8)?);
    if step_sum(id, at, kind, part, step.get(3)?, status, detail, raw, logged, &mut memo.sum)
        != step.get::<_, i64>(9)?
    {
        return Err(wrong());
    }
    if logged.1.is_none() {
        return Ok(None);
    }
    let status = status.and_then(|code| u8::try_from(code).ok()).and_then(Status::from_code).ok_or_else(wrong)?;
    let row = read::message(connection, id.message, &mut memo.sum)?.ok_or_else(wrong)?;
    let head = Arc::new(Head::of_row(&*memo.request(connection, row.request_id)?));
    let progress = Progress::new(head.parts, row.status_at);
    let event = Live::of_row(&row, head, progress).event(id.step, status, UnixMillis(at), detail);
    Ok(Some(columns.record(event)))
}

/// Every event of a file, for its memory index.
pub(crate) fn scan(connection: &Connection, mut take: impl FnMut(Logged, Option<i64>)) -> Result<(), Fault> {
    for sql in [
        "SELECT message_id, number, position, account, event FROM step WHERE position IS NOT NULL",
        "SELECT id, 0, position, account, event FROM notice",
    ] {
        let mut statement = prepare(connection, sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let event = EventId { message: MessageId(row.get(0)?), step: row.get(1)? };
            take(Logged { position: row.get(2)?, account: AccountId(row.get(3)?), event }, row.get(4)?);
        }
    }
    Ok(())
}

/// The last place taken in a sealed file, 0 if there is none.
pub(crate) fn last_position(connection: &Connection) -> Result<i64, Fault> {
    let mut last = 0;
    for sql in [
        "SELECT position FROM step INDEXED BY step_position WHERE position > 0 ORDER BY position DESC LIMIT 1",
        "SELECT position FROM notice INDEXED BY notice_position WHERE position > 0 ORDER BY position DESC LIMIT 1",
    ] {
        let found = prepare(connection, sql)?.query_row([], |row| row.get::<_, i64>(0)).optional()?;
        last = last.max(found.unwrap_or(0));
    }
    Ok(last)
}
