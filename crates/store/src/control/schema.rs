//! `control.db`: its tables and how it is opened.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::error::ControlError;
use super::limits::BUSY_TIMEOUT;

/// Format of the tables below, kept in `user_version`.
const FORMAT: i64 = 1;
const FILE_NAME: &str = "control.db";
const LOCK_NAME: &str = "control.lock";

/// The tables that make up a version, in the order in which they refer to each other.
pub(super) const CONTENT_TABLES: [&str; 7] =
    ["carriers", "routes", "accounts", "senders", "keys", "endpoints", "numbers"];

/// Rows are never numbered anew (AUTOINCREMENT): messages and sealed values refer to them for ever.
/// `settings` is a JSON object with the keys of the setup file, but for what has a column of its own because
/// it is unique, refers to other rows or is sealed.
const TABLES: &str = r#"
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE carriers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password BLOB NOT NULL DEFAULT x'',
    outbind_password BLOB NOT NULL DEFAULT x'',
    settings TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE routes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    prefix TEXT NOT NULL,
    network TEXT NOT NULL,
    occurrence INTEGER NOT NULL,
    carriers TEXT NOT NULL DEFAULT '',
    settings TEXT NOT NULL DEFAULT '{}',
    UNIQUE (prefix, network, occurrence)
) STRICT;
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    settings TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE senders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    approved INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, name)
) STRICT;
CREATE TABLE keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    halves BLOB NOT NULL DEFAULT x'',
    hint TEXT NOT NULL DEFAULT '',
    senders TEXT NOT NULL DEFAULT '',
    settings TEXT NOT NULL DEFAULT '{}',
    UNIQUE (account, name)
) STRICT;
CREATE TABLE endpoints (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES accounts (id),
    event TEXT NOT NULL,
    secret_key BLOB NOT NULL DEFAULT x'',
    signing_secret BLOB NOT NULL DEFAULT x'',
    basic_password BLOB NOT NULL DEFAULT x'',
    previous BLOB NOT NULL DEFAULT x'',
    previous_until INTEGER NOT NULL DEFAULT 0,
    settings TEXT NOT NULL DEFAULT '{}',
    UNIQUE (account, event)
) STRICT;
CREATE TABLE numbers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES accounts (id),
    number TEXT NOT NULL,
    carrier INTEGER NOT NULL REFERENCES carriers (id),
    settings TEXT NOT NULL DEFAULT '{}',
    UNIQUE (account, number, carrier)
) STRICT;
CREATE TABLE versions (
    version INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE TABLE holds (
    carrier INTEGER PRIMARY KEY REFERENCES carriers (id) ON DELETE CASCADE,
    mode TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL,
    "before" TEXT NOT NULL,
    "after" TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
"#;

/// Where the database lies.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE_NAME)
}

/// Opens the database, making file and tables where they are missing; run it under [`lock_opening`].
pub(super) fn open(data_dir: &Path) -> Result<Connection, ControlError> {
    let path = path(data_dir);
    create_private(&path)?;
    let mut connection = Connection::open(&path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    if format(&connection)? == 0 {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
        transaction.commit()?;
    }
    let found = format(&connection)?;
    if found > FORMAT {
        return Err(ControlError::Format { path, found, known: FORMAT });
    }
    Ok(connection)
}

/// The tables in memory, for what a version held.
pub(super) fn in_memory() -> Result<Connection, ControlError> {
    let memory = Connection::open_in_memory()?;
    memory.execute_batch(TABLES)?;
    Ok(memory)
}

/// Makes the data directory and lets one process open the database at a time, until the returned file is
/// closed: SQLite does not wait when two switch a new database to its write-ahead log at once, and database
/// and master key are made together.
pub(super) fn lock_opening(data_dir: &Path) -> Result<File, ControlError> {
    let directory = DirBuilder::new().recursive(true).mode(0o700).create(data_dir);
    directory.map_err(|error| ControlError::file("make the data directory", data_dir, error))?;
    let path = data_dir.join(LOCK_NAME);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let locked = file.and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| ControlError::file("lock", &path, error))
}

/// Makes the file that SQLite then opens, for SQLite gives its side files the mode of this one. A file that
/// exists is not opened: closing it would drop the locks this process holds on it through SQLite.
fn create_private(path: &Path) -> Result<(), ControlError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(ControlError::file("make the control data", path, error))
        }
        _ => Ok(()),
    }
}

fn format(connection: &Connection) -> Result<i64, ControlError> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
