//! `POST /v2.1/events/replay`: has events told again, by id, or all since a moment.

use domain::choice::Choice;
use domain::clock::UnixMillis;
use domain::control::EventKind;
use domain::fact::EventId;
use domain::id::{AccountId, MessageId};
use domain::problem::Problem;
use serde::Serialize;
use store::question::{EventCursor, EventRecord, Telling};

use super::filter::moment;
use crate::api::call::Call;
use crate::api::json::Fields;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

/// Events that one call may name.
const EVENT_IDS_MAX: usize = 1_000;
/// Events that one call by filter has told again; `meta.nextCursor` says where to go on.
const REPLAYED_MAX: usize = 10_000;
/// Events looked at together.
const PAGE: usize = 1_000;
const FIELDS: [&str; 6] = ["eventIds", "cursor", "dateFrom", "dateTo", "only", "event"];

#[derive(Serialize)]
struct Replayed {
    replayed: usize,
}

/// Which events, when they are not named.
#[derive(Debug, Default)]
struct Filter {
    /// Told ones too, not only those that were given up.
    all: bool,
    from: Option<UnixMillis>,
    to: Option<UnixMillis>,
    kind: Option<EventKind>,
    cursor: Option<String>,
}

/// Has events told again. They keep their ids; what the receiver knows it drops.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let [event_ids, cursor, from, to, only, event] = call.object(&FIELDS).await?;
    let mut fields = Fields::default();
    let event_ids = fields.texts("eventIds", event_ids);
    let texts = [("cursor", cursor), ("dateFrom", from), ("dateTo", to), ("only", only), ("event", event)]
        .map(|(name, value)| (name, fields.text(name, value)));
    let faults = fields.into_faults();
    if !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    let account = call.caller.account.id;
    if let Some(event_ids) = event_ids {
        return by_id(backend, &call, account, &event_ids).await;
    }
    let filter = Filter::read(texts)?;
    let (events, next_cursor) =
        if filter.all { all(backend, account, &filter).await? } else { dead(backend, account, &filter).await? };
    let extra = Extra { next_cursor, ..Extra::default() };
    if events.is_empty() && extra.next_cursor.is_none() {
        return Err(Problem::NothingFound.into());
    }
    let replayed = events.len();
    backend.replay(events).await?;
    Ok(Answer::done(call.uniq_id, &[Replayed { replayed }], &[], extra))
}

async fn by_id<B: Backend>(
    backend: &B,
    call: &Call,
    account: AccountId,
    texts: &[String],
) -> Result<Answer, Rejection> {
    if !(1..=EVENT_IDS_MAX).contains(&texts.len()) {
        return Err(Fault::of(Problem::EventIdInvalid, "eventIds", &texts.len().to_string()).into());
    }
    let read = |(index, text): (usize, &String)| {
        EventId::parse(text).ok_or_else(|| Fault::of(Problem::EventIdInvalid, format!("eventIds[{index}]"), text))
    };
    let mut ids = texts.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    let records = backend.events_by_id(account, ids.clone()).await?;
    let found: Vec<EventId> = records.iter().map(|record| record.event.id).collect();
    let missing = |id: &&EventId| !found.contains(*id);
    let fault = |id: &EventId| Fault { source: id.to_string(), ..Fault::of(Problem::EventNotFound, "eventIds", "") };
    let faults: Vec<Fault> = ids.iter().filter(missing).map(fault).collect();
    if found.is_empty() {
        return Err(Rejection::new(faults));
    }
    let again: Vec<EventId> = records.iter().filter(is_at_rest).map(|record| record.event.id).collect();
    let replayed = again.len();
    backend.replay(again).await?;
    Ok(Answer::done(call.uniq_id, &[Replayed { replayed }], &faults, Extra::default()))
}

/// What waits for its next try is being told already: it must not be torn out of its frozen call.
fn is_at_rest(record: &&EventRecord) -> bool {
    record.telling != Telling::Waiting
}

impl Filter {
    fn read(texts: [(&'static str, Option<String>); 5]) -> Result<Self, Rejection> {
        let mut filter = Self::default();
        for (name, text) in texts {
            let Some(text) = text else { continue };
            let wrong = || Rejection::from(Fault::of(Problem::ParameterInvalid, name, &text));
            match name {
                "cursor" => filter.cursor = Some(text),
                "dateFrom" => filter.from = Some(moment(&text).ok_or_else(wrong)?),
                "dateTo" => filter.to = Some(moment(&text).ok_or_else(wrong)?),
                "event" => filter.kind = Some(EventKind::by_name(&text).ok_or_else(wrong)?),
                _ => {
                    filter.all = match &*text {
                        "all" => true,
                        "dead" => false,
                        _ => return Err(wrong()),
                    }
                }
            }
        }
        // Everything ever told, told again, is hardly what anybody means.
        if filter.all && filter.from.is_none() && filter.cursor.is_none() {
            return Err(Fault::of(Problem::FieldMissing, "dateFrom", "").into());
        }
        Ok(filter)
    }

    fn takes(&self, record: &EventRecord) -> bool {
        let at = record.event.at();
        self.kind.is_none_or(|kind| kind == record.event.kind())
            && self.to.is_none_or(|to| at <= to)
            && is_at_rest(&record)
            && (self.all || self.from.is_none_or(|from| at >= from))
    }

    fn wrong_cursor(&self) -> Rejection {
        Fault::of(Problem::ParameterInvalid, "cursor", self.cursor.as_deref().unwrap_or_default()).into()
    }
}

type Found = (Vec<EventId>, Option<String>);

async fn all<B: Backend>(backend: &B, account: AccountId, filter: &Filter) -> Result<Found, Rejection> {
    let mut after = match (&filter.cursor, filter.from) {
        (Some(text), _) => EventCursor::parse(text).ok_or_else(|| filter.wrong_cursor())?,
        (None, from) => from.map(EventCursor::at).unwrap_or_default(),
    };
    let mut events = Vec::new();
    for _ in 0..REPLAYED_MAX / PAGE {
        let page = backend.events(account, after, PAGE).await?;
        after = page.next;
        events.extend(page.events.iter().filter(|record| filter.takes(record)).map(|record| record.event.id));
        if !page.more {
            return Ok((events, None));
        }
    }
    Ok((events, Some(after.to_string())))
}

async fn dead<B: Backend>(backend: &B, account: AccountId, filter: &Filter) -> Result<Found, Rejection> {
    let mut after = match &filter.cursor {
        Some(text) => EventId::parse(text).ok_or_else(|| filter.wrong_cursor())?,
        None => EventId { message: MessageId(0), step: 0 },
    };
    let mut events = Vec::new();
    for _ in 0..REPLAYED_MAX / PAGE {
        let page = backend.dead_letters(account, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok((events, None)) };
        after = last.event.id;
        events.extend(page.iter().filter(|record| filter.takes(record)).map(|record| record.event.id));
    }
    Ok((events, Some(after.to_string())))
}
