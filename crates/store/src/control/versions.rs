//! What every version held, and going back to one.

use domain::clock::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};

use super::author::Author;
use super::content::Content;
use super::error::ControlError;
use super::limits::VERSIONS_KEPT_MAX;
use super::load;
use super::schema::{self, CONTENT_TABLES};
use super::vault::Vault;

/// One version of the control data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionInfo {
    /// Its number.
    pub version: u64,
    /// When it came into force.
    pub at: UnixMillis,
    /// Who made it.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Entries that were added, changed or removed.
    pub changes: u32,
}

/// Keeps the content as `version`, and forgets the oldest one.
pub(super) fn keep(connection: &Connection, at: UnixMillis, version: u64, author: &Author) -> Result<(), ControlError> {
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    let content = content(connection)?;
    connection.execute(
        "INSERT INTO versions (version, at_ms, who, reason, content) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![version, at.0, author.who, author.reason, content],
    )?;
    connection.execute("DELETE FROM versions WHERE version <= ?1", [version - VERSIONS_KEPT_MAX])?;
    Ok(())
}

/// All versions that are kept, newest first.
pub(super) fn list(connection: &Connection) -> Result<Vec<VersionInfo>, ControlError> {
    let mut statement = connection.prepare_cached(
        "SELECT version, at_ms, who, reason,
            (SELECT count(*) FROM audit WHERE audit.version = versions.version AND action IN ('add', 'change', 'remove')) AS changes
            FROM versions ORDER BY version DESC",
    )?;
    let versions = statement.query_map([], |row| {
        Ok(VersionInfo {
            version: row.get::<_, i64>("version")?.unsigned_abs(),
            at: UnixMillis(row.get("at_ms")?),
            who: row.get("who")?,
            reason: row.get("reason")?,
            changes: row.get("changes")?,
        })
    })?;
    Ok(versions.collect::<Result<_, _>>()?)
}

/// What a version held. Version 0, before the first apply, held nothing.
pub(super) fn content_of(connection: &Connection, vault: &Vault, version: u64) -> Result<Content, ControlError> {
    if version == 0 {
        return Ok(Content::default());
    }
    let number = i64::try_from(version).unwrap_or(i64::MAX);
    let query = "SELECT content FROM versions WHERE version = ?1";
    let kept: Option<String> = connection.query_row(query, [number], |row| row.get(0)).optional()?;
    let Some(kept) = kept else {
        let bounds = "SELECT coalesce(min(version), 0), coalesce(max(version), 0) FROM versions";
        let (oldest, newest) = connection.query_row(bounds, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        return Err(ControlError::NoSuchVersion { version, oldest, newest });
    };
    // The tables of that time, in memory, are read like those of today.
    let memory = schema::in_memory()?;
    restore(&memory, &kept)?;
    load::content(&memory, vault)
}

/// Fills empty tables with what [`content`] wrote. Columns that did not exist then take their defaults.
fn restore(memory: &Connection, kept: &str) -> Result<(), ControlError> {
    for table in CONTENT_TABLES {
        let rows = format!("SELECT value FROM json_each(?1, '$.{table}')");
        let mut rows = memory.prepare(&rows)?;
        let rows = rows.query_map([kept], |row| row.get::<_, String>(0))?;
        for row in rows.collect::<Result<Vec<_>, _>>()? {
            let (names, values) = columns(memory, table, &row)?;
            memory.execute(&format!("INSERT INTO {table} ({names}) VALUES ({values})"), [&row])?;
        }
    }
    Ok(())
}

/// The columns that a kept row has values for, and the expressions that take them out of it.
fn columns(memory: &Connection, table: &str, row: &str) -> Result<(String, String), ControlError> {
    let query = "SELECT name, type FROM pragma_table_info(?1)
        WHERE name IN (SELECT key FROM json_each(?2))";
    let mut statement = memory.prepare_cached(query)?;
    let columns = statement.query_map([table, row], |row| {
        let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
        let value = format!("json_extract(?1, '$.{name}')");
        Ok((format!("\"{name}\""), if kind == "BLOB" { format!("unhex({value})") } else { value }))
    })?;
    let columns: Vec<(String, String)> = columns.collect::<Result<_, _>>()?;
    let (names, values): (Vec<String>, Vec<String>) = columns.into_iter().unzip();
    Ok((names.join(", "), values.join(", ")))
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
