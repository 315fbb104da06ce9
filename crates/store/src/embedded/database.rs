//! Opening SQLite files the way the store needs them.

use std::cell::Cell;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags};

use super::limits::WAL_OCTETS_MAX;
use crate::error::OpenError;

/// `application_id` of every span: "PHsp".
const SPAN_APPLICATION_ID: i64 = 0x5048_7370;
/// `user_version`: format of the span tables.
const SPAN_FORMAT: i64 = 1;
/// Statements kept prepared per connection.
const STATEMENTS_MAX: usize = 48;
/// Page cache of the connection that writes a lane's hot span, in KiB.
const HOT_CACHE_KIB: i64 = 16 * 1024;
/// Page cache of every other connection, in KiB.
const COLD_CACHE_KIB: i64 = 1024;
/// How long a statement waits for a lock that another connection of this process holds.
const BUSY_MS: u64 = 5_000;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Takes a lane's facts.
    WriteHot,
    /// Takes late facts, builds indexes, copies the log back.
    WriteCold,
    /// Answers questions.
    Read,
}

/// Makes an empty span file in full: schema, journal mode and format version are on disk when this returns.
pub(crate) fn create_span(path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Database { file: path.to_owned(), source };
    let connection = Connection::open(path).map_err(failed)?;
    let setup = format!(
        "PRAGMA page_size=4096; PRAGMA synchronous=FULL; PRAGMA application_id={SPAN_APPLICATION_ID};
         BEGIN; {} PRAGMA user_version={SPAN_FORMAT}; COMMIT;
         PRAGMA journal_mode=WAL;",
        include_str!("schema.sql")
    );
    connection.execute_batch(&setup).map_err(failed)?;
    connection.close().map_err(|(_, source)| failed(source))
}

/// Opens a span for one purpose, after making sure that it is one and that we know its format.
pub(crate) fn open_span(path: &Path, purpose: Purpose) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Database { file: path.to_owned(), source };
    let connection = open_raw(path, purpose).map_err(failed)?;
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(failed);
    if pragma("application_id")? != SPAN_APPLICATION_ID {
        return Err(OpenError::Foreign { file: path.to_owned() });
    }
    let found = pragma("user_version")?;
    if found > SPAN_FORMAT {
        return Err(OpenError::Newer { file: path.to_owned(), found, known: SPAN_FORMAT });
    }
    Ok(connection)
}

fn open_raw(path: &Path, purpose: Purpose) -> rusqlite::Result<Connection> {
    let access = match purpose {
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Purpose::WriteHot | Purpose::WriteCold => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let mut connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
    // The checkpointer copies the log back; a connection that closes must not do it on a writer's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // One plan per statement. Otherwise SQLite looks at the bound values to see whether a partial index
    // serves, and prepares the statement anew each time they change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let cache_kib = if purpose == Purpose::WriteHot { HOT_CACHE_KIB } else { COLD_CACHE_KIB };
    connection.execute_batch(&format!(
        "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit={WAL_OCTETS_MAX}; PRAGMA cache_size=-{cache_kib}; PRAGMA cell_size_check=ON;
         PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0;"
    ))?;
    if purpose != Purpose::Read {
        // After the pragma on checkpoints, which would take the hook's place.
        connection.wal_hook(Some(note_log_frames))?;
    }
    Ok(connection)
}

thread_local! {
    static LOG_FRAMES: Cell<u32> = const { Cell::new(0) };
}

/// Called by SQLite after each commit. The length of the file would not do: it never shrinks.
fn note_log_frames(_log: &mut Wal, frames: std::ffi::c_int) -> rusqlite::Result<()> {
    LOG_FRAMES.set(u32::try_from(frames).unwrap_or(0));
    Ok(())
}

/// Pages in the log after the last commit of this thread.
pub(crate) fn log_frames() -> u32 {
    LOG_FRAMES.get()
}

/// What went wrong, in the terms the store acts on.
#[derive(Debug)]
pub(crate) enum Fault {
    /// No room on the disk: rolled back, to be tried again later.
    Full,
    /// A write or sync failed: what the disk holds is not known any more.
    Disk(String),
    /// The file does not hold what was written to it.
    Corrupt(String),
    /// One row is not what was written; its neighbours may well be.
    BadRow(String),
    /// The time limit of a question ran out.
    Interrupted,
    /// Anything else.
    Other(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        let rusqlite::Error::SqliteFailure(failure, _) = error else {
            return match error {
                // A column that cannot hold what we wrote was not written by us.
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => Self::BadRow(text),
                _ => Self::Other(text),
            };
        };
        match failure.extended_code {
            rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            code => match code & 0xff {
                rusqlite::ffi::SQLITE_FULL => Self::Full,
                rusqlite::ffi::SQLITE_IOERR => Self::Disk(text),
                rusqlite::ffi::SQLITE_CORRUPT | rusqlite::ffi::SQLITE_NOTADB => Self::Corrupt(text),
                rusqlite::ffi::SQLITE_INTERRUPT => Self::Interrupted,
                _ => Self::Other(text),
            },
        }
    }
}
