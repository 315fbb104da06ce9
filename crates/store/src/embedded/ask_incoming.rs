//! Questions about incoming messages.

use domain::clock::UnixMillis;
use domain::id::MessageId;
use domain::incoming::{IncomingMessage, IncomingPart};
use domain::lane::Lane;
use domain::limits::{OFFSET_MAX, PAGE_ROWS_MAX};
use domain::phone::Phone;
use domain::sender::Sender;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::database::Fault;
use super::filter::KeyKind;
use super::incoming_rows::{message, part};
use super::read::{damaged, prepare};
use super::search;
use super::shared::Shared;
use super::span::Span;
use super::sum::RowSum;
use crate::error::QuestionError;
use crate::question::{
    ConversationItem, ConversationPage, ConversationQuery, IncomingPage, IncomingQuery, OrderBy, SearchQuery,
};

/// How far ids may run ahead of or behind the time of arrival and still be found by date: long messages
/// are named when they are whole.
const ID_SLACK_MS: i64 = 3_600_000;

/// One page of incoming messages, newest first.
pub(crate) fn search(shared: &Shared, query: &IncomingQuery) -> Result<IncomingPage, QuestionError> {
    let mut skip = if query.after.is_some() { 0 } else { query.offset.min(OFFSET_MAX) as usize };
    let room = query.limit.min(PAGE_ROWS_MAX) as usize;
    let mut page = IncomingPage::default();
    let last = query.after.map_or(i64::MAX, |after| after.0 - 1);
    for span in shared.spans.newest_first().iter().filter(|span| span.name.lane == Lane::Standard) {
        let mut last = last.min(shared.spans.end_of(span).map_or(i64::MAX, |end| end.0 - 1));
        while last >= span.name.first.0 {
            let wanted = skip + room - page.rows.len() + 1;
            let ids = ids_in_span(shared, span, query, last, wanted)?;
            for id in &ids {
                if skip > 0 {
                    skip -= 1;
                } else if page.rows.len() == room {
                    page.next = page.rows.last().map(|row| row.id);
                    return Ok(page);
                } else {
                    page.rows.push(one(shared, span, *id)?);
                }
            }
            match ids.last() {
                Some(id) if ids.len() >= wanted => last = id - 1,
                _ => break,
            }
        }
    }
    Ok(page)
}

fn one(shared: &Shared, span: &Span, id: i64) -> Result<IncomingMessage, QuestionError> {
    shared.connections.with(span, |connection| {
        message(connection, MessageId(id), &mut RowSum::default())?.ok_or_else(|| damaged("incoming message", id))
    })
}

/// Matching messages of one span up to `last`, newest first, at most `wanted`.
fn ids_in_span(
    shared: &Shared,
    span: &Span,
    query: &IncomingQuery,
    last: i64,
    wanted: usize,
) -> Result<Vec<i64>, QuestionError> {
    let phone = query.phone.map(Phone::as_u64);
    if let Some(phone) = phone.filter(|_| span.is_sealed())
        && !span.filters.may_hold(KeyKind::Phone, phone, &shared.filter_budget)
    {
        return Ok(Vec::new());
    }
    let account = query.account.map_or(0, |account| account.0);
    let candidates = span.hot.read().as_ref().map(|index| index.incoming.find(account, phone));
    shared.connections.with(span, |connection| match candidates {
        None => matching(connection, query, (span.name.first.0, last), wanted),
        Some(ids) => {
            let mut found = Vec::new();
            for id in ids.into_iter().rev().filter(|id| *id <= last) {
                found.extend(matching(connection, query, (id, id), 1)?);
                if found.len() >= wanted {
                    break;
                }
            }
            Ok(found)
        }
    })
}

fn matching(
    connection: &Connection,
    query: &IncomingQuery,
    range: (i64, i64),
    wanted: usize,
) -> Result<Vec<i64>, Fault> {
    let mut first = range.0;
    if let Some(from) = query.from {
        first = first.max(MessageId::first_at(from.plus_ms(-ID_SLACK_MS)).0);
    }
    let mut sql = String::from("SELECT id FROM incoming WHERE account = ? AND id BETWEEN ? AND ?");
    let account = query.account.map_or(0, |account| i64::from(account.0));
    let mut values = vec![Value::from(account), first.into(), range.1.into()];
    let mut add = |condition: &str, value: Value| {
        sql.push_str(condition);
        values.push(value);
    };
    if let Some(phone) = query.phone {
        add(" AND phone = ?", phone.as_u64().cast_signed().into());
    }
    if let Some(number) = &query.number {
        add(" AND number = ?", number.to_string().into());
    }
    if let Some(keyword) = &query.keyword {
        add(" AND keyword = ?", keyword.to_string().into());
    }
    if let Some(from) = query.from {
        add(" AND at >= ?", from.0.into());
    }
    if let Some(to) = query.to {
        add(" AND at <= ?", to.0.into());
    }
    add(" ORDER BY id DESC LIMIT ?", i64::try_from(wanted).unwrap_or(i64::MAX).into());
    let mut statement = prepare(connection, &sql)?;
    let ids = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// One page of what a number and a person wrote to each other, newest first.
pub(crate) fn conversation(shared: &Shared, query: &ConversationQuery) -> Result<ConversationPage, QuestionError> {
    let room = query.limit.min(PAGE_ROWS_MAX);
    let incoming = search(
        shared,
        &IncomingQuery {
            phone: Some(query.phone),
            number: Some(query.number.clone()),
            limit: room,
            after: query.after,
            ..IncomingQuery::of(Some(query.account))
        },
    )?;
    let outgoing = match Sender::parse(&query.number) {
        Err(_) => crate::question::SearchPage::default(),
        Ok(sender) => search::search(
            shared,
            &SearchQuery {
                account: query.account,
                external_id: None,
                phone: Some(query.phone),
                senders: vec![sender],
                status: None,
                from: None,
                to: None,
                order_by: OrderBy::CreateTime,
                descending: true,
                offset: 0,
                limit: room,
                after: query.after,
            },
        )?,
    };
    let is_cut = incoming.next.is_some() || outgoing.next.is_some();
    let written = incoming.rows.into_iter().map(ConversationItem::Incoming);
    let sent = outgoing.rows.into_iter().map(|record| ConversationItem::Outgoing(Box::new(record)));
    let mut items: Vec<ConversationItem> = written.chain(sent).collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.id()));
    let more = is_cut || items.len() > room as usize;
    items.truncate(room as usize);
    let next = more.then(|| items.last().map(ConversationItem::id)).flatten();
    Ok(ConversationPage { items, next })
}

/// Messages that came at or after `since` and for which something is still to be done, oldest first.
pub(crate) fn unhandled(
    shared: &Shared,
    since: UnixMillis,
    limit: usize,
) -> Result<Vec<IncomingMessage>, QuestionError> {
    let sql = "SELECT id FROM incoming INDEXED BY incoming_unhandled WHERE handled = 0 ORDER BY id";
    let mut found = Vec::new();
    over_spans(shared, since, |span| {
        let hot = span.hot.read().as_ref().map(|index| index.incoming.unhandled());
        let messages = shared.connections.with(span, |connection| {
            let ids = hot.map_or_else(|| ids(connection, sql), Ok)?;
            let mut sum = RowSum::default();
            let read = ids.into_iter().filter_map(|id| message(connection, MessageId(id), &mut sum).transpose());
            read.take(limit).collect::<Result<Vec<_>, _>>()
        })?;
        found.extend(messages.into_iter().filter(|message| !message.handled && message.at >= since));
        Ok(())
    })?;
    found.truncate(limit);
    Ok(found)
}

/// Parts that came at or after `since` and are not in a whole message, oldest first, with whether their
/// message was told as far as it came; at most `limit`, the newest.
pub(crate) fn parts(
    shared: &Shared,
    since: UnixMillis,
    limit: usize,
) -> Result<Vec<(IncomingPart, bool)>, QuestionError> {
    let sql = "SELECT id FROM incoming_part INDEXED BY incoming_part_open WHERE state <> 1 ORDER BY id";
    let mut found = Vec::new();
    over_spans(shared, since, |span| {
        let hot = span.hot.read().as_ref().map(|index| index.incoming.parts());
        let mut parts = shared.connections.with(span, |connection| {
            let mut ids = hot.map_or_else(|| ids(connection, sql), Ok)?;
            ids.drain(..ids.len().saturating_sub(limit));
            let mut sum = RowSum::default();
            ids.into_iter()
                .filter_map(|id| part(connection, MessageId(id), &mut sum).transpose())
                .collect::<Result<Vec<_>, _>>()
        })?;
        parts.retain(|(part, _)| part.at >= since);
        found.append(&mut parts);
        Ok(())
    })?;
    found.drain(..found.len().saturating_sub(limit));
    Ok(found)
}

fn over_spans(
    shared: &Shared,
    since: UnixMillis,
    mut each: impl FnMut(&Span) -> Result<(), QuestionError>,
) -> Result<(), QuestionError> {
    for span in shared.spans.of_lane(Lane::Standard) {
        let is_over = shared.spans.end_of(&span).is_some_and(|end| end.created() < since.plus_ms(-ID_SLACK_MS));
        if !is_over && span.damage().is_none() {
            each(&span)?;
        }
    }
    Ok(())
}

fn ids(connection: &Connection, sql: &str) -> Result<Vec<i64>, Fault> {
    let mut statement = prepare(connection, sql)?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}
