//! The body of a call: a JSON array of the contract's delivery reports.

use std::sync::Arc;

use domain::fact::EventId;
use domain::phone::Phone;
use serde::{Serialize, Serializer};
use store::Event;

/// Octets of a usual delivery report.
const REPORT_OCTETS: usize = 320;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    event: &'static str,
    #[serde(serialize_with = "as_text")]
    event_id: EventId,
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
    webhook_url: &'a str,
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
        let _ = serde_json::to_writer(&mut body, &report(event, main_url));
    }
    body.push(b']');
    body
}

fn report<'a>(event: &'a Event, main_url: &'a str) -> Report<'a> {
    Report {
        event: "sms.status",
        event_id: event.id,
        external_id: &event.external_id,
        phone_number: event.phone,
        sender: event.sender.as_str(),
        status: event.status.code(),
        status_desc: event.status.description(),
        status_time: event.status_at.seconds(),
        number_of_parts: event.parts,
        operator_error_code: &event.error,
        webhook_url: event.webhook_url.as_deref().unwrap_or(main_url),
    }
}
