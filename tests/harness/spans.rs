//! The stored messages as anyone can read them: straight from the span files.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

/// A message row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The number, digits only.
    pub phone: String,
    /// Status code.
    pub status: u64,
    /// The text of its request.
    pub text: String,
}

/// Reads every span of a data directory; its server must be stopped.
///
/// # Errors
/// A file can't be read as a span.
pub fn stored(data: &Path) -> Result<Vec<Stored>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(data.join("spans")).context("no folder with spans")? {
        let path = entry?.path();
        let is_span = path.extension().is_some_and(|extension| extension == "db");
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_span && (name.starts_with("standard-") || name.starts_with("priority-")) {
            all.extend(span(&path).with_context(|| format!("reading {name}"))?);
        }
    }
    Ok(all)
}

fn span(path: &Path) -> Result<Vec<Stored>> {
    let span = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut select = span.prepare(
        "SELECT message.phone, message.status, request.text FROM message JOIN request ON request.id = message.request_id",
    )?;
    let rows = select.query_map([], |row| {
        Ok(Stored { phone: row.get::<_, i64>(0)?.to_string(), status: row.get::<_, u32>(1)?.into(), text: row.get(2)? })
    })?;
    rows.map(|row| row.context("a row")).collect()
}
