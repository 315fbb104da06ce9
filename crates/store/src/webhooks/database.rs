//! Reads and writes `webhooks.db`.

use std::path::Path;
use std::sync::Arc;

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::control::EventKind;
use domain::id::AccountId;
use domain::webhook::{Attempt, EndpointName, EndpointTrouble, Missed, OffReason};
use parking_lot::Mutex;
use rusqlite::{Connection, Row, params};

use super::attempts::{self, Counts, Room};
use super::bounds::TROUBLES_KEPT_MAX;
use super::schema::SCHEMA;
use crate::error::QuestionError;
use crate::question::{AttemptPage, AttemptQuery};

/// File name for messages.
const FILE: &str = "webhooks.db";
/// `user_version` of the file.
const FORMAT: i64 = 2;

/// The database; its callers are threads that may wait.
pub(crate) struct WebhookDb {
    inner: Mutex<Inner>,
    room: Room,
}

struct Inner {
    connection: Connection,
    counts: Counts,
}

type Answer<T> = Result<T, QuestionError>;

fn failed(error: &rusqlite::Error) -> QuestionError {
    QuestionError::Failed { file: FILE.into(), reason: error.to_string().into() }
}

impl WebhookDb {
    /// Opens it, making it if there is none. One that can't be read is begun anew: nothing in it is promised.
    pub fn open(data_dir: &Path, room: Room) -> rusqlite::Result<Self> {
        let path = data_dir.join(FILE);
        let open = || {
            let connection = Connection::open(&path)?;
            let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if ![0, FORMAT].contains(&format) {
                return Err(rusqlite::Error::IntegralValueOutOfRange(0, format));
            }
            connection.execute_batch(SCHEMA)?;
            connection.pragma_update(None, "user_version", FORMAT)?;
            let counts = attempts::count(&connection)?;
            Ok(Self { inner: Mutex::new(Inner { connection, counts }), room })
        };
        open().or_else(|error: rusqlite::Error| {
            tracing::warn!(target: "store", file = FILE, %error, "can't be read and is begun anew");
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(data_dir.join(format!("{FILE}{suffix}")));
            }
            open()
        })
    }

    /// Endpoints in trouble.
    pub fn troubles(&self) -> Answer<Vec<EndpointTrouble>> {
        let connection = &self.inner.lock().connection;
        let read = || {
            let sql =
                "SELECT account, kind, named_url, url, since, failures, off_at, off_reason FROM endpoint LIMIT ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([TROUBLES_KEPT_MAX], |row| {
                let off = row.get::<_, Option<i64>>(6)?.map(UnixMillis);
                let reason = row.get::<_, Option<Box<str>>>(7)?.and_then(|word| OffReason::parse(&word));
                let rest: (Box<str>, i64, u32) = (row.get(3)?, row.get(4)?, row.get(5)?);
                Ok(name(row, 0)?.map(|name| EndpointTrouble {
                    name,
                    url: rest.0,
                    since: UnixMillis(rest.1),
                    failures: rest.2,
                    off: off.zip(reason),
                }))
            })?;
            rows.filter_map(Result::transpose).collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| failed(&error))
    }

    /// Remembers the trouble of an endpoint in place of what was known of it.
    pub fn keep_trouble(&self, trouble: &EndpointTrouble) -> Answer<()> {
        let connection = &self.inner.lock().connection;
        let sql = "INSERT OR REPLACE INTO endpoint VALUES (?1,?2,?3,?4,?5,?6,?7,?8)";
        let EndpointName { account, kind, url } = &trouble.name;
        let kept = connection.prepare_cached(sql).and_then(|mut statement| {
            statement.execute(params![
                account.0,
                kind.name(),
                url.as_deref().unwrap_or_default(),
                trouble.url,
                trouble.since.0,
                trouble.failures,
                trouble.off.map(|off| off.0.0),
                trouble.off.map(|off| off.1.as_str()),
            ])
        });
        kept.map(|_| ()).map_err(|error| failed(&error))
    }

    /// Forgets the trouble of an endpoint.
    pub fn end_trouble(&self, name: &EndpointName) -> Answer<()> {
        let connection = &self.inner.lock().connection;
        let sql = "DELETE FROM endpoint WHERE account=?1 AND kind=?2 AND named_url=?3";
        let named = name.url.as_deref().unwrap_or_default();
        let ended = connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params![name.account.0, name.kind.name(), named]));
        ended.map(|_| ()).map_err(|error| failed(&error))
    }

    /// Keeps attempts, counts those that could not be kept, and makes room.
    pub fn keep_attempts(&self, attempts: &[Attempt], missed: &[Missed], now: UnixMillis) -> Answer<()> {
        let Inner { connection, counts } = &mut *self.inner.lock();
        attempts::keep(connection, counts, (attempts, missed), self.room, now).map_err(|error| failed(&error))
    }

    /// An account's attempts, newest first.
    pub fn attempts(&self, query: &AttemptQuery) -> Answer<AttemptPage> {
        attempts::page(&self.inner.lock().connection, query).map_err(|error| failed(&error))
    }
}

/// The name in three columns from `first` on; `None` for a kind of event that this program does not know.
pub(super) fn name(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<EndpointName>> {
    let (kind, url): (Box<str>, Box<str>) = (row.get(first + 1)?, row.get(first + 2)?);
    let account = AccountId(row.get(first)?);
    let url = Some(url).filter(|url| !url.is_empty()).map(Arc::from);
    Ok(EventKind::by_name(&kind).map(|kind| EndpointName { account, kind, url }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { octets_max: 1 << 20, life_ms: 1_000 };

    fn a_name(account: u32, url: Option<&str>) -> EndpointName {
        EndpointName { account: AccountId(account), kind: EventKind::Status, url: url.map(Arc::from) }
    }

    #[test]
    fn trouble_is_remembered_by_name_until_it_ends() {
        let directory = tempfile::tempdir().unwrap();
        let database = WebhookDb::open(directory.path(), ROOM).unwrap();
        let own = EndpointTrouble {
            name: a_name(1, None),
            url: "https://example.com/".into(),
            since: UnixMillis(5),
            failures: 7,
            off: None,
        };
        let named = EndpointTrouble {
            name: a_name(1, Some("https://example.org/x")),
            off: Some((UnixMillis(9), OffReason::Failing)),
            ..own.clone()
        };
        database.keep_trouble(&own).unwrap();
        database.keep_trouble(&named).unwrap();
        let own = EndpointTrouble { failures: 8, off: Some((UnixMillis(8), OffReason::Gone)), ..own };
        database.keep_trouble(&own).unwrap();
        drop(database);
        let database = WebhookDb::open(directory.path(), ROOM).unwrap();
        assert_eq!(database.troubles().unwrap(), [own.clone(), named]);
        database.end_trouble(&own.name).unwrap();
        assert_eq!(database.troubles().unwrap().len(), 1);
    }

    #[test]
    fn a_file_that_is_no_database_is_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let old = Connection::open(directory.path().join(FILE)).unwrap();
        old.execute_batch("CREATE TABLE attempt (x); PRAGMA user_version=1").unwrap();
        drop(old);
        assert!(WebhookDb::open(directory.path(), ROOM).unwrap().troubles().unwrap().is_empty(), "of an older program");
        std::fs::write(directory.path().join(FILE), vec![7; 8_192]).unwrap();
        assert!(WebhookDb::open(directory.path(), ROOM).unwrap().troubles().unwrap().is_empty());
    }
}
