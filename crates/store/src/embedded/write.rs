//! Writes rows with their check sums.

use std::borrow::Cow;

use domain::fact::{EventId, ParkedReceipt};
use domain::id::{CarrierId, MessageId};
use domain::receipt::ReceiptState;
use domain::request::Request;
use domain::state::{Progress, Status};
use rusqlite::{CachedStatement, Connection, params};

use super::columns::{PartColumns, StateColumns};
use super::database::Fault;
use super::event_rows::{EVENT_UNTOLD, EventColumns, UPDATE_STEP_EVENT};
use super::index::Logged;
use super::read::{links_to_json, prepare, refused_to_json, request_sum};
use super::sum::RowSum;

const INSERT_REQUEST: &str = "INSERT INTO request VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24)";
const INSERT_MESSAGE: &str =
    "INSERT INTO message VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,NULL,0,0,NULL,NULL,NULL,NULL,NULL,?12)";
const UPDATE_MESSAGE: &str = "UPDATE message SET status=?2, status_at=?3, error=?4, steps=?5, part_state=?6, part_carrier=?7, taken_at=?8, \
    operator_id=?9, canonical_id=?10, operator_key=?11, state_sum=?12 WHERE id=?1";
const UPSERT_PART: &str = "INSERT OR REPLACE INTO part VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)";
const INSERT_STEP: &str =
    "INSERT INTO step VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,NULL,?14,?15,NULL,NULL,?16)";

/// The statements that most facts need, looked up once for a transaction.
pub(crate) struct Statements<'a> {
    connection: &'a Connection,
    update_message: Option<CachedStatement<'a>>,
    insert_step: Option<CachedStatement<'a>>,
    update_event: Option<CachedStatement<'a>>,
}

impl<'a> Statements<'a> {
    /// None looked up yet.
    pub fn new(connection: &'a Connection) -> Self {
        Self { connection, update_message: None, insert_step: None, update_event: None }
    }

    /// Changes what became of telling a step; see [`UPDATE_STEP_EVENT`].
    pub fn update_event(&mut self) -> Result<&mut CachedStatement<'a>, Fault> {
        looked_up(&mut self.update_event, self.connection, UPDATE_STEP_EVENT)
    }
}

fn looked_up<'s, 'a>(
    slot: &'s mut Option<CachedStatement<'a>>,
    connection: &'a Connection,
    sql: &str,
) -> Result<&'s mut CachedStatement<'a>, Fault> {
    match slot {
        Some(statement) => Ok(statement),
        None => Ok(slot.insert(prepare(connection, sql)?)),
    }
}

/// Keeps a request and all its messages.
pub(crate) fn accepted(connection: &Connection, request: &Request, sum: &mut RowSum) -> Result<(), Fault> {
    let refused = refused_to_json(&request.refused);
    let asked = i64::try_from(request.asked_recipients()).unwrap_or(i64::MAX);
    let links = request.links.as_deref().map(links_to_json);
    let check_sum = request_sum(request, asked, (refused.as_deref(), links.as_deref()), sum);
    prepare(connection, INSERT_REQUEST)?.execute(params![
        request.id.0,
        request.account.0,
        request.key.0,
        request.uniq_id,
        request.external_id,
        request.idempotency_key,
        request.fingerprint,
        request.traffic.code(),
        request.sender.as_str(),
        request.text,
        links,
        request.encoding.stored_code(),
        request.parts,
        request.flash,
        request.webhook_url,
        request.control_version.cast_signed(),
        request.accepted_at.0,
        request.due_at.0,
        request.schedule_time,
        request.expires_at.0,
        request.currency,
        asked,
        refused,
        check_sum,
    ])?;
    let progress = Progress::new(request.parts, request.accepted_at);
    let state = StateColumns::of(&progress, 0);
    let mut insert = prepare(connection, INSERT_MESSAGE)?;
    for (position, message) in request.messages.iter().enumerate() {
        let id = request.message_id(position).0;
        let phone = message.phone.as_u64().cast_signed();
        let due_at = due_column(request, message.delay_ms);
        let fixed = [
            id,
            request.id.0,
            i64::from(request.account.0),
            phone,
            i64::from(message.carrier.0),
            message.price.0,
            request.expires_at.plus_ms(message.delay_ms).0,
            due_at,
        ];
        let check_sum = fixed_sum(&fixed, sum);
        let state_sum = state.sum(id, sum);
        insert.execute(params![
            id,
            fixed[1],
            fixed[2],
            phone,
            fixed[4],
            fixed[5],
            fixed[6],
            due_at,
            check_sum,
            state.status,
            state.status_at,
            state_sum
        ])?;
    }
    Ok(())
}

/// `message.due_at` of a message that is due `delay_ms` after its request: 0 unless it is scheduled.
pub(crate) fn due_column(request: &Request, delay_ms: i64) -> i64 {
    let due_at = request.due_at.plus_ms(delay_ms);
    if due_at > request.accepted_at { due_at.0 } else { 0 }
}

/// Keeps what a message has become.
pub(crate) fn state(
    statements: &mut Statements<'_>,
    id: MessageId,
    progress: &Progress,
    steps: u16,
    sum: &mut RowSum,
) -> Result<(), Fault> {
    let columns = StateColumns::of(progress, steps);
    let part = &columns.part;
    looked_up(&mut statements.update_message, statements.connection, UPDATE_MESSAGE)?.execute(params![
        id.0,
        columns.status,
        columns.status_at,
        columns.error,
        columns.steps,
        part.state,
        part.carrier,
        part.taken_at,
        part.operator_id,
        part.canonical_id,
        part.operator_key,
        columns.sum(id.0, sum),
    ])?;
    Ok(())
}

/// Keeps that a message waits for another carrier. Rare, so the columns that stay are read for their sum.
pub(crate) fn carrier(
    connection: &Connection,
    id: MessageId,
    carrier: CarrierId,
    sum: &mut RowSum,
) -> Result<(), Fault> {
    let Some(row) = super::read::message(connection, id, sum)? else { return Ok(()) };
    let fixed = [
        id.0,
        row.request_id.0,
        i64::from(row.account.0),
        row.phone.as_u64().cast_signed(),
        i64::from(carrier.0),
        row.price.0,
        row.expires_at.0,
        row.due_at,
    ];
    prepare(connection, "UPDATE message SET carrier=?2, check_sum=?3 WHERE id=?1")?.execute(params![
        id.0,
        carrier.0,
        fixed_sum(&fixed, sum)
    ])?;
    Ok(())
}

/// Check sum of the columns of a message up to `due_at`.
fn fixed_sum(fixed: &[i64; 8], sum: &mut RowSum) -> i64 {
    sum.begin();
    fixed.iter().for_each(|value| {
        sum.int(*value);
    });
    sum.finish()
}

/// Keeps what a part of a longer message has become; `index` from 0.
pub(crate) fn part(
    connection: &Connection,
    id: MessageId,
    index: usize,
    progress: &Progress,
    sum: &mut RowSum,
) -> Result<(), Fault> {
    let Some(part) = progress.parts.get(index) else { return Ok(()) };
    let number = i64::try_from(index).unwrap_or(0) + 1;
    let columns = PartColumns::of(part);
    prepare(connection, UPSERT_PART)?.execute(params![
        id.0,
        number,
        columns.state,
        columns.carrier.unwrap_or(0),
        columns.taken_at,
        columns.operator_id,
        columns.canonical_id,
        columns.operator_key,
        PartColumns { carrier: Some(columns.carrier.unwrap_or(0)), ..columns }.sum(id.0, number, sum),
    ])?;
    Ok(())
}

/// A step on its way into the file.
#[derive(Clone, Debug)]
pub(crate) struct NewStep<'a> {
    pub at: i64,
    pub kind: &'static str,
    pub part: u8,
    pub carrier: Option<CarrierId>,
    pub status: Option<Status>,
    pub detail: Cow<'a, str>,
    pub raw: &'a [u8],
    /// Its place among the events, if it is one.
    pub logged: Option<Logged>,
    /// Whether it is to be told.
    pub told: bool,
}

/// Check sum of the fixed columns of a step.
#[allow(clippy::too_many_arguments, reason = "one argument per column, in the order of the table")]
pub(crate) fn step_sum(
    id: EventId,
    at: i64,
    kind: &str,
    part: i64,
    carrier: Option<i64>,
    status: Option<i64>,
    detail: &str,
    raw: &[u8],
    logged: (Option<i64>, Option<i64>),
    sum: &mut RowSum,
) -> i64 {
    sum.begin().int(id.message.0).int(i64::from(id.step)).int(at).text(kind).int(part).opt_int(carrier).opt_int(status);
    sum.text(detail).bytes(raw).opt_int(logged.0).opt_int(logged.1).finish()
}

/// Keeps a step.
pub(crate) fn step(
    statements: &mut Statements<'_>,
    id: EventId,
    step: &NewStep<'_>,
    sum: &mut RowSum,
) -> Result<(), Fault> {
    let carrier = step.carrier.map(|carrier| i64::from(carrier.0));
    let status = step.status.map(|status| i64::from(status.code()));
    let part = i64::from(step.part);
    let (account, position) = step.logged.map(|logged| (i64::from(logged.account.0), logged.position)).unzip();
    let check_sum =
        step_sum(id, step.at, step.kind, part, carrier, status, &step.detail, step.raw, (account, position), sum);
    let event = if step.told {
        EventColumns { event: Some(EVENT_UNTOLD), attempts: Some(0), next_at: Some(0), ..EventColumns::default() }
    } else {
        EventColumns::default()
    };
    let event_sum = step.told.then(|| event.sum(id, sum));
    looked_up(&mut statements.insert_step, statements.connection, INSERT_STEP)?.execute(params![
        id.message.0,
        id.step,
        step.at,
        step.kind,
        part,
        carrier,
        status,
        step.detail,
        (!step.raw.is_empty()).then_some(step.raw),
        account,
        position,
        check_sum,
        event.event,
        event.attempts,
        event.next_at,
        event_sum,
    ])?;
    Ok(())
}

/// Check sum of a row in `parked_receipt`, from its texts as they are stored.
pub(crate) fn parked_sum(parked: &ParkedReceipt, canonical_ids: &str, sum: &mut RowSum) -> i64 {
    sum.begin().int(parked.id.0).int(i64::from(parked.carrier.0)).text(canonical_ids).int(parked.at.0);
    sum.text(receipt_word(parked.state))
        .text(&parked.error)
        .opt_int(parked.done_at.map(|at| at.0))
        .bytes(&parked.raw)
        .finish()
}

/// The word a receipt state is stored as; [`ReceiptState::from_word`] reads it back.
pub(crate) fn receipt_word(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Enroute => "ENROUTE",
        ReceiptState::Accepted => "ACCEPTD",
        ReceiptState::Unknown => "UNKNOWN",
        ReceiptState::Expired => "EXPIRED",
        ReceiptState::Deleted => "DELETED",
        ReceiptState::Undelivered => "UNDELIV",
        ReceiptState::Rejected => "REJECTD",
        ReceiptState::Delivered => "DELIVRD",
    }
}

/// Keeps a receipt without a message.
pub(crate) fn parked(connection: &Connection, parked: &ParkedReceipt, sum: &mut RowSum) -> Result<(), Fault> {
    let forms: Vec<&str> = parked.canonical_ids.iter().map(|form| &**form).collect();
    let forms = serde_json::to_string(&forms).map_err(|error| Fault::Other(error.to_string()))?;
    let check_sum = parked_sum(parked, &forms, sum);
    prepare(connection, "INSERT OR REPLACE INTO parked_receipt VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)")?.execute(
        params![
            parked.id.0,
            parked.carrier.0,
            forms,
            parked.at.0,
            receipt_word(parked.state),
            parked.error,
            parked.done_at.map(|at| at.0),
            parked.raw,
            check_sum,
        ],
    )?;
    Ok(())
}

/// Drops a receipt that has found its message.
pub(crate) fn unparked(connection: &Connection, id: MessageId) -> Result<(), Fault> {
    prepare(connection, "DELETE FROM parked_receipt WHERE id=?1")?.execute([id.0])?;
    Ok(())
}

/// Adds to a sum for reports.
pub(crate) fn counter(connection: &Connection, key: (i64, u32, i64), add: (i64, i64, i64)) -> Result<(), Fault> {
    prepare(
        connection,
        "INSERT INTO counter VALUES (?1,?2,?3,?4,?5,?6) ON CONFLICT DO UPDATE SET \
         messages=messages+excluded.messages, parts=parts+excluded.parts, price=price+excluded.price",
    )?
    .execute(params![key.0, key.1, key.2, add.0, add.1, add.2])?;
    Ok(())
}
