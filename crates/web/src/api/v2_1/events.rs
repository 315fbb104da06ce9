//! `GET /v2.1/events`: everything an account is told, whether it was told or not, from a cursor on.

use domain::control::EventKind;
use domain::event::Event;
use domain::limits::PAGE_ROWS_MAX;
use domain::problem::Problem;
use flow::tell::Told;
use store::question::EventCursor;

use super::filter::moment;
use crate::api::call::Call;
use crate::api::query::{Parameters, invalid};
use crate::auth::Caller;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Rejection};

/// Events of a page unless asked for otherwise.
pub(super) const LIMIT_DEFAULT: u32 = 100;
/// How often one call reads on where it found nothing of the account among other accounts' events.
const EMPTY_PAGES_MAX: usize = 20;

/// Lists events in the order in which they were written. `meta.nextCursor` is always there, also in the
/// 404 of a page without events: it is where to go on.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let parameters = Parameters::parse(&call.query)?;
    let limit = parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX)?;
    let cursor = parameters.read("cursor", EventCursor::parse)?;
    let since = parameters.read("dateFrom", moment)?;
    if cursor.is_some() && since.is_some() {
        return Err(invalid("dateFrom", "with a cursor").into());
    }
    let mut after = cursor.or_else(|| since.map(EventCursor::at)).unwrap_or_default();
    let mut events = Vec::new();
    for _ in 0..EMPTY_PAGES_MAX {
        let page = backend.events(call.caller.account.id, after, limit as usize).await?;
        after = page.next;
        events = page.events;
        if !events.is_empty() || !page.more {
            break;
        }
    }
    let extra = Extra { next_cursor: Some(after.to_string()), ..Extra::default() };
    if events.is_empty() {
        return Ok(Answer::refused_with(call.uniq_id, &Problem::NothingFound.into(), extra));
    }
    let data: Vec<Told<'_>> = events.iter().map(|record| told(&record.event, &call.caller)).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], extra))
}

/// An event as a webhook would carry it.
pub(super) fn told<'a>(event: &'a Event, caller: &'a Caller) -> Told<'a> {
    let own = caller.account.endpoint(EventKind::Status).map_or("", |endpoint| &endpoint.url);
    Told::of(event, own)
}
