//! Questions about events: what is to be told, what was given up, and all of them in order.
//!
//! The order of all events is that of their places, which the lane's writer gives out within the commits.
//! An index by the ids of messages would not do: a message can have its outcome days after it was accepted,
//! and whoever has read past its id would never see it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::event::Event;
use domain::fact::EventId;
use domain::id::{AccountId, MessageId};
use domain::lane::Lane;
use rusqlite::{Connection, params};

use super::ask_message::RequestMemo;
use super::database::Fault;
use super::event_rows;
use super::index::Logged;
use super::limits::PLACES_LOOKED_AT_MAX;
use super::read::prepare;
use super::shared::Shared;
use super::span::Span;
use crate::error::QuestionError;
use crate::question::{EventCursor, EventPage, EventRecord, Telling};

/// Events neither told nor given up, by id.
pub(crate) fn untold(shared: &Shared, lane: Lane, after: EventId, limit: usize) -> Result<Vec<Event>, QuestionError> {
    let mut found = Vec::new();
    for span in shared.spans.of_lane_after(lane, after.message, |span| span.untold.load(Ordering::Acquire)) {
        if found.len() >= limit {
            break;
        }
        // Cleared first: what a commit adds while the file is read sets it again.
        if !span.untold.swap(false, Ordering::AcqRel) {
            continue;
        }
        let result = in_state(shared, &span, Telling::Waiting, after, limit - found.len());
        let from_start = after.message < span.name.first;
        if !matches!(&result, Ok(records) if records.is_empty() && from_start) {
            span.untold.store(true, Ordering::Release);
        }
        found.extend(result?.into_iter().map(|record| record.event));
    }
    Ok(found)
}

/// An account's events that were given up, by id.
pub(crate) fn dead_letters(
    shared: &Shared,
    account: AccountId,
    after: EventId,
    limit: usize,
) -> Result<Vec<EventRecord>, QuestionError> {
    let mut found: Vec<EventRecord> = Vec::new();
    for lane in Lane::ALL {
        let mut of_lane = 0;
        for span in shared.spans.of_lane_after(lane, after.message, |span| span.dead.load(Ordering::Acquire)) {
            let mut after = after;
            while of_lane < limit {
                let page = in_state(shared, &span, Telling::GivenUp, after, limit)?;
                if page.is_empty() && after.message < span.name.first {
                    span.dead.store(false, Ordering::Release);
                }
                let Some(last) = page.last() else { break };
                after = last.event.id;
                let own = page.into_iter().filter(|record| record.event.account == account);
                let before = found.len();
                found.extend(own);
                of_lane += found.len() - before;
            }
        }
    }
    found.sort_by_key(|record| record.event.id);
    found.truncate(limit);
    Ok(found)
}

/// Events of a span in one state, by id: `limit` of them, or all that are left.
fn in_state(
    shared: &Shared,
    span: &Arc<Span>,
    telling: Telling,
    mut after: EventId,
    limit: usize,
) -> Result<Vec<EventRecord>, QuestionError> {
    let mut records = Vec::new();
    // What a commit has just moved on may still be among the ids: then there are more behind them, and whoever asks
    // must not take a short answer for the end.
    while records.len() < limit {
        let wanted = limit - records.len();
        let (ids, found) = page_in_state(shared, span, telling, after, wanted)?;
        records.extend(found);
        match ids.last() {
            Some(last) if ids.len() == wanted => after = *last,
            _ => break,
        }
    }
    Ok(records)
}

/// The next ids of a span in one state, and the events among them that are in it.
fn page_in_state(
    shared: &Shared,
    span: &Arc<Span>,
    telling: Telling,
    after: EventId,
    limit: usize,
) -> Result<(Vec<EventId>, Vec<EventRecord>), QuestionError> {
    let is_waiting = telling == Telling::Waiting;
    let in_memory = span
        .hot
        .read()
        .as_ref()
        .map(|index| if is_waiting { index.untold_after(after, limit) } else { index.dead_after(after, limit) });
    shared.connections.with(span, |connection| {
        let ids = match in_memory {
            Some(ids) => ids,
            None => ids_in_state(connection, is_waiting, after, limit)?,
        };
        let mut memo = RequestMemo::new(shared);
        let mut records = Vec::with_capacity(ids.len());
        for id in &ids {
            let record = event_rows::event(connection, *id, &mut memo)?;
            records.extend(record.filter(|record| record.telling == telling));
        }
        Ok((ids, records))
    })
}

fn ids_in_state(
    connection: &Connection,
    is_waiting: bool,
    after: EventId,
    limit: usize,
) -> Result<Vec<EventId>, Fault> {
    let (of_steps, of_notices) = if is_waiting {
        (
            "SELECT message_id, number FROM step INDEXED BY step_untold WHERE event = 1 AND (message_id, number) > (?1, ?2) \
             ORDER BY message_id, number LIMIT ?3",
            "SELECT id, 0 FROM notice INDEXED BY notice_untold WHERE event = 1 AND (id, 0) > (?1, ?2) ORDER BY id LIMIT ?3",
        )
    } else {
        (
            "SELECT message_id, number FROM step INDEXED BY step_dead WHERE event = 3 AND (message_id, number) > (?1, ?2) \
             ORDER BY message_id, number LIMIT ?3",
            "SELECT id, 0 FROM notice INDEXED BY notice_dead WHERE event = 3 AND (id, 0) > (?1, ?2) ORDER BY id LIMIT ?3",
        )
    };
    let mut found: Vec<EventId> = Vec::new();
    for sql in [of_steps, of_notices] {
        let mut statement = prepare(connection, sql)?;
        let parameters = params![after.message.0, after.step, i64::try_from(limit).unwrap_or(i64::MAX)];
        let ids = statement
            .query_map(parameters, |row| Ok(EventId { message: MessageId(row.get(0)?), step: row.get(1)? }))?;
        for id in ids {
            found.push(id?);
        }
    }
    found.sort_unstable();
    found.truncate(limit);
    Ok(found)
}

/// The account's events among `ids`.
pub(crate) fn by_id(shared: &Shared, account: AccountId, ids: &[EventId]) -> Result<Vec<EventRecord>, QuestionError> {
    let mut records = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(span) = shared.spans.of(id.message) else { continue };
        let found = shared
            .connections
            .with(&span, |connection| event_rows::event(connection, *id, &mut RequestMemo::new(shared)))?;
        records.extend(found.filter(|record| record.event.account == account));
    }
    Ok(records)
}

/// Places of one lane that belong to a page, and how far they reach.
struct Stretch {
    places: Vec<Logged>,
    /// Up to here nothing is missing.
    end: i64,
}

/// All events of an account after a cursor, in the order of their places.
pub(crate) fn events(
    shared: &Shared,
    account: AccountId,
    after: EventCursor,
    limit: usize,
) -> Result<EventPage, QuestionError> {
    // Taken first: what becomes durable while the files are read is left for the next page.
    let ends = Lane::ALL.map(|lane| shared.log_ends[lane.index()].load(Ordering::Acquire));
    let mut next = after;
    let mut more = false;
    let mut merged = Vec::new();
    let mut stretches = Vec::new();
    for lane in Lane::ALL {
        let (from, end) = (after.0[lane.index()].0, ends[lane.index()]);
        let stretch = stretch(shared, lane, account, (from, end), limit)?;
        merged.extend(stretch.places.iter().copied());
        stretches.push((lane, stretch, end));
    }
    merged.sort_unstable_by_key(|place| place.position);
    merged.truncate(limit);
    for (lane, stretch, end) in stretches {
        let of_lane = |place: &&Logged| place.event.message.lane() == lane;
        let taken = merged.iter().filter(of_lane).count();
        let reached = match merged.iter().rfind(of_lane) {
            _ if taken == stretch.places.len() => stretch.end,
            Some(last) => last.position,
            None => after.0[lane.index()].0,
        };
        let slot = &mut next.0[lane.index()];
        *slot = MessageId(reached.max(slot.0));
        more |= reached < end;
    }
    let mut records = Vec::with_capacity(merged.len());
    let mut memo = (MessageId(0), RequestMemo::new(shared));
    for place in merged {
        let Some(span) = shared.spans.of(place.event.message) else { continue };
        if memo.0 != span.name.first {
            memo = (span.name.first, RequestMemo::new(shared));
        }
        match shared.connections.with(&span, |connection| event_rows::event(connection, place.event, &mut memo.1)) {
            Ok(record) => records.extend(record),
            // It has been logged; one bad row must not end the reading for ever.
            Err(QuestionError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(EventPage { events: records, next, more })
}

fn stretch(
    shared: &Shared,
    lane: Lane,
    account: AccountId,
    (after, end): (i64, i64),
    limit: usize,
) -> Result<Stretch, QuestionError> {
    let mut all = Stretch { places: Vec::new(), end };
    for span in shared.spans.of_lane(lane) {
        if span.last_position.load(Ordering::Acquire) <= after {
            continue;
        }
        let own = places_in(shared, &span, account, (after, end), limit)?;
        all.places.extend(own.places);
        all.end = all.end.min(own.end);
    }
    all.places.sort_unstable_by_key(|place| place.position);
    all.places.retain(|place| place.position <= all.end);
    if all.places.len() > limit {
        all.places.truncate(limit);
        all.end = all.places.last().map_or(all.end, |last| last.position);
    }
    Ok(all)
}

/// The first places of an account in one span.
fn places_in(
    shared: &Shared,
    span: &Arc<Span>,
    account: AccountId,
    (after, end): (i64, i64),
    limit: usize,
) -> Result<Stretch, QuestionError> {
    let in_memory =
        span.hot.read().as_ref().map(|index| gather(index.logged_between(after, end).copied(), account, end, limit));
    match in_memory {
        Some(stretch) => Ok(stretch),
        None => shared.connections.with(span, |connection| {
            let mut places = Vec::new();
            for sql in [
                "SELECT position, account, message_id, number FROM step INDEXED BY step_position \
                 WHERE position > 0 AND position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3",
                "SELECT position, account, id, 0 FROM notice INDEXED BY notice_position \
                 WHERE position > 0 AND position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3",
            ] {
                let mut statement = prepare(connection, sql)?;
                let most = i64::try_from(PLACES_LOOKED_AT_MAX).unwrap_or(i64::MAX);
                let mut rows = statement.query(params![after, end, most])?;
                while let Some(row) = rows.next()? {
                    let event = EventId { message: MessageId(row.get(2)?), step: row.get(3)? };
                    places.push(Logged { position: row.get(0)?, account: AccountId(row.get(1)?), event });
                }
            }
            places.sort_unstable_by_key(|place| place.position);
            Ok(gather(places.into_iter(), account, end, limit))
        }),
    }
}

/// Takes an account's places out of a row of them, as many as are wanted and as far as may be looked.
fn gather(places: impl Iterator<Item = Logged>, account: AccountId, end: i64, limit: usize) -> Stretch {
    let mut stretch = Stretch { places: Vec::new(), end };
    for (count, place) in places.enumerate() {
        if place.account == account {
            stretch.places.push(place);
        }
        if stretch.places.len() >= limit || count + 1 >= PLACES_LOOKED_AT_MAX {
            stretch.end = place.position;
            break;
        }
    }
    stretch
}
