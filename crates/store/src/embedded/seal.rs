//! Seals spans: builds on disk what the memory index held, filters and page sums.
//!
//! Every step can be cut short and done again: indexes are made one by one, each in its own transaction;
//! the filter appears whole; only then the file is marked as sealed, and only then its pages are summed up.
//! While an index is built the file is locked, so the lane's writer puts facts for it aside
//! (`Span::building`) and goes on with the rest of its work.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::database::{Fault, Purpose, open_span};
use super::files::with_suffix;
use super::filter::FilterSet;
use super::hash::{Reference, reference_key};
use super::keeper::{CopyBack, copy_back_with};
use super::queue::Order;
use super::read::{one_number, prepare};
use super::shared::Shared;
use super::span::Span;
use super::sums::{PageSums, sums_path};
use super::wal::committed_pages;
use domain::id::AccountId;
use tokio::sync::mpsc;

/// The indexes of a sealed span, each named after what it finds.
const INDEXES: [(&str, &str); 20] = [
    ("message_phone", "message(phone)"),
    ("message_operator_key", "message(operator_key) WHERE operator_key IS NOT NULL"),
    ("part_operator_key", "part(operator_key) WHERE operator_key IS NOT NULL"),
    ("request_external_id", "request(external_id) WHERE external_id IS NOT NULL"),
    ("request_idempotency_key", "request(idempotency_key) WHERE idempotency_key IS NOT NULL"),
    ("message_waiting", "message(carrier, account) WHERE status = 1"),
    ("message_due", "message(due_at) WHERE status = 1 AND due_at > 0"),
    ("message_open", "message(status, expires_at) WHERE status IN (1, 2)"),
    ("click_account", "click(account, id)"),
    ("click_message", "click(message_id)"),
    ("step_untold", "step(message_id, number) WHERE event = 1"),
    ("step_dead", "step(message_id, number) WHERE event = 3"),
    ("step_position", "step(position, account) WHERE position > 0"),
    ("notice_untold", "notice(id) WHERE event = 1"),
    ("notice_dead", "notice(id) WHERE event = 3"),
    ("notice_position", "notice(position, account) WHERE position > 0"),
    ("incoming_account", "incoming(account)"),
    ("incoming_phone", "incoming(phone)"),
    ("incoming_unhandled", "incoming(id) WHERE handled = 0"),
    ("incoming_part_open", "incoming_part(id) WHERE state <> 1"),
];
/// Only worth its room where several accounts share a span.
const ACCOUNT_INDEX: (&str, &str) = ("message_account", "message(account)");
/// Page cache while indexes are built, in KiB.
const BUILD_CACHE_KIB: i64 = 16 * 1024;

/// Seals a span, or goes on where an earlier try was cut short.
pub(crate) fn seal(shared: &Shared, span: &Arc<Span>, orders: &mpsc::Sender<Order>) -> Result<(), Fault> {
    let connection = open(span)?;
    connection.execute_batch(&format!("PRAGMA cache_size=-{BUILD_CACHE_KIB}"))?;
    let accounts = one_number(&connection, "SELECT count(DISTINCT account) FROM counter")?.unwrap_or(0);
    let extra = (accounts > 1).then_some(ACCOUNT_INDEX);
    for (name, what) in INDEXES.into_iter().chain(extra) {
        while_building(span, orders, || {
            shared.step(&format!("seal: {name}"));
            connection.execute_batch(&format!("CREATE INDEX IF NOT EXISTS {name} ON {what}")).map_err(Fault::from)
        })?;
        if shared.is_closing() {
            return Ok(());
        }
    }
    {
        // From here on keys are noted apart: what the filter misses must not be missed.
        let _gate = span.gate.lock();
        span.sealing.store(true, Ordering::Release);
    }
    shared.step("seal: filter");
    let complete = make_filters(shared, span, &connection)?;
    shared.step("seal: mark");
    {
        let _gate = span.gate.lock();
        let late = i64::from(!complete);
        connection.execute(
            "INSERT OR REPLACE INTO meta VALUES ('sealed_at', ?1), ('late_keys', ?2)",
            (shared.clock.now().0, late),
        )?;
        span.late_noted.store(!complete, Ordering::Release);
        span.set_sealed();
    }
    while_building(span, orders, || sum_up(shared, span, &connection))
}

/// Makes the filters of a sealed span anew, because there are none or too much came since.
pub(crate) fn refresh_filters(shared: &Shared, span: &Arc<Span>) -> Result<(), Fault> {
    let connection = open(span)?;
    if !make_filters(shared, span, &connection)? {
        return Ok(());
    }
    let _gate = span.gate.lock();
    if span.filters.late_keys().is_empty() {
        connection.execute("DELETE FROM meta WHERE key = 'late_keys'", [])?;
        span.late_noted.store(false, Ordering::Release);
        span.touch();
    }
    Ok(())
}

/// Makes sure that a sealed span has page sums and that its pages match them.
pub(crate) fn verify(shared: &Shared, span: &Arc<Span>, orders: &mpsc::Sender<Order>) -> Result<(), Fault> {
    let file_fault = |error: std::io::Error| Fault::Other(error.to_string());
    let sums = match PageSums::read(&sums_path(&span.path)) {
        Ok(sums) => sums,
        Err(fault) => {
            // Sealing was cut short before the sums, or they are lost: what is there now is checked row by row.
            tracing::warn!(target: "store", file = &*span.short_name, %fault, "no page sums, the file is checked whole");
            let connection = open(span)?;
            whole_file(&connection)?;
            return while_building(span, orders, || sum_up(shared, span, &connection));
        }
    };
    let wal = with_suffix(&span.path, "-wal");
    let in_log = committed_pages(&wal).map_err(file_fault)?;
    if sums.mismatches(&span.path, &in_log).map_err(file_fault)?.is_empty() {
        return Ok(());
    }
    // A log that was being copied back meanwhile looks like damage: look again while nobody writes.
    let _gate = span.gate.lock();
    let sums = PageSums::read(&sums_path(&span.path)).map_err(|fault| Fault::Other(format!("page sums: {fault}")))?;
    let in_log = committed_pages(&wal).map_err(file_fault)?;
    match sums.mismatches(&span.path, &in_log).map_err(file_fault)?.first() {
        None => Ok(()),
        Some(page) => Err(Fault::Corrupt(format!("page {page}"))),
    }
}

/// Has SQLite check the structure of a file.
pub(crate) fn whole_file(connection: &Connection) -> Result<(), Fault> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Fault::Corrupt(found)) }
}

fn open(span: &Span) -> Result<Connection, Fault> {
    open_span(&span.path, Purpose::WriteCold).map_err(|error| match error {
        crate::error::OpenError::Database { source, .. } => source.into(),
        other => Fault::Other(other.to_string()),
    })
}

/// Does something that keeps the file locked, while the lane's writer puts facts for it aside.
fn while_building(
    span: &Span,
    orders: &mpsc::Sender<Order>,
    work: impl FnOnce() -> Result<(), Fault>,
) -> Result<(), Fault> {
    span.building.store(true, Ordering::Release);
    let result = {
        let _gate = span.gate.lock();
        work()
    };
    span.building.store(false, Ordering::Release);
    // The writer may be waiting for nothing but this; if its queue is full it is awake anyway.
    let _ = orders.try_send(Order::Wake);
    result
}

fn make_filters(shared: &Shared, span: &Span, connection: &Connection) -> Result<bool, Fault> {
    let held = span.filters.late_keys();
    let mut phones = keys(connection, "SELECT phone FROM message")?;
    phones.extend(keys(connection, "SELECT phone FROM incoming WHERE phone > 0")?);
    let mut operators = keys(connection, "SELECT operator_key FROM message WHERE operator_key IS NOT NULL")?;
    operators.extend(keys(connection, "SELECT operator_key FROM part WHERE operator_key IS NOT NULL")?);
    let mut references = Vec::new();
    for (kind, column) in [(Reference::External, "external_id"), (Reference::Idempotency, "idempotency_key")] {
        let sql = format!("SELECT account, {column} FROM request WHERE {column} IS NOT NULL");
        let mut statement = prepare(connection, &sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            references.push(reference_key(AccountId(row.get(0)?), kind, row.get_ref(1)?.as_str()?));
        }
    }
    let set = FilterSet::build(phones, references, operators).map_err(|error| Fault::Other(error.into()))?;
    span.filters.replace(set, &held, &shared.filter_budget).map_err(|error| Fault::Other(error.to_string()))
}

fn keys(connection: &Connection, sql: &str) -> Result<Vec<u64>, Fault> {
    let mut statement = prepare(connection, sql)?;
    let keys = statement.query_map([], |row| row.get(0).map(i64::cast_unsigned))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Copies the log back in full and sums the pages up. The gate is held.
fn sum_up(shared: &Shared, span: &Span, connection: &Connection) -> Result<(), Fault> {
    shared.step("seal: copy back");
    if !copy_back_with(connection, CopyBack::Empty)? {
        return Err(Fault::Other("the log could not be copied back in full".into()));
    }
    shared.step("seal: sums");
    let sums = PageSums::of_file(&span.path).and_then(|sums| sums.write(&sums_path(&span.path)));
    sums.map_err(|error| Fault::Other(error.to_string()))
}
