//! The payload of a notice as JSON. Delivery reports have none: they are made from the message's rows.

use domain::clock::UnixMillis;
use domain::control::EventKind;
use domain::event::{ClickReport, IncomingReport, Payload};
use domain::id::MessageId;
use domain::phone::Phone;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Incoming {
    phone: Box<str>,
    number: Box<str>,
    keyword: Box<str>,
    message: Box<str>,
    received_at: i64,
    parts: u8,
    complete: bool,
    missing: Box<[u8]>,
    late_part: Option<u8>,
    group: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct Click {
    external_id: Box<str>,
    phone: u64,
    url: Box<str>,
    clicked_at: i64,
}

/// The text of a payload; empty for a delivery report, which is never a notice.
pub(crate) fn to_json(payload: &Payload) -> String {
    let written = match payload {
        Payload::Status(_) => return String::new(),
        Payload::Incoming(report) => serde_json::to_string(&Incoming {
            phone: report.phone.clone(),
            number: report.number.clone(),
            keyword: report.keyword.clone(),
            message: report.message.clone(),
            received_at: report.received_at.0,
            parts: report.parts,
            complete: report.complete,
            missing: report.missing.clone(),
            late_part: report.late_part,
            group: report.group.map(|group| group.0),
        }),
        Payload::Click(report) => serde_json::to_string(&Click {
            external_id: report.external_id.clone(),
            phone: report.phone.as_u64(),
            url: report.url.clone(),
            clicked_at: report.clicked_at.0,
        }),
    };
    // Texts and numbers have no way to fail.
    written.unwrap_or_default()
}

/// Reads a payload back.
pub(crate) fn from_json(kind: EventKind, text: &str) -> Option<Payload> {
    Some(match kind {
        EventKind::Status => return None,
        EventKind::Incoming => {
            let read: Incoming = serde_json::from_str(text).ok()?;
            Payload::Incoming(IncomingReport {
                phone: read.phone,
                number: read.number,
                keyword: read.keyword,
                message: read.message,
                received_at: UnixMillis(read.received_at),
                parts: read.parts,
                complete: read.complete,
                missing: read.missing,
                late_part: read.late_part,
                group: read.group.map(MessageId),
            })
        }
        EventKind::Click => {
            let read: Click = serde_json::from_str(text).ok()?;
            Payload::Click(ClickReport {
                external_id: read.external_id,
                phone: Phone::from_u64(read.phone)?,
                url: read.url,
                clicked_at: UnixMillis(read.clicked_at),
            })
        }
    })
}
