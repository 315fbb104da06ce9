//! Clicks on short links: rows of their own in the span that takes new messages, whatever span the
//! message lies in, so that a click costs one commit that others share.

use domain::click::{Agent, Click, Network};
use domain::clock::UnixMillis;
use domain::id::{AccountId, MessageId};
use domain::link::LinkId;
use rusqlite::{Connection, Row, params};

use super::ask_message::RequestMemo;
use super::database::Fault;
use super::read::{self, prepare};
use super::shared::Shared;
use super::sum::RowSum;
use crate::error::QuestionError;
use crate::question::{ClickPage, ClickQuery, ClickRecord, ClickSum, LinkTarget};

const COLUMNS: &str = "id, message_id, link, account, at, agent, network, check_sum";

/// From this code on, agents are no people.
const FIRST_PROGRAM: u8 = Agent::Bot.code();

/// Keeps a click.
pub(crate) fn write(connection: &Connection, click: &Click, sum: &mut RowSum) -> Result<(), Fault> {
    let network = click.network.to_string();
    let check_sum = click_sum(click, &network, sum);
    prepare(connection, "INSERT OR REPLACE INTO click VALUES (?1,?2,?3,?4,?5,?6,?7,?8)")?.execute(params![
        click.id.0,
        click.link.message.0,
        click.link.link,
        click.account.0,
        click.at.0,
        click.agent.code(),
        network,
        check_sum,
    ])?;
    Ok(())
}

fn click_sum(click: &Click, network: &str, sum: &mut RowSum) -> i64 {
    sum.begin().int(click.id.0).int(click.link.message.0).int(i64::from(click.link.link));
    sum.int(i64::from(click.account.0)).int(click.at.0).int(i64::from(click.agent.code())).text(network).finish()
}

/// Reads a row of [`COLUMNS`], which are all columns of the table in its order.
pub(crate) fn click_row(row: &Row<'_>, sum: &mut RowSum) -> Result<Click, Fault> {
    let id: i64 = row.get(0)?;
    let wrong = || read::damaged("click", id);
    let network = row.get_ref(6)?.as_str()?;
    let click = Click {
        id: MessageId(id),
        link: LinkId { message: MessageId(row.get(1)?), link: row.get(2)? },
        account: AccountId(row.get(3)?),
        at: UnixMillis(row.get(4)?),
        agent: Agent::from_code(row.get(5)?).ok_or_else(wrong)?,
        network: Network::parse(network).ok_or_else(wrong)?,
    };
    if click_sum(&click, network, sum) == row.get::<_, i64>(7)? { Ok(click) } else { Err(wrong()) }
}

/// Where a link leads, if its message is kept and has that many links.
pub(crate) fn link(shared: &Shared, id: LinkId) -> Result<Option<LinkTarget>, QuestionError> {
    let Some(span) = shared.spans.of(id.message) else { return Ok(None) };
    shared.connections.with(&span, |connection| target(connection, id, &mut RequestMemo::new(shared)))
}

fn target(connection: &Connection, id: LinkId, memo: &mut RequestMemo) -> Result<Option<LinkTarget>, Fault> {
    let Some(row) = read::message(connection, id.message, &mut memo.sum)? else { return Ok(None) };
    let stored = memo.request(connection, row.request_id)?;
    let request = &stored.request;
    let url = request.links.as_ref().and_then(|links| links.url(&request.text, id.link));
    Ok(url.map(|url| LinkTarget {
        account: row.account,
        external_id: stored.external_id(id.message).into(),
        phone: row.phone,
        url: url.into(),
    }))
}

/// One page of clicks, newest first.
pub(crate) fn clicks(shared: &Shared, query: &ClickQuery) -> Result<ClickPage, QuestionError> {
    let room = query.limit.min(domain::limits::PAGE_ROWS_MAX) as usize;
    let mut found: Vec<Click> = Vec::new();
    let mut spans = shared.spans.of_lane(domain::lane::Lane::Standard);
    spans.reverse();
    let (first, last) = id_range(query);
    for span in spans {
        let ends = shared.spans.end_of(&span).map_or(i64::MAX, |end| end.0);
        if span.name.first.0 > last || ends <= first || found.len() > room {
            continue;
        }
        let wanted = room + 1 - found.len();
        let sealed = span.is_sealed();
        found.extend(
            shared.connections.with(&span, |connection| page(connection, query, (first, last), sealed, wanted))?,
        );
    }
    let more = found.len() > room;
    found.truncate(room);
    let next = if more { found.last().map(|click| click.id) } else { None };
    let rows = found.into_iter().map(|click| record(shared, click)).collect::<Result<_, _>>()?;
    Ok(ClickPage { rows, next })
}

/// Ids of clicks that the query can mean.
fn id_range(query: &ClickQuery) -> (i64, i64) {
    let from = query.from.map_or(0, |from| MessageId::first_at(from.plus_ms(-ID_SLACK_MS)).0);
    let to = query.to.map_or(i64::MAX, |to| MessageId::first_at(to.plus_ms(ID_SLACK_MS)).0);
    let after = query.after.map_or(i64::MAX, |after| after.0 - 1);
    // Nobody clicks before there is a message.
    let first = query.messages.iter().map(|message| message.0).min().unwrap_or(0);
    (from.max(first), to.min(after))
}

/// How far ids may run ahead of or behind the clock and still be found by date.
const ID_SLACK_MS: i64 = 3_600_000;

fn page(
    connection: &Connection,
    query: &ClickQuery,
    (first, last): (i64, i64),
    is_sealed: bool,
    wanted: usize,
) -> Result<Vec<Click>, Fault> {
    let of_all = query.messages.is_empty();
    let index = match (is_sealed, of_all) {
        (false, _) => "NOT INDEXED",
        (true, true) => "INDEXED BY click_account",
        (true, false) => "INDEXED BY click_message",
    };
    let of_messages = if of_all { "?8 IS NOT NULL" } else { "message_id IN (SELECT value FROM json_each(?8))" };
    let messages: Vec<i64> = query.messages.iter().map(|message| message.0).collect();
    let messages = serde_json::to_string(&messages).map_err(|error| Fault::Other(error.to_string()))?;
    let sql = format!(
        "SELECT {COLUMNS} FROM click {index} WHERE account = ?1 AND id BETWEEN ?2 AND ?3 AND at BETWEEN ?4 AND ?5 \
         AND (?6 OR agent < {FIRST_PROGRAM}) AND {of_messages} ORDER BY id DESC LIMIT ?7"
    );
    let from = query.from.map_or(i64::MIN, |from| from.0);
    let to = query.to.map_or(i64::MAX, |to| to.0);
    let mut statement = prepare(connection, &sql)?;
    let limit = i64::try_from(wanted).unwrap_or(i64::MAX);
    let mut rows =
        statement.query(params![query.account.0, first, last, from, to, query.with_programs, limit, messages])?;
    let (mut clicks, mut sum) = (Vec::new(), RowSum::default());
    while let Some(row) = rows.next()? {
        clicks.push(click_row(row, &mut sum)?);
    }
    Ok(clicks)
}

/// A click with what its message says; nothing of the latter when that is not kept any more.
fn record(shared: &Shared, click: Click) -> Result<ClickRecord, QuestionError> {
    let target = link(shared, click.link)?;
    Ok(ClickRecord { click, target })
}

/// Clicks of people on the links of a message, and the first of them.
pub(crate) fn click_sum_of(shared: &Shared, message: MessageId) -> Result<ClickSum, QuestionError> {
    let mut sum = ClickSum::default();
    for span in shared.spans.of_lane_after(domain::lane::Lane::Standard, message, |_| true) {
        let index = if span.is_sealed() { "INDEXED BY click_message" } else { "NOT INDEXED" };
        let sql =
            format!("SELECT min(at), count(*) FROM click {index} WHERE message_id = ?1 AND agent < {FIRST_PROGRAM}");
        let (first, clicks) = shared.connections.with(&span, |connection| {
            let own = prepare(connection, &sql)?
                .query_row([message.0], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, i64>(1)?)))?;
            Ok(own)
        })?;
        sum.clicks += clicks.unsigned_abs();
        sum.first_at = sum.first_at.into_iter().chain(first.map(UnixMillis)).min();
    }
    Ok(sum)
}
