//! `POST /v2.1/sms`.

use domain::clock::UnixMillis;
use domain::limits::{IDEMPOTENCY_KEY_LENGTH_MAX, RECIPIENTS_AT_ONCE_MAX};
use domain::problem::Problem;
use domain::timestamp;
use flow::accept::{Granted, Order};
use hyper::HeaderMap;
use hyper::header::HeaderName;

use crate::api::call::Call;
use crate::api::item::SmsItem;
use crate::api::json::Fields;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection, UniqId};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_EXPIRES: HeaderName = HeaderName::from_static("idempotency-expires");

const FIELDS: [&str; 12] = [
    "sender",
    "message",
    "phoneNumbers",
    "validity",
    "scheduleTime",
    "type",
    "shortLink",
    "webhookUrl",
    "externalId",
    "priority",
    "encoding",
    "messagesPerHour",
];

/// Sends; durable when the answer is 200 or 207. `idempotency_life_ms` is how long a reference is recognised.
pub(in crate::api) async fn answer<B: Backend>(
    backend: &B,
    mut call: Call,
    idempotency_life_ms: i64,
) -> Result<Answer, Rejection> {
    let uniq_id = call.uniq_id;
    let order = order(&mut call).await?;
    let quota = order.account.settings.messages_per_second;
    let granted = backend.send(order).await.map_err(|refusal| with_quota(refusal.into(), quota))?;
    if granted.request.messages.len() + granted.refused.len() <= RECIPIENTS_AT_ONCE_MAX {
        return Ok(accepted(uniq_id, granted, idempotency_life_ms));
    }
    // Ten thousand recipients are megabytes of JSON: a code's request must not wait while they are written.
    let writing = tokio::task::spawn_blocking(move || accepted(uniq_id, granted, idempotency_life_ms));
    Ok(writing.await.map_err(|_| Problem::Internal)?)
}

/// The answer to a request that is kept.
fn accepted(uniq_id: UniqId, granted: Granted, idempotency_life_ms: i64) -> Answer {
    let request = &*granted.request;
    let data: Vec<SmsItem<'_>> =
        (0..request.messages.len()).filter_map(|index| SmsItem::accepted(request, index)).collect();
    let faults: Vec<Fault> = granted.refused.into_iter().map(Fault::from).collect();
    let extra = Extra {
        sent_sms: Some(data.len()),
        not_sent_sms: Some(faults.len()),
        account_balance: Some(granted.balance),
        ..Extra::default()
    };
    let mut answer = Answer::done(uniq_id, &data, &faults, extra);
    if request.external_id.is_some() || request.idempotency_key.is_some() {
        let expires = UnixMillis(request.accepted_at.0.saturating_add(idempotency_life_ms));
        answer.add_header(IDEMPOTENCY_EXPIRES, &timestamp::format_http_date(expires));
    }
    answer
}

/// The order as it was written; also what a preview is asked about.
pub(super) async fn order(call: &mut Call) -> Result<Order, Rejection> {
    let idempotency_key = idempotency_key(&call.headers)?;
    let [
        sender,
        message,
        numbers,
        validity,
        schedule,
        kind,
        short_link,
        webhook,
        external_id,
        priority,
        encoding,
        per_hour,
    ] = call.object(&FIELDS).await?;
    let mut fields = Fields::default();
    let order = Order {
        account: call.caller.account.clone(),
        key: call.caller.key.clone(),
        uniq_id: call.uniq_id.as_str().into(),
        idempotency_key,
        sender: fields.text("sender", sender),
        message: fields.text("message", message),
        phone_numbers: fields.texts("phoneNumbers", numbers),
        validity: fields.integer("validity", validity),
        schedule_time: fields.integer("scheduleTime", schedule),
        messages_per_hour: fields.integer("messagesPerHour", per_hour),
        message_type: fields.integer("type", kind),
        short_link: fields.bool("shortLink", short_link),
        webhook_url: fields.text("webhookUrl", webhook),
        external_id: fields.text("externalId", external_id),
        priority: fields.bool("priority", priority),
        encoding: fields.text("encoding", encoding),
    };
    let faults = fields.into_faults();
    if faults.is_empty() { Ok(order) } else { Err(Rejection::new(faults)) }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    let well_formed =
        (1..=IDEMPOTENCY_KEY_LENGTH_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !well_formed || values.next().is_some() {
        return Err(Fault::of(Problem::IdempotencyKeyInvalid, "Idempotency-Key", &text));
    }
    Ok(Some(text.into_owned()))
}

/// What the account's rate is, for the headers of a 429.
fn with_quota(mut rejection: Rejection, messages_per_second: u32) -> Rejection {
    if rejection.status() == 429 && messages_per_second > 0 {
        rejection.quota = Some((messages_per_second, 1));
    }
    rejection
}
