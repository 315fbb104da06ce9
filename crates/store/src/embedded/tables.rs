//! The tables of a span, walked row by row: what `check` looks at and `repair` saves.

use domain::fact::EventId;
use domain::id::MessageId;
use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::ask_receipts::parked_row;
use super::clicks::click_row;
use super::database::Fault;
use super::event_rows::{event_columns, notice_row};
use super::incoming_rows;
use super::read::{self, damaged, part_columns};
use super::sum::RowSum;
use super::write::step_sum;

/// A table with its key and how a row of it is judged.
pub(crate) struct Table {
    pub name: &'static str,
    /// Columns of the primary key; the first one is a message id or the like.
    pub key: &'static str,
    judge: fn(&Row<'_>, &mut RowSum) -> Result<(), Fault>,
}

/// All tables of a span but `meta`.
pub(crate) const TABLES: [Table; 10] = [
    Table { name: "request", key: "id", judge: |row, sum| read::request_row(row, sum).map(|_| ()) },
    Table { name: "message", key: "id", judge: |row, sum| read::message_row(row, sum).map(|_| ()) },
    Table { name: "part", key: "message_id, number", judge: judge_part },
    Table { name: "step", key: "message_id, number", judge: judge_step },
    Table { name: "notice", key: "id", judge: |row, sum| notice_row(row, sum).map(|_| ()) },
    Table { name: "parked_receipt", key: "id", judge: |row, _| parked_row(row).map(|_| ()) },
    Table { name: "incoming", key: "id", judge: |row, sum| incoming_rows::message_row(row, sum).map(|_| ()) },
    Table { name: "incoming_part", key: "id", judge: |row, sum| incoming_rows::part_row(row, sum).map(|_| ()) },
    Table { name: "click", key: "id", judge: |row, sum| click_row(row, sum).map(|_| ()) },
    Table { name: "counter", key: "day, account, kind", judge: |_, _| Ok(()) },
];

/// How far a walk came.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Rows that are what was written.
    pub good: u64,
    /// First key columns of rows that are not.
    pub bad: Vec<i64>,
    /// Why the walk ended before the last row, and after which first key column.
    pub broken: Option<(String, i64)>,
}

impl Table {
    /// Walks all rows in key order, or against it; good rows are handed on with their values.
    pub fn walk(
        &self,
        connection: &Connection,
        descending: bool,
        mut take: impl FnMut(i64, Vec<Value>) -> Result<(), Fault>,
    ) -> Result<Walked, Fault> {
        let order = if descending {
            self.key.split(", ").map(|column| format!("{column} DESC")).collect::<Vec<_>>().join(", ")
        } else {
            self.key.to_owned()
        };
        let sql = format!("SELECT * FROM {} NOT INDEXED ORDER BY {order}", self.name);
        let mut walked = Walked::default();
        let mut last = if descending { i64::MAX } else { i64::MIN };
        let mut sum = RowSum::default();
        let broken = |fault: Fault| match fault {
            Fault::Corrupt(place) | Fault::BadRow(place) => Ok(place),
            other => Err(other),
        };
        let mut statement = match connection.prepare(&sql) {
            Ok(statement) => statement,
            Err(error) => return Ok(Walked { broken: Some((broken(error.into())?, last)), ..walked }),
        };
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(walked),
                Err(error) => {
                    walked.broken = Some((broken(error.into())?, last));
                    return Ok(walked);
                }
            };
            let key = row.get::<_, i64>(0).unwrap_or(last);
            last = key;
            match (self.judge)(row, &mut sum) {
                Ok(()) => {
                    walked.good += 1;
                    let values = (0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?;
                    take(key, values)?;
                }
                Err(fault) => {
                    broken(fault)?;
                    walked.bad.push(key);
                }
            }
        }
    }
}

fn judge_part(row: &Row<'_>, sum: &mut RowSum) -> Result<(), Fault> {
    let (id, number): (i64, i64) = (row.get(0)?, row.get(1)?);
    let is_right = part_columns(row, 2)?.sum(id, number, sum) == row.get::<_, i64>(8)?;
    if is_right { Ok(()) } else { Err(damaged("part of message", id)) }
}

fn judge_step(row: &Row<'_>, sum: &mut RowSum) -> Result<(), Fault> {
    let event = EventId { message: MessageId(row.get(0)?), step: row.get(1)? };
    let kind = row.get_ref(3)?.as_str()?;
    let detail = row.get_ref(7)?.as_str()?;
    let raw = row.get_ref(8)?.as_blob_or_null()?.unwrap_or_default();
    let logged = (row.get(9)?, row.get(10)?);
    let found = step_sum(event, row.get(2)?, kind, row.get(4)?, row.get(5)?, row.get(6)?, detail, raw, logged, sum);
    if found != row.get::<_, i64>(11)? {
        return Err(damaged("step of message", event.message.0));
    }
    event_columns(row, 12, event, sum).map(|_| ())
}
