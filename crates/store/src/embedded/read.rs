//! Reads rows back, refusing what does not match its check sum.

use std::sync::{Arc, OnceLock};

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, KeyId, MessageId};
use domain::lane::Traffic;
use domain::link::{LinkCodes, ShortLinks};
use domain::money::Money;
use domain::phone::Phone;
use domain::request::{Content, RefusedRecipient, Request};
use domain::sender::Sender;
use domain::state::{Part, PartState, Progress, Status};
use rusqlite::types::FromSqlError;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use smallvec::SmallVec;
use text::Encoding;

use super::columns::{PartColumns, StateColumns};
use super::database::Fault;
use super::sum::RowSum;

/// The columns [`message_row`] reads, in its order.
pub(crate) const MESSAGE_COLUMNS: &str = "m.id, m.request_id, m.account, m.phone, m.carrier, m.price, m.expires_at, m.due_at, m.check_sum, \
    m.status, m.status_at, m.error, m.steps, m.part_state, m.part_carrier, m.taken_at, m.operator_id, m.canonical_id, m.operator_key, m.state_sum";

/// A message as it is stored; parts of longer messages are read apart.
#[derive(Clone, Debug)]
pub(crate) struct MessageRow {
    pub id: MessageId,
    pub request_id: MessageId,
    pub account: AccountId,
    pub phone: Phone,
    pub carrier: CarrierId,
    pub price: Money,
    pub expires_at: UnixMillis,
    pub due_at: i64,
    pub status: Status,
    pub status_at: UnixMillis,
    pub error: Box<str>,
    pub steps: u16,
    pub part: Part,
}

/// A request as it is stored, without its messages.
#[derive(Debug)]
pub(crate) struct RequestRow {
    /// `messages` is empty, and `links` is as long as nobody has said by which key codes are made.
    pub request: Request,
    links: Option<StoredLinks>,
    pub asked: usize,
    content: OnceLock<Arc<Content>>,
}

/// What stands before the codes, and where the URLs are.
type StoredLinks = (Box<str>, SmallVec<[(u32, u32); 2]>);

impl RequestRow {
    /// Makes the short links of the request known.
    pub fn with_codes(mut self, codes: &LinkCodes) -> Self {
        self.request.links = self.links.take().map(|(base, places)| {
            let places = places.into_iter().map(|(start, end)| start..end).collect();
            Arc::new(ShortLinks { base, places, codes: codes.clone() })
        });
        self
    }

    /// What sending needs, made once for all messages of the request.
    pub fn content(&self) -> Arc<Content> {
        Arc::clone(self.content.get_or_init(|| Arc::new(Content::from(&self.request))))
    }

    /// Position of a message within the request.
    pub fn position(&self, id: MessageId) -> usize {
        id.position_after(self.request.id).map_or(0, |position| position as usize)
    }

    /// The contract's `externalId` of a message.
    pub fn external_id(&self, id: MessageId) -> String {
        domain::request::external_id(self.request.external_id.as_deref(), id, self.position(id), self.asked)
    }
}

/// A row that does not match its sum.
pub(crate) fn damaged(table: &str, id: i64) -> Fault {
    Fault::BadRow(format!("{table} {id:016x}: the row does not match its check sum"))
}

impl From<FromSqlError> for Fault {
    fn from(error: FromSqlError) -> Self {
        Self::BadRow(format!("a column holds something else than was written: {error}"))
    }
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Fault> {
    Ok(row.get_ref(column)?.as_str()?)
}

fn opt_text<'a>(row: &'a Row<'_>, column: usize) -> Result<Option<&'a str>, Fault> {
    Ok(row.get_ref(column)?.as_str_or_null()?)
}

fn number<T: TryFrom<i64>>(value: i64, table: &str, id: i64) -> Result<T, Fault> {
    T::try_from(value).map_err(|_| damaged(table, id))
}

/// Reads the columns of a part from `first` on.
pub(crate) fn part_columns<'a>(row: &'a Row<'_>, first: usize) -> Result<PartColumns<'a>, Fault> {
    Ok(PartColumns {
        state: row.get(first)?,
        carrier: row.get(first + 1)?,
        taken_at: row.get(first + 2)?,
        operator_id: opt_text(row, first + 3)?,
        canonical_id: opt_text(row, first + 4)?,
        operator_key: row.get(first + 5)?,
    })
}

fn part(columns: &PartColumns<'_>, table: &str, id: i64) -> Result<Part, Fault> {
    let operator_id = columns.operator_id.unwrap_or_default();
    let canonical_id = match (columns.canonical_id, columns.operator_key) {
        (Some(canonical), _) => canonical,
        (None, Some(_)) => operator_id,
        (None, None) => "",
    };
    let state = u8::try_from(columns.state).ok().and_then(PartState::from_code);
    Ok(Part {
        state: state.ok_or_else(|| damaged(table, id))?,
        taken_at: columns.taken_at.map(UnixMillis),
        carrier: CarrierId(number(columns.carrier.unwrap_or(0), table, id)?),
        operator_id: operator_id.into(),
        canonical_id: canonical_id.into(),
    })
}

/// Reads a row of [`MESSAGE_COLUMNS`].
pub(crate) fn message_row(row: &Row<'_>, sum: &mut RowSum) -> Result<MessageRow, Fault> {
    const TABLE: &str = "message";
    let mut accepted = [0_i64; 9];
    for (column, value) in accepted.iter_mut().enumerate() {
        *value = row.get(column)?;
    }
    let [id, request_id, account, phone, carrier, price, expires_at, due_at, check_sum] = accepted;
    sum.begin();
    accepted[..8].iter().for_each(|value| {
        sum.int(*value);
    });
    let columns = StateColumns {
        status: row.get(9)?,
        status_at: row.get(10)?,
        error: opt_text(row, 11)?,
        steps: row.get(12)?,
        part: part_columns(row, 13)?,
    };
    if sum.finish() != check_sum || columns.sum(id, sum) != row.get::<_, i64>(19)? {
        return Err(damaged(TABLE, id));
    }
    let status = u8::try_from(columns.status).ok().and_then(Status::from_code);
    let phone = u64::try_from(phone).ok().and_then(Phone::from_u64);
    Ok(MessageRow {
        id: MessageId(id),
        request_id: MessageId(request_id),
        account: AccountId(number(account, TABLE, id)?),
        phone: phone.ok_or_else(|| damaged(TABLE, id))?,
        carrier: CarrierId(number(carrier, TABLE, id)?),
        price: Money(price),
        expires_at: UnixMillis(expires_at),
        due_at,
        status: status.ok_or_else(|| damaged(TABLE, id))?,
        status_at: UnixMillis(columns.status_at),
        error: columns.error.unwrap_or_default().into(),
        steps: number(columns.steps, TABLE, id)?,
        part: part(&columns.part, TABLE, id)?,
    })
}

/// One message, if the span holds it.
pub(crate) fn message(connection: &Connection, id: MessageId, sum: &mut RowSum) -> Result<Option<MessageRow>, Fault> {
    let mut statement = prepare(connection, &format!("SELECT {MESSAGE_COLUMNS} FROM message m WHERE m.id = ?1"))?;
    let mut rows = statement.query(params![id.0])?;
    rows.next()?.map(|row| message_row(row, sum)).transpose()
}

/// Prepares a statement, or finds it prepared.
pub(crate) fn prepare<'a>(connection: &'a Connection, sql: &str) -> Result<CachedStatement<'a>, Fault> {
    Ok(connection.prepare_cached(sql)?)
}

const REQUEST: &str = "SELECT id, account, key, uniq_id, external_id, idempotency_key, fingerprint, traffic, sender, text, links, encoding, parts, flash, \
    webhook_url, control_version, accepted_at, due_at, schedule_time, expires_at, currency, asked, refused, check_sum FROM request WHERE id = ?1";

/// One request, if the span holds it.
pub(crate) fn request(connection: &Connection, id: MessageId, sum: &mut RowSum) -> Result<Option<RequestRow>, Fault> {
    let mut statement = prepare(connection, REQUEST)?;
    let mut rows = statement.query(params![id.0])?;
    rows.next()?.map(|row| request_row(row, sum)).transpose()
}

/// Reads a row of `request` with all its columns in the order of the table.
pub(crate) fn request_row(row: &Row<'_>, sum: &mut RowSum) -> Result<RequestRow, Fault> {
    let id: i64 = row.get(0)?;
    let wrong = || damaged("request", id);
    let (refused, links) = (opt_text(row, 22)?, opt_text(row, 10)?);
    let asked: i64 = row.get(21)?;
    let fingerprint = row.get_ref(6)?.as_blob()?;
    let encoding: i64 = row.get(11)?;
    let request = Request {
        id: MessageId(id),
        account: AccountId(number(row.get(1)?, "request", id)?),
        key: KeyId(number(row.get(2)?, "request", id)?),
        uniq_id: text(row, 3)?.into(),
        external_id: opt_text(row, 4)?.map(Into::into),
        idempotency_key: opt_text(row, 5)?.map(Into::into),
        fingerprint: fingerprint.try_into().map_err(|_| wrong())?,
        traffic: Traffic::from_code(number(row.get(7)?, "request", id)?).ok_or_else(wrong)?,
        sender: Sender::parse(text(row, 8)?).map_err(|_| wrong())?,
        text: text(row, 9)?.into(),
        links: None,
        encoding: u16::try_from(encoding).ok().and_then(Encoding::from_stored_code).ok_or_else(wrong)?,
        parts: number(row.get(12)?, "request", id)?,
        flash: row.get::<_, i64>(13)? != 0,
        webhook_url: opt_text(row, 14)?.map(Into::into),
        control_version: row.get::<_, i64>(15)?.cast_unsigned(),
        accepted_at: UnixMillis(row.get(16)?),
        due_at: UnixMillis(row.get(17)?),
        schedule_time: row.get(18)?,
        expires_at: UnixMillis(row.get(19)?),
        currency: number(row.get(20)?, "request", id)?,
        messages: Vec::new(),
        refused: refused.map_or_else(|| Some(Vec::new()), refused_from_json).ok_or_else(wrong)?,
    };
    if request_sum(&request, asked, (refused, links), sum) != row.get::<_, i64>(23)?
        || i64::from(request.encoding.stored_code()) != encoding
    {
        return Err(wrong());
    }
    let links = links.map(|json| links_from_json(json).ok_or_else(wrong)).transpose()?;
    Ok(RequestRow { request, links, asked: number(asked, "request", id)?, content: OnceLock::new() })
}

/// Check sum of a row in `request`.
///
/// Refused recipients and links are given as they are stored.
pub(crate) fn request_sum(
    request: &Request,
    asked: i64,
    (refused, links): (Option<&str>, Option<&str>),
    sum: &mut RowSum,
) -> i64 {
    sum.begin()
        .int(request.id.0)
        .int(i64::from(request.account.0))
        .int(i64::from(request.key.0))
        .text(&request.uniq_id)
        .opt_text(request.external_id.as_deref())
        .opt_text(request.idempotency_key.as_deref())
        .bytes(&request.fingerprint)
        .int(i64::from(request.traffic.code()))
        .text(request.sender.as_str())
        .text(&request.text)
        .opt_text(links)
        .int(i64::from(request.encoding.stored_code()))
        .int(i64::from(request.parts))
        .int(i64::from(request.flash))
        .opt_text(request.webhook_url.as_deref())
        .int(request.control_version.cast_signed())
        .int(request.accepted_at.0)
        .int(request.due_at.0)
        .int(request.schedule_time)
        .int(request.expires_at.0)
        .int(i64::from(request.currency))
        .int(asked)
        .opt_text(refused)
        .finish()
}

/// Short links as they are stored.
pub(crate) fn links_to_json(links: &ShortLinks) -> String {
    let places: Vec<(u32, u32)> = links.places.iter().map(|place| (place.start, place.end)).collect();
    // Writing a text and numbers into memory can't fail; what could not be read back would be found by its sum.
    serde_json::to_string(&(&links.base, places)).unwrap_or_default()
}

fn links_from_json(json: &str) -> Option<StoredLinks> {
    let (base, places): (Box<str>, Vec<(u32, u32)>) = serde_json::from_str(json).ok()?;
    Some((base, places.into()))
}

/// Refused recipients as they are stored.
pub(crate) fn refused_to_json(refused: &[RefusedRecipient]) -> Option<String> {
    if refused.is_empty() {
        return None;
    }
    let pairs: Vec<(&str, &str)> = refused.iter().map(|entry| (&*entry.value, &*entry.code)).collect();
    serde_json::to_string(&pairs).ok()
}

fn refused_from_json(json: &str) -> Option<Vec<RefusedRecipient>> {
    let pairs: Vec<(Box<str>, Box<str>)> = serde_json::from_str(json).ok()?;
    Some(pairs.into_iter().map(|(value, code)| RefusedRecipient { value, code }).collect())
}

/// The parts of a message of `count` parts that has rows of its own for them.
pub(crate) fn parts(
    connection: &Connection,
    id: MessageId,
    count: u8,
    sum: &mut RowSum,
) -> Result<SmallVec<[Part; 1]>, Fault> {
    let mut parts: SmallVec<[Part; 1]> = (0..count).map(|_| Part::default()).collect();
    let mut statement = prepare(
        connection,
        "SELECT number, state, carrier, taken_at, operator_id, canonical_id, operator_key, check_sum FROM part WHERE message_id = ?1",
    )?;
    let mut rows = statement.query(params![id.0])?;
    while let Some(row) = rows.next()? {
        let place: i64 = row.get(0)?;
        let columns = part_columns(row, 1)?;
        if columns.sum(id.0, place, sum) != row.get::<_, i64>(7)? {
            return Err(damaged("part of message", id.0));
        }
        let slot = usize::try_from(place - 1).ok().and_then(|index| parts.get_mut(index));
        *slot.ok_or_else(|| damaged("part of message", id.0))? = part(&columns, "part of message", id.0)?;
    }
    Ok(parts)
}

/// What the rules need to know of a stored message.
pub(crate) fn progress(
    connection: &Connection,
    row: MessageRow,
    parts_count: u8,
    sum: &mut RowSum,
) -> Result<Progress, Fault> {
    let parts =
        if parts_count > 1 { parts(connection, row.id, parts_count, sum)? } else { SmallVec::from_iter([row.part]) };
    Ok(Progress { status: row.status, status_at: row.status_at, error: row.error, parts })
}

/// A single number, if there is a row.
pub(crate) fn one_number(connection: &Connection, sql: &str) -> Result<Option<i64>, Fault> {
    Ok(prepare(connection, sql)?.query_row([], |row| row.get::<_, Option<i64>>(0)).optional()?.flatten())
}
