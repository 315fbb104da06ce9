//! The record of changes: what changed when, and what every version held.

use domain::clock::UnixMillis;
use rusqlite::{Connection, params};

use super::change::ChangeKind;
use super::diff::Diff;
use super::error::ControlError;
use super::limits::VERSIONS_KEPT_MAX;
use super::schema::CONTENT_TABLES;

/// Notes the changes and keeps the content as `version`.
pub(super) fn record(connection: &Connection, at: UnixMillis, version: u64, diff: &Diff) -> Result<(), ControlError> {
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        r#"INSERT INTO audit (at_ms, version, action, what, "before", "after") VALUES (?1, ?2, ?3, ?4, ?5, ?6)"#,
    )?;
    for change in &diff.changes {
        let action = match change.kind {
            ChangeKind::Added => "add",
            ChangeKind::Changed => "change",
            ChangeKind::Removed => "remove",
        };
        let before = change.side(|field| field.before.as_ref());
        let after = change.side(|field| field.after.as_ref());
        statement.execute(params![at.0, version, action, change.what, before, after])?;
    }
    let content = content(connection)?;
    connection.execute(
        "INSERT INTO versions (version, at_ms, content) VALUES (?1, ?2, ?3)",
        params![version, at.0, content],
    )?;
    connection.execute("DELETE FROM versions WHERE version <= ?1", [version - VERSIONS_KEPT_MAX])?;
    Ok(())
}

/// All content tables as one JSON object; sealed values stay sealed and are written in hexadecimal.
fn content(connection: &Connection) -> Result<String, ControlError> {
    let mut parts = Vec::with_capacity(CONTENT_TABLES.len());
    for table in CONTENT_TABLES {
        let mut columns = connection.prepare_cached("SELECT name, type FROM pragma_table_info(?1)")?;
        let columns = columns.query_map([table], |row| {
            let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(match (name.as_str(), kind.as_str()) {
                ("settings", _) => "'settings', json(settings)".to_owned(),
                (_, "BLOB") => format!("'{name}', hex(\"{name}\")"),
                _ => format!("'{name}', \"{name}\""),
            })
        })?;
        let columns = columns.collect::<Result<Vec<_>, _>>()?.join(", ");
        let query = format!("SELECT json_group_array(json_object({columns})) FROM (SELECT * FROM {table} ORDER BY id)");
        let rows: String = connection.query_row(&query, [], |row| row.get(0))?;
        parts.push(format!("\"{table}\":{rows}"));
    }
    Ok(format!("{{{}}}", parts.join(",")))
}
