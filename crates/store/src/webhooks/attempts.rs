//! Attempts to call webhooks: kept for some days and in a bounded room, and counted where they could not be kept.

use std::collections::HashMap;

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::event::CallId;
use domain::fact::EventId;
use domain::id::{AccountId, MessageId};
use domain::webhook::{Attempt, Missed};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::bounds::{ATTEMPTS_DROPPED_AT_ONCE, ROUNDS_MAX};
use super::database::name;
use crate::options::Options;
use crate::question::{AttemptPage, AttemptQuery, AttemptRecord};

/// Milliseconds of an hour, by which missed attempts are counted.
const HOUR_MS: i64 = 3_600_000;
/// Octets of an event id in a row.
const EVENT_OCTETS: usize = 10;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Octets that attempts of all accounts may take.
    pub octets_max: u64,
    /// How long they are kept.
    pub life_ms: i64,
}

impl Room {
    /// As the store is set up.
    pub fn of(options: &Options) -> Self {
        let days = i64::from(options.webhook_attempts_days);
        Self { octets_max: options.webhook_attempts_octets_max, life_ms: days * 24 * HOUR_MS }
    }
}

/// Attempts by account: who has the most makes room first.
pub(super) type Counts = HashMap<u32, i64>;

/// Counts what an earlier run left.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<Counts> {
    let mut statement = connection.prepare("SELECT account, count(*) FROM attempt GROUP BY account")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Keeps attempts, counts those that could not be kept, and makes room.
pub(super) fn keep(
    connection: &mut Connection,
    counts: &mut Counts,
    (attempts, missed): (&[Attempt], &[Missed]),
    room: Room,
    now: UnixMillis,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut new = counts.clone();
    insert(&transaction, attempts, &mut new)?;
    count_missed(&transaction, missed, now)?;
    drop_old(&transaction, &mut new, UnixMillis(now.0.saturating_sub(room.life_ms)))?;
    for _ in 0..ROUNDS_MAX {
        if octets(&transaction)? <= room.octets_max || !drop_of_largest(&transaction, &mut new)? {
            break;
        }
    }
    transaction.commit()?;
    *counts = new;
    Ok(())
}

fn insert(transaction: &Transaction<'_>, attempts: &[Attempt], counts: &mut Counts) -> rusqlite::Result<()> {
    let sql = "INSERT INTO attempt VALUES (NULL,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)";
    let mut statement = transaction.prepare_cached(sql)?;
    for attempt in attempts {
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
            event_octets(&attempt.events),
            attempt.body_octets,
            attempt.answer,
        ])?;
        *counts.entry(attempt.name.account.0).or_default() += 1;
    }
    Ok(())
}

fn event_octets(events: &[EventId]) -> Vec<u8> {
    events.iter().flat_map(|id| id.message.0.to_be_bytes().into_iter().chain(id.step.to_be_bytes())).collect()
}

fn events_of(octets: &[u8]) -> Vec<EventId> {
    let one = |octets: &[u8]| {
        let (message, step) = octets.split_at_checked(8)?;
        let message = MessageId(i64::from_be_bytes(message.try_into().ok()?));
        Some(EventId { message, step: u16::from_be_bytes(step.try_into().ok()?) })
    };
    octets.chunks_exact(EVENT_OCTETS).filter_map(one).collect()
}

fn count_missed(transaction: &Transaction<'_>, missed: &[Missed], now: UnixMillis) -> rusqlite::Result<()> {
    let sql = "INSERT INTO missed VALUES (?1,?2,?3) ON CONFLICT DO UPDATE SET attempts=attempts+?3";
    let mut statement = transaction.prepare_cached(sql)?;
    for one in missed {
        let attempts = i64::try_from(one.attempts).unwrap_or(i64::MAX);
        statement.execute(params![one.account.0, now.0 / HOUR_MS, attempts])?;
    }
    Ok(())
}

/// Drops what is older, and the counts of those times.
fn drop_old(transaction: &Transaction<'_>, counts: &mut Counts, before: UnixMillis) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM missed WHERE hour < ?1")?.execute([before.0 / HOUR_MS])?;
    let oldest = "SELECT at FROM attempt ORDER BY id LIMIT 1";
    for _ in 0..ROUNDS_MAX {
        let at: Option<i64> = transaction.prepare_cached(oldest)?.query_row([], |row| row.get(0)).optional()?;
        if at.is_none_or(|at| at >= before.0) {
            break;
        }
        let sql = "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt ORDER BY id LIMIT ?1) AND at < ?2 RETURNING account";
        let mut statement = transaction.prepare_cached(sql)?;
        let mut gone = statement.query(params![ATTEMPTS_DROPPED_AT_ONCE, before.0])?;
        while let Some(row) = gone.next()? {
            *counts.entry(row.get(0)?).or_default() -= 1;
        }
    }
    counts.retain(|_, count| *count > 0);
    Ok(())
}

/// Drops the oldest of the account that has the most; false if there is nothing to drop.
fn drop_of_largest(transaction: &Transaction<'_>, counts: &mut Counts) -> rusqlite::Result<bool> {
    let Some((&account, count)) = counts.iter_mut().max_by_key(|(_, count)| **count) else { return Ok(false) };
    let sql = "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt WHERE account = ?1 ORDER BY id LIMIT ?2)";
    let gone = transaction.prepare_cached(sql)?.execute(params![account, ATTEMPTS_DROPPED_AT_ONCE])?;
    *count -= i64::try_from(gone).unwrap_or(i64::MAX);
    if *count <= 0 || gone == 0 {
        counts.remove(&account);
    }
    Ok(gone > 0)
}

/// Octets of the pages in use: the file itself never becomes smaller, what is free in it is used again.
fn octets(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    let octets: i64 = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(octets.unsigned_abs())
}

/// A page of an account's attempts.
pub(super) fn page(connection: &Connection, query: &AttemptQuery) -> rusqlite::Result<AttemptPage> {
    let sql = "SELECT id, account, kind, named_url, url, call, number, at, latency_ms, http_status, failure, headers, \
               events, body_octets, answer FROM attempt WHERE account = ?1 AND id < ?2 \
               AND (?3 = 0 OR http_status NOT BETWEEN 200 AND 299) ORDER BY id DESC LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let before = query.before.unwrap_or(i64::MAX);
    let rows = statement.query_map(params![query.account.0, before, query.failed_only, query.limit], record)?;
    let records = rows.filter_map(Result::transpose).collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(AttemptPage { records, missed: missed_of(connection, query.account)? })
}

fn missed_of(connection: &Connection, account: AccountId) -> rusqlite::Result<u64> {
    let sql = "SELECT total(attempts) FROM missed WHERE account = ?1";
    let missed: f64 = connection.prepare_cached(sql)?.query_row([account.0], |row| row.get(0))?;
    Ok(missed as u64)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Option<AttemptRecord>> {
    let Some(name) = name(row, 1)? else { return Ok(None) };
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
        events: events_of(row.get_ref(12)?.as_blob_or_null()?.unwrap_or_default()),
        body_octets: row.get(13)?,
        answer: row.get(14)?,
    };
    Ok(Some(AttemptRecord { id: row.get(0)?, attempt }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::WebhookDb;
    use domain::control::EventKind;
    use domain::webhook::EndpointName;
    use std::time::Instant;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
    const WIDE: Room = Room { octets_max: u64::MAX, life_ms: HOUR_MS * 24 };

    fn an_attempt(account: u32, number: u16, http_status: u16, at: UnixMillis) -> Attempt {
        Attempt {
            name: EndpointName {
                account: AccountId(account),
                kind: EventKind::Status,
                url: Some("https://example.org/x".into()),
            },
            url: "https://example.org/x".into(),
            call: CallId([7; 16]),
            number,
            at,
            latency_ms: 12,
            http_status,
            failure: "HTTP 500".into(),
            headers: "name: value of usual length\n".repeat(16).into(),
            events: vec![EventId { message: MessageId(64), step: 1 }, EventId { message: MessageId(128), step: 300 }],
            body_octets: 320,
            answer: vec![0, 255, 7].into(),
        }
    }

    fn query(account: u32, limit: u32) -> AttemptQuery {
        AttemptQuery { account: AccountId(account), before: None, failed_only: false, limit }
    }

    fn count_of(database: &WebhookDb, account: u32) -> usize {
        database.attempts(&query(account, u32::MAX)).unwrap().records.len()
    }

    #[test]
    fn attempts_come_newest_first_and_survive_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let database = WebhookDb::open(directory.path(), WIDE).unwrap();
        let many: Vec<_> =
            (0..1_000).map(|number| an_attempt(1, number, if number % 2 == 0 { 200 } else { 0 }, NOW)).collect();
        database.keep_attempts(&many, &[], NOW).unwrap();
        database.keep_attempts(&[an_attempt(2, 1, 200, NOW)], &[], NOW).unwrap();
        drop(database);
        let database = WebhookDb::open(directory.path(), WIDE).unwrap();
        let page = database.attempts(&query(1, 3)).unwrap().records;
        assert_eq!(
            page.iter().map(|record| record.attempt.clone()).collect::<Vec<_>>(),
            [&many[999], &many[998], &many[997]].map(Clone::clone)
        );
        let next = AttemptQuery { before: Some(page[2].id), failed_only: true, ..query(1, 3) };
        let older = |record: &AttemptRecord| record.attempt.http_status == 0 && record.id < page[2].id;
        assert!(database.attempts(&next).unwrap().records.iter().all(older));
    }

    #[test]
    fn who_has_the_most_makes_room_and_the_oldest_go_first() {
        let directory = tempfile::tempdir().unwrap();
        let room = Room { octets_max: 4 << 20, ..WIDE };
        let database = WebhookDb::open(directory.path(), room).unwrap();
        database.keep_attempts(&vec![an_attempt(2, 1, 500, NOW); 500], &[], NOW).unwrap();
        for round in 0..20 {
            database.keep_attempts(&vec![an_attempt(1, round, 200, NOW); 1_000], &[], NOW).unwrap();
        }
        let kept = database.attempts(&query(1, u32::MAX)).unwrap().records;
        assert!((1_000..8_000).contains(&kept.len()), "{}", kept.len());
        assert_eq!((kept[0].attempt.number, count_of(&database, 2)), (19, 500), "the small account loses nothing");
        let octets: u64 = std::fs::metadata(directory.path().join("webhooks.db")).unwrap().len();
        assert!(octets < 8 << 20, "{octets}");
    }

    #[test]
    fn what_is_too_old_goes_with_its_count() {
        let directory = tempfile::tempdir().unwrap();
        let database = WebhookDb::open(directory.path(), WIDE).unwrap();
        let missed = [Missed { account: AccountId(1), attempts: 7 }];
        database.keep_attempts(&vec![an_attempt(1, 1, 200, NOW); 2_500], &missed, NOW).unwrap();
        database.keep_attempts(&[], &missed, NOW).unwrap();
        let (page, other) = (database.attempts(&query(1, 1)).unwrap(), database.attempts(&query(2, 1)).unwrap());
        assert_eq!((page.missed, other.missed), (14, 0));
        let later = NOW.plus_ms(WIDE.life_ms + HOUR_MS);
        database.keep_attempts(&[an_attempt(1, 2, 200, later)], &[], later).unwrap();
        assert_eq!((count_of(&database, 1), database.attempts(&query(1, 1)).unwrap().missed), (1, 0));
    }

    /// For the ADR: `cargo nextest run --release -p store nightly_cost_of_an_attempt --no-capture`.
    #[test]
    fn nightly_cost_of_an_attempt() {
        let directory = tempfile::tempdir().unwrap();
        let database = WebhookDb::open(directory.path(), Room { octets_max: 128 << 20, ..WIDE }).unwrap();
        let batch = vec![an_attempt(1, 1, 200, NOW); 1_000];
        let began = Instant::now();
        for _ in 0..300 {
            database.keep_attempts(&batch, &[], NOW).unwrap();
        }
        let each = began.elapsed() / 300_000;
        println!("{each:?} an attempt, making room included");
        assert!(each.as_micros() < 1_000, "{each:?}");
    }
}
