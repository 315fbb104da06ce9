//! Incoming messages as they are listed.

use std::borrow::Cow;

use domain::fact::EventId;
use domain::incoming::{IncomingFlaw, IncomingMessage};
use serde::Serialize;

use super::item::{DateForm, Moment};

/// An incoming message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IncomingItem<'a> {
    event_id: String,
    phone_number: Cow<'a, str>,
    number: &'a str,
    keyword: &'a str,
    message: &'a str,
    received_time: Moment,
    number_of_parts: u8,
    complete: bool,
    #[serde(skip_serializing_if = "<[u8]>::is_empty")]
    missing_parts: &'a [u8],
    #[serde(skip_serializing_if = "Option::is_none")]
    late_part: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaw: Option<&'static str>,
}

impl<'a> IncomingItem<'a> {
    /// A message that is kept.
    #[must_use]
    pub fn new(message: &'a IncomingMessage, form: DateForm) -> Self {
        Self {
            event_id: EventId::of_row(message.id).to_string(),
            phone_number: message
                .phone
                .map_or(Cow::Borrowed(&*message.source), |phone| Cow::Owned(format!("+{phone}"))),
            number: &message.number,
            keyword: &message.keyword,
            message: &message.text,
            received_time: Moment::new(message.at, form),
            number_of_parts: message.parts,
            complete: message.is_complete(),
            missing_parts: &message.missing,
            late_part: message.late_part,
            group_id: message.group.map(|group| group.to_string()),
            flaw: message.flaw.map(IncomingFlaw::name),
        }
    }
}
