//! `GET /v2.1/events/dead`: events that were given up and can be replayed.

use domain::fact::EventId;
use domain::id::MessageId;
use domain::limits::PAGE_ROWS_MAX;
use domain::problem::Problem;
use flow::tell::Told;
use serde::Serialize;

use super::events::{LIMIT_DEFAULT, told};
use crate::api::call::Call;
use crate::api::query::Parameters;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Rejection};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeadItem<'a> {
    #[serde(flatten)]
    told: Told<'a>,
    attempts: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_try_time: Option<i64>,
    http_status: u16,
}

/// Lists dead letters by id.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let parameters = Parameters::parse(&call.query)?;
    let limit = parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX)? as usize;
    let first = EventId { message: MessageId(0), step: 0 };
    let after = parameters.read("cursor", EventId::parse)?.unwrap_or(first);
    let letters = backend.dead_letters(call.caller.account.id, after, limit).await?;
    if letters.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    let next_cursor = letters.last().filter(|_| letters.len() == limit).map(|last| last.event.id.to_string());
    let item = |record| -> DeadItem<'_> {
        let record: &store::question::EventRecord = record;
        DeadItem {
            told: told(&record.event, &call.caller),
            attempts: record.event.attempts,
            last_try_time: record.last_try_at.map(|at| at.seconds()),
            http_status: record.http_status,
        }
    };
    let data: Vec<DeadItem<'_>> = letters.iter().map(item).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], Extra { next_cursor, ..Extra::default() }))
}
