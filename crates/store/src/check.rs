//! Looks through a data directory that no process uses, and saves what can be read of damaged files.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

use crate::embedded::database::{Fault, Purpose, create_span, open_span};
use crate::embedded::files::{Layout, Lock, SpanName, io_error, short_name, sync_directory, with_suffix};
use crate::embedded::people;
use crate::embedded::sums::{PageSums, SumsFault, sums_path};
use crate::embedded::tables::{TABLES, Table, Walked};
use crate::embedded::wal::committed_pages;
use crate::error::{Damage, OpenError};

/// Findings of one kind that are named one by one; the rest is only counted.
const NAMED_MAX: usize = 20;

/// What [`check`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Files looked at, in order.
    pub files: Vec<FileReport>,
}

/// What [`check`] found in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileReport {
    /// File name.
    pub file: String,
    /// Rows that are what was written.
    pub rows: u64,
    /// What is wrong, with the place.
    pub damage: Vec<Damage>,
}

/// What [`repair`] did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairReport {
    /// Damaged files, in order.
    pub files: Vec<FileRepair>,
    /// False if it only says what it would do.
    pub done: bool,
}

/// What [`repair`] did, or would do, with one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileRepair {
    /// File name; what was there stays beside it with `.damaged` appended.
    pub file: String,
    /// Rows that are saved.
    pub rows_kept: u64,
    /// What is given up, in words with ids.
    pub given_up: Vec<String>,
}

impl CheckReport {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.files.iter().all(|file| file.damage.is_empty())
    }
}

/// Checks every file: page sums, structure, and the sum of every row. Changes nothing that is promised;
/// `progress` hears the name of each file before it is read.
///
/// # Errors
/// [`OpenError::InUse`] while a process uses the directory; others when it cannot be read.
pub fn check(data_dir: &Path, mut progress: impl FnMut(&str)) -> Result<CheckReport, OpenError> {
    let _lock = Lock::take(data_dir)?;
    let layout = Layout { data_dir: data_dir.to_owned() };
    let mut report = CheckReport::default();
    for name in list(&layout)? {
        progress(&name.file_name());
        report.files.push(check_span(&layout.span(name))?);
    }
    for path in [data_dir.join("control.db"), people::file(data_dir), layout.archive()] {
        if path.exists() {
            progress(&short_name(&path));
            report.files.push(check_plain(&path));
        }
    }
    Ok(report)
}

fn list(layout: &Layout) -> Result<Vec<SpanName>, OpenError> {
    layout.list_spans().map_err(|source| io_error("list", &layout.spans(), source))
}

fn check_span(path: &Path) -> Result<FileReport, OpenError> {
    let mut report = FileReport { file: short_name(path), ..FileReport::default() };
    let file: Arc<str> = report.file.as_str().into();
    let mut damage = |place: String| Damage { file: Arc::clone(&file), place: place.into() };
    let unreadable = |source| io_error("read", path, source);
    match PageSums::read(&sums_path(path)) {
        Ok(sums) => {
            let in_log = committed_pages(&with_suffix(path, "-wal")).map_err(unreadable)?;
            let pages = sums.mismatches(path, &in_log).map_err(unreadable)?;
            report.damage.extend(named(pages.iter().map(|page| format!("page {page}"))).map(&mut damage));
        }
        Err(SumsFault::Missing) => {}
        Err(fault) => report.damage.push(damage(format!("its page sums: {fault}"))),
    }
    let connection = match open(path)? {
        Ok(connection) => connection,
        Err(place) => {
            report.damage.push(damage(place));
            return Ok(report);
        }
    };
    report.damage.extend(structure(&connection).into_iter().map(&mut damage));
    for table in &TABLES {
        match table.walk(&connection, false, |_, _| Ok(())) {
            Ok(walked) => {
                report.rows += walked.good;
                report
                    .damage
                    .extend(named(walked.bad.iter().map(|id| format!("{} {id:016x}", table.name))).map(&mut damage));
                report.damage.extend(
                    walked.broken.map(|(place, after)| damage(format!("{} after {after:016x}: {place}", table.name))),
                );
            }
            Err(fault) => report.damage.push(damage(format!("{}: {fault:?}", table.name))),
        }
    }
    Ok(report)
}

/// The first findings by name, and how many more there are.
fn named(findings: impl ExactSizeIterator<Item = String>) -> impl Iterator<Item = String> {
    let more = findings.len().saturating_sub(NAMED_MAX);
    findings.take(NAMED_MAX).chain((more > 0).then(|| format!("{more} more places")))
}

/// Opens a span; the inner error is damage.
fn open(path: &Path) -> Result<Result<Connection, String>, OpenError> {
    match open_span(path, Purpose::WriteCold) {
        Ok(connection) => Ok(Ok(connection)),
        Err(OpenError::Foreign { .. }) => Ok(Err("page 1: the header is not one of a span".into())),
        Err(OpenError::Database { source, file }) => match Fault::from(source) {
            Fault::Corrupt(place) | Fault::BadRow(place) => Ok(Err(place)),
            fault => Err(io_error("open", &file, std::io::Error::other(format!("{fault:?}")))),
        },
        Err(error) => Err(error),
    }
}

fn structure(connection: &Connection) -> Vec<String> {
    let found = connection.prepare(&format!("PRAGMA integrity_check({NAMED_MAX})")).and_then(|mut statement| {
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        lines.collect::<Result<Vec<_>, _>>()
    });
    match found {
        Ok(lines) => lines.into_iter().filter(|line| line != "ok").collect(),
        Err(error) => vec![error.to_string()],
    }
}

fn check_plain(path: &Path) -> FileReport {
    let file = short_name(path);
    let opened = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let lines = opened.map_or_else(|error| vec![error.to_string()], |connection| structure(&connection));
    let damage = lines.into_iter().map(|line| Damage { file: file.as_str().into(), place: line.into() }).collect();
    FileReport { file, rows: 0, damage }
}

/// Rebuilds every damaged span from the rows that can be read. With `plan_only` it says exactly what
/// would be given up and changes nothing.
///
/// # Errors
/// [`OpenError::InUse`] while a process uses the directory; others when it cannot be read or written.
pub fn repair(data_dir: &Path, plan_only: bool) -> Result<RepairReport, OpenError> {
    let lock = Lock::take(data_dir)?;
    let layout = Layout { data_dir: data_dir.to_owned() };
    let mut report = RepairReport { done: !plan_only, ..RepairReport::default() };
    for name in list(&layout)? {
        let path = layout.span(name);
        if !check_span(&path)?.damage.is_empty() {
            report.files.push(repair_span(&layout, &path, plan_only)?);
        }
    }
    drop(lock);
    Ok(report)
}

fn repair_span(layout: &Layout, path: &Path, plan_only: bool) -> Result<FileRepair, OpenError> {
    let mut repair = FileRepair { file: short_name(path), ..FileRepair::default() };
    let new_path = with_suffix(path, ".repaired");
    remove(&new_path);
    create_span(&new_path)?;
    let database = |source| OpenError::Database { file: new_path.clone(), source };
    match open(path)? {
        Ok(old) => {
            let new = open_span(&new_path, Purpose::WriteCold)?;
            new.execute_batch("BEGIN").map_err(database)?;
            let mut requests = BTreeSet::new();
            for table in &TABLES {
                let saved = save(table, &old, &new, &mut requests, &mut repair.given_up);
                repair.rows_kept += saved
                    .map_err(|fault| io_error("save rows of", path, std::io::Error::other(format!("{fault:?}"))))?;
            }
            new.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").map_err(database)?;
        }
        Err(place) => repair.given_up.push(format!("everything: {place}")),
    }
    if plan_only {
        remove(&new_path);
        return Ok(repair);
    }
    let damaged = with_suffix(path, ".damaged");
    std::fs::rename(path, &damaged).map_err(|source| io_error("move aside", path, source))?;
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::rename(with_suffix(path, suffix), with_suffix(&damaged, suffix));
        let _ = std::fs::remove_file(with_suffix(&new_path, suffix));
    }
    for stale in ["sums", "filter"] {
        let _ = std::fs::remove_file(path.with_extension(stale));
    }
    std::fs::rename(&new_path, path).map_err(|source| io_error("put in place", path, source))?;
    sync_directory(&layout.spans())?;
    Ok(repair)
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(with_suffix(path, suffix));
    }
}

/// Copies what can be read of a table, from both ends if the middle is broken; the number of rows saved.
fn save(
    table: &Table,
    old: &Connection,
    new: &Connection,
    requests: &mut BTreeSet<i64>,
    given_up: &mut Vec<String>,
) -> Result<u64, Fault> {
    // The new file has the tables of this program.
    let columns = new.prepare(&format!("SELECT * FROM {}", table.name))?.column_count();
    let places = vec!["?"; columns].join(", ");
    let mut insert = new.prepare(&format!("INSERT OR IGNORE INTO {} VALUES ({places})", table.name))?;
    let mut orphans = BTreeSet::new();
    let mut saved = 0;
    let mut take = |key: i64, values: Vec<Value>| {
        match (table.name, values.get(1)) {
            ("request", _) => drop(requests.insert(key)),
            // A message without its request could neither be sent nor explained.
            ("message", Some(Value::Integer(request))) if !requests.contains(request) => {
                orphans.insert(key);
                return Ok(());
            }
            _ => {}
        }
        saved += insert.execute(params_from_iter(values))? as u64;
        Ok(())
    };
    let forward = table.walk(old, false, &mut take)?;
    let backward = match &forward.broken {
        Some(_) => table.walk(old, true, &mut take)?,
        None => Walked::default(),
    };
    let mut bad: BTreeSet<i64> = forward.bad.iter().chain(&backward.bad).copied().collect();
    bad.append(&mut orphans);
    given_up
        .extend(named(bad.into_iter().map(|id| format!("{} {id:016x}", table.name)).collect::<Vec<_>>().into_iter()));
    if let Some((place, after)) = forward.broken {
        let before = backward.broken.map_or_else(|| "the end".to_owned(), |(_, before)| format!("{before:016x}"));
        given_up.push(format!("{} between {after:016x} and {before}: {place}", table.name));
    }
    Ok(saved)
}
