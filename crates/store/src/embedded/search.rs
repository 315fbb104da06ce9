//! Lists of messages: keyset pages over all spans.

use std::fmt::Write;
use std::sync::Arc;

use domain::id::MessageId;
use domain::limits::{OFFSET_MAX, PAGE_ROWS_MAX};
use domain::state::Status;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::ask_message::{self, RequestMemo};
use super::database::Fault;
use super::filter::KeyKind;
use super::read::{self, prepare};
use super::shared::Shared;
use super::span::Span;
use crate::error::QuestionError;
use crate::question::{MessageRecord, OrderBy, SearchPage, SearchQuery};

/// Messages that can be ordered by `externalId`, which no index helps with.
const SORTED_MAX: usize = 20_000;
/// How far ids may run ahead of or behind the time of acceptance and still be found by date.
const ID_SLACK_MS: i64 = 3_600_000;
/// An account with a smaller share of an unsealed span than one in this many is listed by its own ids.
const SMALL_SHARE: usize = 8;

/// One page of a list.
pub(crate) fn search(shared: &Shared, query: &SearchQuery) -> Result<SearchPage, QuestionError> {
    let mut page = Page {
        skip: query.offset.min(OFFSET_MAX) as usize,
        room: query.limit.min(PAGE_ROWS_MAX) as usize,
        more: false,
        rows: Vec::new(),
    };
    if page.room == 0 {
        return Ok(SearchPage::default());
    }
    match query.order_by {
        OrderBy::CreateTime => {
            if query.after.is_some() {
                page.skip = 0;
            }
            by_time(shared, query, &mut page)?;
            let next = page.more.then(|| page.rows.last().map(|row| row.id)).flatten();
            return Ok(SearchPage { rows: page.rows, next });
        }
        OrderBy::Status => {
            let mut statuses = Status::ALL.to_vec();
            if query.descending {
                statuses.reverse();
            }
            statuses.retain(|status| query.status.is_none_or(|wanted| wanted == *status));
            for status in statuses {
                let of_status = SearchQuery { status: Some(status), after: None, ..query.clone() };
                by_time(shared, &of_status, &mut page)?;
            }
        }
        OrderBy::ExternalId => by_external_id(shared, query, &mut page)?,
    }
    Ok(SearchPage { rows: page.rows, next: None })
}

/// A page being filled.
struct Page {
    skip: usize,
    room: usize,
    /// A row would have followed.
    more: bool,
    rows: Vec<MessageRecord>,
}

impl Page {
    fn is_full(&self) -> bool {
        self.more
    }

    /// Rows that still have to be looked at, with one more to know whether any follows.
    fn wanted(&self) -> usize {
        self.skip + self.room - self.rows.len() + 1
    }

    /// Takes in a matching message; the record is only read when it is on the page.
    fn take<E>(&mut self, record: impl FnOnce() -> Result<MessageRecord, E>) -> Result<(), E> {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.rows.len() < self.room {
            self.rows.push(record()?);
        } else {
            self.more = true;
        }
        Ok(())
    }
}

fn by_external_id(shared: &Shared, query: &SearchQuery, page: &mut Page) -> Result<(), QuestionError> {
    let everything = SearchQuery { order_by: OrderBy::CreateTime, after: None, ..query.clone() };
    let mut all = Page { skip: 0, room: SORTED_MAX, more: false, rows: Vec::new() };
    by_time(shared, &everything, &mut all)?;
    if all.more {
        return Err(QuestionError::TooMany);
    }
    all.rows.sort_by(|one, other| {
        let order = (&one.external_id, one.id).cmp(&(&other.external_id, other.id));
        if query.descending { order.reverse() } else { order }
    });
    for record in all.rows {
        page.take(|| Ok::<_, QuestionError>(record))?;
    }
    Ok(())
}

fn by_time(shared: &Shared, query: &SearchQuery, page: &mut Page) -> Result<(), QuestionError> {
    if let Some(external_id) = &query.external_id {
        return by_reference(shared, query, external_id, page);
    }
    let (first, last) = id_range(query);
    let mut spans = Vec::clone(&shared.spans.newest_first());
    if !query.descending {
        spans.reverse();
    }
    // Ids of the two lanes interleave, so a span of one lane is merged with those of the other that overlap it.
    let mut lanes: [Vec<Arc<Span>>; 2] = [Vec::new(), Vec::new()];
    for span in spans {
        let begins = span.name.first.0;
        let ends = shared.spans.end_of(&span).map_or(i64::MAX, |end| end.0);
        if begins <= last && ends > first {
            lanes[span.name.lane.index()].push(span);
        }
    }
    let mut sources = lanes.map(|spans| Source { spans, next: 0, ids: Vec::new(), place: 0, continue_at: None });
    loop {
        if page.is_full() {
            return Ok(());
        }
        for source in &mut sources {
            source.fill(shared, query, (first, last), page.wanted())?;
        }
        let heads = [sources[0].head(), sources[1].head()];
        let pick = match heads {
            [None, None] => return Ok(()),
            [Some(_), None] => 0,
            [None, Some(_)] => 1,
            [Some(one), Some(other)] => usize::from((one > other) != query.descending),
        };
        if let Some((span, id)) = sources[pick].pop() {
            page.take(|| record(shared, &span, id))?;
        }
    }
}

fn record(shared: &Shared, span: &Span, id: i64) -> Result<MessageRecord, QuestionError> {
    shared.connections.with(span, |connection| {
        let mut memo = RequestMemo::new(shared);
        let row =
            read::message(connection, MessageId(id), &mut memo.sum)?.ok_or_else(|| read::damaged("message", id))?;
        memo.record(connection, row)
    })
}

/// Matching ids of one lane, span after span.
struct Source {
    spans: Vec<Arc<Span>>,
    /// The span after the one `ids` are from.
    next: usize,
    ids: Vec<i64>,
    place: usize,
    /// The current span may hold more after this id.
    continue_at: Option<i64>,
}

impl Source {
    fn head(&self) -> Option<i64> {
        self.ids.get(self.place).copied()
    }

    fn pop(&mut self) -> Option<(Arc<Span>, i64)> {
        let id = self.head()?;
        self.place += 1;
        let span = self.spans.get(self.next.checked_sub(1)?)?;
        Some((Arc::clone(span), id))
    }

    fn fill(
        &mut self,
        shared: &Shared,
        query: &SearchQuery,
        range: (i64, i64),
        wanted: usize,
    ) -> Result<(), QuestionError> {
        while self.place >= self.ids.len() {
            let (span, range) = match self.continue_at.take() {
                Some(id) if query.descending => (self.spans.get(self.next - 1), (range.0, id - 1)),
                Some(id) => (self.spans.get(self.next - 1), (id + 1, range.1)),
                None => {
                    self.next += 1;
                    (self.spans.get(self.next - 1), range)
                }
            };
            let Some(span) = span.map(Arc::clone) else {
                self.next = self.spans.len();
                return Ok(());
            };
            self.ids = ids_in_span(shared, &span, query, range, wanted)?;
            self.place = 0;
            if self.ids.len() >= wanted {
                self.continue_at = self.ids.last().copied();
            }
        }
        Ok(())
    }
}

/// Matching messages of one span in order, at most `wanted`.
fn ids_in_span(
    shared: &Shared,
    span: &Span,
    query: &SearchQuery,
    range: (i64, i64),
    wanted: usize,
) -> Result<Vec<i64>, QuestionError> {
    if let Some(phone) = query.phone.filter(|_| span.is_sealed())
        && !span.filters.may_hold(KeyKind::Phone, phone.as_u64(), &shared.filter_budget)
    {
        return Ok(Vec::new());
    }
    let candidates = span.hot.read().as_ref().and_then(|index| match query.phone {
        Some(phone) => {
            let mut ids = index.to_phone(phone.as_u64(), usize::MAX);
            ids.sort_unstable();
            Some(ids)
        }
        None => (index.account_messages(query.account) * SMALL_SHARE <= index.len())
            .then(|| index.of_account(query.account)),
    });
    shared.connections.with(span, |connection| match candidates {
        Some(mut ids) => {
            ids.retain(|id| (range.0..=range.1).contains(id));
            if query.descending {
                ids.reverse();
            }
            among(connection, query, &ids, wanted)
        }
        None => matching(connection, query, range, None, wanted),
    })
}

fn among(connection: &Connection, query: &SearchQuery, ids: &[i64], wanted: usize) -> Result<Vec<i64>, Fault> {
    let mut found = Vec::new();
    for id in ids {
        found.extend(matching(connection, query, (*id, *id), Some(*id), 1)?);
        if found.len() >= wanted {
            break;
        }
    }
    Ok(found)
}

/// Runs the filters over a range of ids, or over one id.
fn matching(
    connection: &Connection,
    query: &SearchQuery,
    range: (i64, i64),
    only: Option<i64>,
    wanted: usize,
) -> Result<Vec<i64>, Fault> {
    let mut sql = String::from("SELECT m.id FROM message m WHERE m.account = ?");
    let mut values = vec![Value::from(i64::from(query.account.0))];
    match only {
        Some(id) => {
            sql.push_str(" AND m.id = ?");
            values.push(id.into());
        }
        None => {
            sql.push_str(" AND m.id BETWEEN ? AND ?");
            values.extend([Value::from(range.0), Value::from(range.1)]);
        }
    }
    if let Some(phone) = query.phone {
        sql.push_str(" AND m.phone = ?");
        values.push(phone.as_u64().cast_signed().into());
    }
    if let Some(status) = query.status {
        // Not to be looked up by the indexes of open messages: the order by id is worth more.
        sql.push_str(" AND +m.status = ?");
        values.push(i64::from(status.code()).into());
    }
    let mut of_request = String::new();
    if !query.senders.is_empty() {
        let _ = write!(of_request, " AND r.sender IN (?{})", ", ?".repeat(query.senders.len() - 1));
        values.extend(query.senders.iter().map(|sender| Value::from(sender.as_str().to_owned())));
    }
    if let Some(from) = query.from {
        of_request.push_str(" AND r.accepted_at >= ?");
        values.push(from.0.into());
    }
    if let Some(to) = query.to {
        of_request.push_str(" AND r.accepted_at <= ?");
        values.push(to.0.into());
    }
    if !of_request.is_empty() {
        let _ = write!(sql, " AND EXISTS (SELECT 1 FROM request r WHERE r.id = m.request_id{of_request})");
    }
    sql.push_str(if query.descending { " ORDER BY m.id DESC LIMIT ?" } else { " ORDER BY m.id LIMIT ?" });
    values.push(i64::try_from(wanted).unwrap_or(i64::MAX).into());
    let mut statement = prepare(connection, &sql)?;
    let ids = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The ids that can match, both ends included.
fn id_range(query: &SearchQuery) -> (i64, i64) {
    let mut first = query.from.map_or(0, |from| MessageId::first_at(from.plus_ms(-ID_SLACK_MS)).0);
    let mut last = query.to.map_or(i64::MAX, |to| MessageId::first_at(to.plus_ms(ID_SLACK_MS)).0);
    match query.after {
        Some(after) if query.descending => last = last.min(after.0 - 1),
        Some(after) => first = first.max(after.0 + 1),
        None => {}
    }
    (first, last)
}

fn by_reference(shared: &Shared, query: &SearchQuery, external_id: &str, page: &mut Page) -> Result<(), QuestionError> {
    let (first, last) = id_range(query);
    let mut records = ask_message::find(shared, query.account, external_id)?;
    records.retain(|record| {
        (first..=last).contains(&record.id.0)
            && query.phone.is_none_or(|phone| phone == record.phone)
            && query.status.is_none_or(|status| status == record.status)
            && (query.senders.is_empty() || query.senders.contains(&record.sender))
            && query.from.is_none_or(|from| record.accepted_at >= from)
            && query.to.is_none_or(|to| record.accepted_at <= to)
    });
    records.sort_by_key(|record| record.id);
    records.dedup_by_key(|record| record.id);
    if query.descending {
        records.reverse();
    }
    for record in records {
        page.take(|| Ok::<_, QuestionError>(record))?;
    }
    Ok(())
}
