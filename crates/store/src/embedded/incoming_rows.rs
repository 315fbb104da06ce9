//! Rows of incoming messages and of their parts.

use domain::clock::UnixMillis;
use domain::id::{AccountId, CarrierId, MessageId};
use domain::incoming::{IncomingFlaw, IncomingMessage, IncomingPart, Letters, PartPlace, ReferenceKind};
use domain::phone::Phone;
use rusqlite::{Connection, Row, params};

use super::database::Fault;
use super::read::{damaged, prepare};
use super::sum::RowSum;

/// `incoming_part.state`: waits for its siblings.
pub(crate) const PART_OPEN: i64 = 0;
/// `incoming_part.state`: in a message that was told whole.
pub(crate) const PART_JOINED: i64 = 1;
/// `incoming_part.state`: in a message that was told as far as it came.
pub(crate) const PART_TOLD: i64 = 2;

const MESSAGE_COLUMNS: &str = "id, account, carrier, at, source, phone, number, keyword, text, parts, missing, \
    late_part, group_id, flaw, raw, check_sum, handled";
const PART_COLUMNS: &str = "id, group_id, carrier, at, source, destination, kind, reference, total, number, letters, \
    payload, raw, check_sum, state";

fn place_of<T: PartialEq>(all: &[T], value: &T) -> i64 {
    all.iter().position(|candidate| candidate == value).and_then(|place| i64::try_from(place).ok()).unwrap_or(0)
}

fn at_place<T: Copy>(all: &[T], place: i64) -> Option<T> {
    all.get(usize::try_from(place).ok()?).copied()
}

/// Keeps an incoming message.
pub(crate) fn write_message(connection: &Connection, message: &IncomingMessage, sum: &mut RowSum) -> Result<(), Fault> {
    let missing = serde_json::to_string(&message.missing).map_err(|error| Fault::Other(error.to_string()))?;
    let check_sum = message_sum(message, &missing, sum);
    let sql = "INSERT OR REPLACE INTO incoming VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)";
    prepare(connection, sql)?.execute(params![
        message.id.0,
        message.account.map_or(0, |account| account.0),
        message.carrier.0,
        message.at.0,
        &*message.source,
        message.phone.map_or(0, |phone| phone.as_u64().cast_signed()),
        &*message.number,
        &*message.keyword,
        &*message.text,
        message.parts,
        missing,
        message.late_part,
        message.group.map(|group| group.0),
        message.flaw.map(IncomingFlaw::name),
        &*message.raw,
        check_sum,
        message.handled,
    ])?;
    Ok(())
}

fn message_sum(message: &IncomingMessage, missing: &str, sum: &mut RowSum) -> i64 {
    sum.begin().int(message.id.0).int(message.account.map_or(0, |account| i64::from(account.0)));
    sum.int(i64::from(message.carrier.0)).int(message.at.0).text(&message.source);
    sum.int(message.phone.map_or(0, |phone| phone.as_u64().cast_signed()));
    sum.text(&message.number).text(&message.keyword).text(&message.text).int(i64::from(message.parts));
    sum.text(missing).opt_int(message.late_part.map(i64::from)).opt_int(message.group.map(|group| group.0));
    sum.opt_text(message.flaw.map(IncomingFlaw::name)).bytes(&message.raw).finish()
}

/// Keeps a part of a long message; one that is kept already stays what it is.
pub(crate) fn write_part(connection: &Connection, part: &IncomingPart, sum: &mut RowSum) -> Result<(), Fault> {
    let check_sum = part_sum(part, sum);
    let sql = "INSERT OR IGNORE INTO incoming_part VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)";
    prepare(connection, sql)?.execute(params![
        part.id.0,
        part.group.0,
        part.carrier.0,
        part.at.0,
        &*part.source,
        &*part.destination,
        place_of(&ReferenceKind::ALL, &part.place.kind),
        part.place.reference,
        part.place.total,
        part.place.number,
        part.letters.stored_code(),
        &*part.payload,
        &*part.raw,
        check_sum,
        PART_OPEN,
    ])?;
    Ok(())
}

fn part_sum(part: &IncomingPart, sum: &mut RowSum) -> i64 {
    let PartPlace { kind, reference, total, number } = part.place;
    sum.begin().int(part.id.0).int(part.group.0).int(i64::from(part.carrier.0)).int(part.at.0);
    sum.text(&part.source).text(&part.destination).int(place_of(&ReferenceKind::ALL, &kind));
    sum.int(i64::from(reference)).int(i64::from(total)).int(i64::from(number));
    sum.int(i64::from(part.letters.stored_code())).bytes(&part.payload).bytes(&part.raw).finish()
}

/// A part is in a message that was told, whole or not.
pub(crate) fn part_told(connection: &Connection, id: MessageId, state: i64) -> Result<(), Fault> {
    prepare(connection, "UPDATE incoming_part SET state=?2 WHERE id=?1")?.execute(params![id.0, state])?;
    Ok(())
}

/// Nothing more is to be done for a message.
pub(crate) fn handled(connection: &Connection, id: MessageId) -> Result<(), Fault> {
    prepare(connection, "UPDATE incoming SET handled=1 WHERE id=?1")?.execute([id.0])?;
    Ok(())
}

/// An incoming message; `None` if it is not kept (any more).
pub(crate) fn message(
    connection: &Connection,
    id: MessageId,
    sum: &mut RowSum,
) -> Result<Option<IncomingMessage>, Fault> {
    let mut statement = prepare(connection, &format!("SELECT {MESSAGE_COLUMNS} FROM incoming WHERE id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(|row| message_row(row, sum)).transpose()
}

/// Reads a row of `incoming` with all its columns in the order of the table.
pub(crate) fn message_row(row: &Row<'_>, sum: &mut RowSum) -> Result<IncomingMessage, Fault> {
    let id: i64 = row.get(0)?;
    let wrong = || damaged("incoming message", id);
    let account: u32 = row.get(1)?;
    let missing = row.get_ref(10)?.as_str()?;
    let message = IncomingMessage {
        id: MessageId(id),
        account: (account > 0).then_some(AccountId(account)),
        carrier: CarrierId(row.get(2)?),
        at: UnixMillis(row.get(3)?),
        source: row.get(4)?,
        phone: Phone::from_u64(row.get::<_, i64>(5)?.cast_unsigned()),
        number: row.get(6)?,
        keyword: row.get(7)?,
        text: row.get(8)?,
        parts: row.get(9)?,
        missing: serde_json::from_str(missing).map_err(|_| wrong())?,
        late_part: row.get(11)?,
        group: row.get::<_, Option<i64>>(12)?.map(MessageId),
        flaw: row.get_ref(13)?.as_str_or_null()?.and_then(IncomingFlaw::by_name),
        raw: row.get(14)?,
        handled: row.get(16)?,
    };
    if message_sum(&message, missing, sum) != row.get::<_, i64>(15)? {
        return Err(wrong());
    }
    Ok(message)
}

/// A part, and whether its message was told as far as it came.
pub(crate) fn part(
    connection: &Connection,
    id: MessageId,
    sum: &mut RowSum,
) -> Result<Option<(IncomingPart, bool)>, Fault> {
    let mut statement = prepare(connection, &format!("SELECT {PART_COLUMNS} FROM incoming_part WHERE id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let state: i64 = row.get(14)?;
    Ok((state != PART_JOINED).then_some((part_row(row, sum)?, state == PART_TOLD)))
}

/// Reads a row of `incoming_part` with all its columns in the order of the table.
pub(crate) fn part_row(row: &Row<'_>, sum: &mut RowSum) -> Result<IncomingPart, Fault> {
    let id: i64 = row.get(0)?;
    let wrong = || damaged("incoming part", id);
    let part = IncomingPart {
        id: MessageId(id),
        group: MessageId(row.get(1)?),
        carrier: CarrierId(row.get(2)?),
        at: UnixMillis(row.get(3)?),
        source: row.get(4)?,
        destination: row.get(5)?,
        place: PartPlace {
            kind: at_place(&ReferenceKind::ALL, row.get(6)?).ok_or_else(wrong)?,
            reference: row.get(7)?,
            total: row.get(8)?,
            number: row.get(9)?,
        },
        letters: Letters::from_stored_code(row.get(10)?).ok_or_else(wrong)?,
        payload: row.get(11)?,
        raw: row.get(12)?,
    };
    if part_sum(&part, sum) != row.get::<_, i64>(13)? {
        return Err(wrong());
    }
    Ok(part)
}
