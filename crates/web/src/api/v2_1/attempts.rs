//! `GET /v2.1/webhooks/attempts`: what was sent to the account's endpoints lately, and what came back.

use domain::choice::Choice;
use domain::limits::PAGE_ROWS_MAX;
use domain::problem::Problem;
use serde::Serialize;
use store::question::{AttemptPage, AttemptQuery, AttemptRecord};

use super::events::LIMIT_DEFAULT;
use crate::api::call::Call;
use crate::api::query::Parameters;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Rejection};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttemptItem<'a> {
    id: i64,
    event: &'static str,
    url: &'a str,
    request_id: String,
    attempt: u16,
    time: i64,
    latency_ms: u32,
    /// 0 where no answer came.
    http_status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    failure: &'a str,
    headers: Vec<&'a str>,
    event_ids: Vec<String>,
    body_octets: u32,
    answer: String,
}

/// Lists attempts, newest first.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let parameters = Parameters::parse(&call.query)?;
    let limit = parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX)?;
    let before = parameters.read("cursor", |text| text.parse().ok())?;
    let failed_only = parameters.read("failed", flag)?.unwrap_or(false);
    let query = AttemptQuery { account: call.caller.account.id, before, failed_only, limit };
    let AttemptPage { records, missed } = backend.attempts(query).await?;
    let not_kept = Some(missed).filter(|missed| *missed > 0);
    if records.is_empty() {
        let extra = Extra { not_kept, ..Extra::default() };
        return Ok(Answer::refused_with(call.uniq_id, &Problem::NothingFound.into(), extra));
    }
    let is_full = records.len() == limit as usize;
    let next_cursor = records.last().filter(|_| is_full).map(|last| last.id.to_string());
    let data: Vec<AttemptItem<'_>> = records.iter().map(item).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], Extra { next_cursor, not_kept, ..Extra::default() }))
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

fn item(AttemptRecord { id, attempt }: &AttemptRecord) -> AttemptItem<'_> {
    AttemptItem {
        id: *id,
        event: attempt.name.kind.name(),
        url: &attempt.url,
        request_id: attempt.call.to_string(),
        attempt: attempt.number,
        time: attempt.at.seconds(),
        latency_ms: attempt.latency_ms,
        http_status: attempt.http_status,
        failure: &attempt.failure,
        headers: attempt.headers.lines().collect(),
        event_ids: attempt.events.iter().map(ToString::to_string).collect(),
        body_octets: attempt.body_octets,
        answer: String::from_utf8_lossy(&attempt.answer).into_owned(),
    }
}
