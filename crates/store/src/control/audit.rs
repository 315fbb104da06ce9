//! The record of what was done: who changed what, when and why. Nothing is ever taken out of it.

use domain::clock::UnixMillis;
use rusqlite::{Connection, params};

use super::author::{Author, Note};
use super::change::ChangeKind;
use super::diff::Diff;
use super::error::ControlError;

/// One line of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Rises with every line.
    pub id: i64,
    /// When.
    pub at: UnixMillis,
    /// The version in force after it.
    pub version: u64,
    /// Who.
    pub who: String,
    /// `add`, `change`, `remove`, or what else was done.
    pub action: String,
    /// To what.
    pub what: String,
    /// Why, in the words of whoever did it.
    pub reason: String,
    /// Values before, as `name = value` lines; secrets as `***`.
    pub before: String,
    /// Values after, or what came of it.
    pub after: String,
}

const INSERT: &str = r#"INSERT INTO audit (at_ms, version, who, action, what, reason, "before", "after")
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"#;

/// Notes the changes that lead to `version`.
pub(super) fn record(
    connection: &Connection,
    at: UnixMillis,
    version: u64,
    author: &Author,
    diff: &Diff,
) -> Result<(), ControlError> {
    let mut statement = connection.prepare_cached(INSERT)?;
    for change in &diff.changes {
        let action = match change.kind {
            ChangeKind::Added => "add",
            ChangeKind::Changed => "change",
            ChangeKind::Removed => "remove",
        };
        let before = change.side(|field| field.before.as_ref());
        let after = change.side(|field| field.after.as_ref());
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        statement.execute(params![at.0, version, author.who, action, change.what, author.reason, before, after])?;
    }
    Ok(())
}

/// Notes something else that was done while `version` is in force.
pub(super) fn note(connection: &Connection, at: UnixMillis, version: u64, note: &Note) -> Result<(), ControlError> {
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    let Note { who, action, what, reason, detail } = note;
    connection.prepare_cached(INSERT)?.execute(params![at.0, version, who, action, what, reason, "", detail])?;
    Ok(())
}

/// The newest lines, newest first.
pub(super) fn newest(connection: &Connection, count: u32) -> Result<Vec<AuditEntry>, ControlError> {
    let mut statement = connection.prepare_cached("SELECT * FROM audit ORDER BY id DESC LIMIT ?1")?;
    let entries = statement.query_map([count], |row| {
        Ok(AuditEntry {
            id: row.get("id")?,
            at: UnixMillis(row.get("at_ms")?),
            version: row.get::<_, i64>("version")?.unsigned_abs(),
            who: row.get("who")?,
            action: row.get("action")?,
            what: row.get("what")?,
            reason: row.get("reason")?,
            before: row.get("before")?,
            after: row.get("after")?,
        })
    })?;
    Ok(entries.collect::<Result<_, _>>()?)
}
