//! `GET /v2.1/webhooks`, `POST /v2.1/webhooks/test`, `POST /v2.1/webhooks/enable`: the account's endpoints.

use domain::choice::Choice;
use domain::control::EventKind;
use domain::problem::Problem;
use flow::tell::EndpointView;
use serde::Serialize;

use crate::api::call::Call;
use crate::api::json::Fields;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

const TEST_FIELDS: [&str; 1] = ["event"];
const ENABLE_FIELDS: [&str; 2] = ["event", "url"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointItem<'a> {
    event: &'static str,
    url: &'a str,
    /// Whether requests named it, instead of the account's setup.
    named: bool,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<i64>,
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    off_since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    off_reason: Option<&'static str>,
    waiting: usize,
    calls_in_progress: usize,
    calls_allowed: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tested<'a> {
    event: &'static str,
    url: &'a str,
    http_status: u16,
    answer: String,
}

#[derive(Serialize)]
struct Enabled {
    enabled: usize,
}

/// Lists the endpoints that are set up, were called lately or are off.
pub(in crate::api) fn list<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let endpoints = backend.endpoints(call.caller.account.id);
    if endpoints.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    let data: Vec<EndpointItem<'_>> = endpoints.iter().map(item).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], Extra::default()))
}

fn item(view: &EndpointView) -> EndpointItem<'_> {
    EndpointItem {
        event: view.kind.name(),
        url: &view.url,
        named: view.named,
        state: view.state,
        failing_since: view.failing_since.map(|at| at.seconds()),
        failures: view.failures,
        off_since: view.off.map(|off| off.0.seconds()),
        off_reason: view.off.map(|off| off.1.as_str()),
        waiting: view.waiting,
        calls_in_progress: view.calls.0,
        calls_allowed: view.calls.1,
    }
}

/// Calls the account's endpoint once; anything but a 2xx is a refusal with what came instead.
pub(in crate::api) async fn test<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let [event] = call.object(&TEST_FIELDS).await?;
    let mut fields = Fields::default();
    let event = fields.text("event", event);
    let kind = read_kind(fields, event)?;
    let account = &call.caller.account;
    let Some(endpoint) = account.endpoint(kind) else {
        return Err(Fault::of(Problem::EndpointUnknown, "event", kind.name()).into());
    };
    let answer = backend.try_out(endpoint).await.map_err(|problem| {
        Rejection::from(Fault { source: endpoint.url.clone(), ..Fault::of(Problem::EndpointFailed, "event", &problem) })
    })?;
    if !answer.is_success() {
        let fault = Fault::of(Problem::EndpointFailed, "event", &answer.failure);
        return Err(Fault { source: endpoint.url.clone(), ..fault }.into());
    }
    let tested = Tested {
        event: kind.name(),
        url: &endpoint.url,
        http_status: answer.status,
        answer: String::from_utf8_lossy(&answer.start).into_owned(),
    };
    Ok(Answer::done(call.uniq_id, &[tested], &[], Extra::default()))
}

/// Has an endpoint called again that is off.
pub(in crate::api) async fn enable<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let [event, url] = call.object(&ENABLE_FIELDS).await?;
    let mut fields = Fields::default();
    let (event, url) = (fields.text("event", event), fields.text("url", url));
    let kind = read_kind(fields, event)?;
    let enabled = backend.turn_on(call.caller.account.id, kind, url).await;
    if enabled == 0 {
        return Err(Fault::of(Problem::EndpointNotOff, "event", kind.name()).into());
    }
    Ok(Answer::done(call.uniq_id, &[Enabled { enabled }], &[], Extra::default()))
}

fn read_kind(fields: Fields, event: Option<String>) -> Result<EventKind, Rejection> {
    let faults = fields.into_faults();
    if !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    let Some(event) = event else { return Ok(EventKind::Status) };
    EventKind::by_name(&event).ok_or_else(|| Fault::of(Problem::ParameterInvalid, "event", &event).into())
}
