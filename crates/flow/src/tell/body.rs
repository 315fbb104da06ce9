//! The body of a call, and the same objects where an account pulls its events: a JSON array of the contract's objects.

use std::sync::Arc;

use domain::choice::Choice;
use domain::event::{ClickReport, Event, IncomingReport, Payload, StatusReport};
use domain::fact::EventId;
use domain::phone::Phone;
use serde::{Serialize, Serializer};

/// Octets of a usual delivery report.
const REPORT_OCTETS: usize = 330;

/// An event as it is told: the contract's object of its kind.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Told<'a> {
    /// A delivery report.
    Status(Status<'a>),
    /// An incoming message.
    Incoming(Incoming<'a>),
    /// A click on a short link.
    Click(Click<'a>),
}

/// The contract's delivery report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status<'a> {
    event: &'static str,
    #[serde(serialize_with = "as_text")]
    event_id: EventId,
    seq: u16,
    external_id: &'a str,
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    sender: &'a str,
    status: u8,
    status_desc: &'static str,
    status_time: i64,
    number_of_parts: u8,
    #[serde(skip_serializing_if = "str::is_empty")]
    operator_error_code: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    webhook_url: &'a str,
}

/// The contract's incoming message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Incoming<'a> {
    event: &'static str,
    #[serde(serialize_with = "as_text")]
    event_id: EventId,
    phone_number: &'a str,
    number: &'a str,
    keyword: &'a str,
    message: &'a str,
    received_time: i64,
    number_of_parts: u8,
    complete: bool,
    #[serde(skip_serializing_if = "<[u8]>::is_empty")]
    missing_parts: &'a [u8],
    #[serde(skip_serializing_if = "Option::is_none")]
    late_part: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
}

/// The contract's click.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Click<'a> {
    event: &'static str,
    #[serde(serialize_with = "as_text")]
    event_id: EventId,
    external_id: &'a str,
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    url: &'a str,
    click_time: i64,
}

fn as_text<S: Serializer>(id: &EventId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

fn with_plus<S: Serializer>(phone: &Phone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("+{phone}"))
}

/// Writes the array. The same events give the same octets, so that every try carries the same.
#[must_use]
pub fn write(events: &[Arc<Event>], main_url: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(2 + events.len() * REPORT_OCTETS);
    body.push(b'[');
    for (position, event) in events.iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        // Writing text and numbers into memory has no way to fail.
        let _ = serde_json::to_writer(&mut body, &Told::of(event, main_url));
    }
    body.push(b']');
    body
}

impl<'a> Told<'a> {
    /// An event as it is told. `main_url` is the account's own URL for this kind of event, empty if it has none.
    #[must_use]
    pub fn of(event: &'a Event, main_url: &'a str) -> Self {
        let kind = event.kind().name();
        match &event.payload {
            Payload::Status(report) => {
                Self::Status(status(kind, event.id, report, event.webhook_url.as_deref().unwrap_or(main_url)))
            }
            Payload::Incoming(report) => Self::Incoming(incoming(kind, event.id, report)),
            Payload::Click(report) => Self::Click(click(kind, event.id, report)),
        }
    }
}

fn status<'a>(kind: &'static str, id: EventId, report: &'a StatusReport, webhook_url: &'a str) -> Status<'a> {
    Status {
        event: kind,
        event_id: id,
        seq: id.step,
        external_id: &report.external_id,
        phone_number: report.phone,
        sender: report.sender.as_str(),
        status: report.status.code(),
        status_desc: report.status.description(),
        status_time: report.status_at.seconds(),
        number_of_parts: report.parts,
        operator_error_code: &report.error,
        webhook_url,
    }
}

fn incoming<'a>(kind: &'static str, id: EventId, report: &'a IncomingReport) -> Incoming<'a> {
    Incoming {
        event: kind,
        event_id: id,
        phone_number: &report.phone,
        number: &report.number,
        keyword: &report.keyword,
        message: &report.message,
        received_time: report.received_at.seconds(),
        number_of_parts: report.parts,
        complete: report.complete,
        missing_parts: &report.missing,
        late_part: report.late_part,
        group_id: report.group.map(|group| group.to_string()),
    }
}

fn click<'a>(kind: &'static str, id: EventId, report: &'a ClickReport) -> Click<'a> {
    Click {
        event: kind,
        event_id: id,
        external_id: &report.external_id,
        phone_number: report.phone,
        url: &report.url,
        click_time: report.clicked_at.seconds(),
    }
}
