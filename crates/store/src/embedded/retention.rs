//! Deletes spans that are older than messages are kept, after taking their sums over.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::clock::UnixMillis;
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use domain::limits::PARKED_RECEIPT_LIFE_MS;
use domain::money::Money;
use rusqlite::{Connection, params};

use super::database::{Fault, Purpose, open_span};
use super::files::{Layout, sync_directory, with_suffix};
use super::limits::{DEAD_LETTER_LIFE_MS, EVENTS_HOLD_MAX_MS};
use super::read::prepare;
use super::recover;
use super::shared::Shared;
use super::span::Span;

const DAY_MS: i64 = 86_400_000;

const ARCHIVE_SCHEMA: &str = "
    PRAGMA synchronous=FULL; PRAGMA journal_mode=WAL;
    CREATE TABLE IF NOT EXISTS counter (  -- as in the spans, of the spans that are deleted
      span TEXT NOT NULL, day INTEGER NOT NULL, account INTEGER NOT NULL, kind INTEGER NOT NULL,
      messages INTEGER NOT NULL, parts INTEGER NOT NULL, price INTEGER NOT NULL,
      PRIMARY KEY (span, day, account, kind)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS deleted (span TEXT PRIMARY KEY) WITHOUT ROWID;  -- whose sums are above
    PRAGMA user_version=1;";

/// What is left of deleted spans.
#[derive(Default)]
pub(crate) struct Archive {
    /// File names of spans whose sums are taken over.
    pub deleted: HashSet<String>,
    /// What accounts spent in them.
    pub spent: HashMap<AccountId, Money>,
}

/// Reads the archive, if there is one.
pub(crate) fn read_archive(layout: &Layout) -> Result<Archive, Fault> {
    if !layout.archive().exists() {
        return Ok(Archive::default());
    }
    let connection = open_archive(layout)?;
    let mut statement = connection.prepare("SELECT span FROM deleted")?;
    let deleted = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Archive { deleted, spent: recover::spent(&connection)? })
}

fn open_archive(layout: &Layout) -> Result<Connection, Fault> {
    let connection = Connection::open(layout.archive())?;
    connection.execute_batch(ARCHIVE_SCHEMA)?;
    Ok(connection)
}

/// Deletes what is too old: whole spans, oldest first, and parked receipts from memory.
pub(crate) fn sweep(shared: &Shared) {
    let now = shared.clock.now();
    let orphans = shared.parked.older_than(MessageId::first_at(now.plus_ms(-PARKED_RECEIPT_LIFE_MS)));
    if !orphans.is_empty() {
        shared.orphans_expired.fetch_add(orphans.len() as u64, Ordering::Relaxed);
        tracing::warn!(target: "store", count = orphans.len(), "receipts waited for their message until their time was over; they stay in the files");
    }
    orphans.into_iter().for_each(|id| shared.parked.remove(id));
    let keep_since = now.plus_ms(-i64::from(shared.options.retention_days) * DAY_MS);
    for lane in Lane::ALL {
        for span in shared.spans.of_lane(lane) {
            if !is_over(shared, &span, keep_since) {
                break;
            }
            if holds_events(shared, &span, keep_since) {
                continue;
            }
            if let Err(fault) = delete(shared, &span) {
                tracing::warn!(target: "store", file = &*span.short_name, ?fault, "an old span could not be deleted, it is tried again");
                break;
            }
        }
    }
}

fn is_over(shared: &Shared, span: &Span, keep_since: UnixMillis) -> bool {
    shared.spans.end_of(span).is_some_and(|end| end.created() < keep_since)
}

/// Whether the span is still needed for events that are being told or may be replayed.
fn holds_events(shared: &Shared, span: &Span, keep_since: UnixMillis) -> bool {
    let held_since = keep_since.plus_ms(-EVENTS_HOLD_MAX_MS);
    if span.damage().is_some() || is_over(shared, span, held_since) {
        return false;
    }
    let young = shared.clock.now().0 - DEAD_LETTER_LIFE_MS;
    let asked = shared.connections.with_fault(span, |connection| {
        for sql in [
            "SELECT 1 FROM step WHERE event = 1 AND ?1 > 0 LIMIT 1",
            "SELECT 1 FROM notice WHERE event = 1 AND ?1 > 0 LIMIT 1",
            "SELECT 1 FROM step WHERE event = 3 AND told_at > ?1 LIMIT 1",
            "SELECT 1 FROM notice WHERE event = 3 AND told_at > ?1 LIMIT 1",
        ] {
            if prepare(connection, sql)?.exists([young])? {
                return Ok(true);
            }
        }
        Ok(false)
    });
    // What can't be asked is not deleted now: the next sweep asks again.
    !matches!(asked, Some(Ok(false)))
}

fn delete(shared: &Shared, span: &Arc<Span>) -> Result<(), Fault> {
    {
        // From here on no commit can change the sums.
        let _gate = span.gate.lock();
        shared.step("retention: archive");
        if span.damage().is_none() {
            archive(&shared.layout, span)?;
        } else {
            tracing::warn!(target: "store", file = &*span.short_name, "a damaged span is deleted for its age; its sums are lost");
        }
        span.set_deleted();
        shared.spans.remove(span.name);
    }
    shared.step("retention: delete");
    shared.connections.forget(span);
    span.filters.unload(&shared.filter_budget);
    remove_files(&shared.layout, &span.path);
    tracing::info!(target: "store", file = &*span.short_name, "deleted: older than messages are kept");
    Ok(())
}

fn archive(layout: &Layout, span: &Span) -> Result<(), Fault> {
    let source = open_span(&span.path, Purpose::Read).map_err(|error| Fault::Other(error.to_string()))?;
    let mut archive = open_archive(layout)?;
    let transaction = archive.transaction()?;
    transaction.execute("INSERT OR IGNORE INTO deleted VALUES (?1)", [&*span.short_name])?;
    let mut statement = source.prepare("SELECT day, account, kind, messages, parts, price FROM counter")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let [day, account, kind, messages, parts, price] = [0, 1, 2, 3, 4, 5].map(|column| row.get::<_, i64>(column));
        transaction.execute(
            "INSERT OR REPLACE INTO counter VALUES (?1,?2,?3,?4,?5,?6,?7)",
            params![&*span.short_name, day?, account?, kind?, messages?, parts?, price?],
        )?;
    }
    drop(rows);
    transaction.commit()?;
    Ok(())
}

/// Removes a span's file last: while it is there, a restart finishes the deletion.
pub(crate) fn remove_files(layout: &Layout, path: &std::path::Path) {
    for extension in ["filter", "sums"] {
        let _ = std::fs::remove_file(path.with_extension(extension));
    }
    for suffix in ["-wal", "-shm", ""] {
        let _ = std::fs::remove_file(with_suffix(path, suffix));
    }
    let _ = sync_directory(&layout.spans());
}
