//! Reads and writes `webhooks.db`.

use std::path::Path;
use std::sync::Arc;

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::control::EventKind;
use domain::event::CallId;
use domain::fact::EventId;
use domain::id::AccountId;
use domain::webhook::{Attempt, EndpointName, EndpointTrouble, OffReason};
use parking_lot::Mutex;
use rusqlite::{Connection, Row, params};

use super::bounds::{ATTEMPTS_KEPT_MAX, TROUBLES_KEPT_MAX};
use super::schema::SCHEMA;
use crate::error::QuestionError;
use crate::question::{AttemptQuery, AttemptRecord};

/// File name for messages.
const FILE: &str = "webhooks.db";

/// The database; its callers are threads that may wait.
pub(crate) struct WebhookDb(Mutex<Connection>);

type Answer<T> = Result<T, QuestionError>;

fn failed(error: &rusqlite::Error) -> QuestionError {
    QuestionError::Failed { file: FILE.into(), reason: error.to_string().into() }
}

impl WebhookDb {
    /// Opens it, making it if there is none. One that can't be read is begun anew: nothing in it is promised.
    pub fn open(data_dir: &Path) -> rusqlite::Result<Self> {
        let path = data_dir.join(FILE);
        let open = || {
            let connection = Connection::open(&path)?;
            connection.execute_batch(SCHEMA)?;
            Ok(Self(Mutex::new(connection)))
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
        let connection = self.0.lock();
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
        let connection = self.0.lock();
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
        let connection = self.0.lock();
        let sql = "DELETE FROM endpoint WHERE account=?1 AND kind=?2 AND named_url=?3";
        let named = name.url.as_deref().unwrap_or_default();
        let ended = connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params![name.account.0, name.kind.name(), named]));
        ended.map(|_| ()).map_err(|error| failed(&error))
    }

    /// Keeps attempts; the oldest beyond [`ATTEMPTS_KEPT_MAX`] go.
    pub fn keep_attempts(&self, attempts: &[Attempt]) -> Answer<()> {
        let mut connection = self.0.lock();
        let mut keep = || {
            let transaction = connection.transaction()?;
            {
                let sql = "INSERT INTO attempt VALUES (NULL,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)";
                let mut statement = transaction.prepare_cached(sql)?;
                for attempt in attempts {
                    let events: Vec<String> = attempt.events.iter().map(ToString::to_string).collect();
                    statement.execute(params![
                        attempt.name.account.0,
                        attempt.name.kind.name(),
                        attempt.name.url.as_deref().unwrap_or_default(),
                        attempt.url,
                        attempt.call.0,
                        attempt.number,
                        attempt.at.0,
                        attempt.latency_ms,
                        attempt.http_status,
                        attempt.failure,
                        attempt.headers,
                        events.join(" "),
                        attempt.body_octets,
                        attempt.answer,
                    ])?;
                }
                let sql = "DELETE FROM attempt WHERE id <= (SELECT max(id) FROM attempt) - ?1";
                transaction.prepare_cached(sql)?.execute([ATTEMPTS_KEPT_MAX])?;
            }
            transaction.commit()
        };
        keep().map_err(|error| failed(&error))
    }

    /// An account's attempts, newest first.
    pub fn attempts(&self, query: &AttemptQuery) -> Answer<Vec<AttemptRecord>> {
        let connection = self.0.lock();
        let read = || {
            let sql = "SELECT id, account, kind, named_url, url, call, number, at, latency_ms, http_status, failure, headers, \
                       events, body_octets, answer FROM attempt WHERE account = ?1 AND id < ?2 \
                       AND (?3 = 0 OR http_status NOT BETWEEN 200 AND 299) ORDER BY id DESC LIMIT ?4";
            let mut statement = connection.prepare_cached(sql)?;
            let before = query.before.unwrap_or(i64::MAX);
            let rows =
                statement.query_map(params![query.account.0, before, query.failed_only, query.limit], attempt)?;
            rows.filter_map(Result::transpose).collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| failed(&error))
    }
}

/// The name in three columns from `first` on; `None` for a kind of event that this program does not know.
fn name(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<EndpointName>> {
    let (kind, url): (Box<str>, Box<str>) = (row.get(first + 1)?, row.get(first + 2)?);
    let account = AccountId(row.get(first)?);
    let url = Some(url).filter(|url| !url.is_empty()).map(Arc::from);
    Ok(EventKind::by_name(&kind).map(|kind| EndpointName { account, kind, url }))
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<Option<AttemptRecord>> {
    let Some(name) = name(row, 1)? else { return Ok(None) };
    let events: Box<str> = row.get(12)?;
    let attempt = Attempt {
        name,
        url: row.get(4)?,
        call: CallId(row.get(5)?),
        number: row.get(6)?,
        at: UnixMillis(row.get(7)?),
        latency_ms: row.get(8)?,
        http_status: row.get(9)?,
        failure: row.get(10)?,
        headers: row.get(11)?,
        events: events.split_ascii_whitespace().filter_map(EventId::parse).collect(),
        body_octets: row.get(13)?,
        answer: row.get(14)?,
    };
    Ok(Some(AttemptRecord { id: row.get(0)?, attempt }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::MessageId;

    fn a_name(account: u32, url: Option<&str>) -> EndpointName {
        EndpointName { account: AccountId(account), kind: EventKind::Status, url: url.map(Arc::from) }
    }

    fn an_attempt(account: u32, number: u16, http_status: u16) -> Attempt {
        Attempt {
            name: a_name(account, Some("https://example.org/x")),
            url: "https://example.org/x".into(),
            call: CallId([7; 16]),
            number,
            at: UnixMillis(1_800_000_000_000),
            latency_ms: 12,
            http_status,
            failure: "HTTP 500".into(),
            headers: "a: b\nc: d".into(),
            events: vec![EventId { message: MessageId(64), step: 1 }, EventId { message: MessageId(128), step: 300 }],
            body_octets: 320,
            answer: vec![0, 255, 7].into(),
        }
    }

    #[test]
    fn trouble_is_remembered_by_name_until_it_ends() {
        let directory = tempfile::tempdir().unwrap();
        let database = WebhookDb::open(directory.path()).unwrap();
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
        let database = WebhookDb::open(directory.path()).unwrap();
        assert_eq!(database.troubles().unwrap(), [own.clone(), named]);
        database.end_trouble(&own.name).unwrap();
        assert_eq!(database.troubles().unwrap().len(), 1);
    }

    #[test]
    fn attempts_come_newest_first_and_the_oldest_go() {
        let directory = tempfile::tempdir().unwrap();
        let database = WebhookDb::open(directory.path()).unwrap();
        let many: Vec<_> =
            (0..1_000).map(|number| an_attempt(1, number, if number % 2 == 0 { 200 } else { 0 })).collect();
        database.keep_attempts(&many).unwrap();
        database.keep_attempts(&[an_attempt(2, 1, 200)]).unwrap();
        let query = AttemptQuery { account: AccountId(1), before: None, failed_only: false, limit: 3 };
        let page = database.attempts(&query).unwrap();
        assert_eq!(
            page.iter().map(|record| record.attempt.clone()).collect::<Vec<_>>(),
            [&many[999], &many[998], &many[997]].map(Clone::clone)
        );
        let next = AttemptQuery { before: Some(page[2].id), failed_only: true, ..query };
        assert!(
            database
                .attempts(&next)
                .unwrap()
                .iter()
                .all(|record| record.attempt.http_status == 0 && record.id < page[2].id)
        );
        for _ in 0..20 {
            database.keep_attempts(&many).unwrap();
        }
        let count: i64 = database.0.lock().query_row("SELECT count(*) FROM attempt", [], |row| row.get(0)).unwrap();
        assert_eq!(count, ATTEMPTS_KEPT_MAX);
    }

    #[test]
    fn a_file_that_is_no_database_is_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE), vec![7; 8_192]).unwrap();
        assert!(WebhookDb::open(directory.path()).unwrap().troubles().unwrap().is_empty());
    }
}
