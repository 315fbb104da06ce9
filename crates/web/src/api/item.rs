//! A message as it is told: the same fields in the answer to a send and in a list.

use std::borrow::Cow;

use domain::clock::UnixMillis;
use domain::phone::Phone;
use domain::request::Request;
use domain::state::Status;
use domain::timestamp;
use serde::{Serialize, Serializer};
use store::question::MessageRecord;

/// How moments are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DateForm {
    /// Unix seconds.
    #[default]
    Seconds,
    /// `YYYY-MM-DD hh:mm:ss`, UTC.
    Full,
}

/// A moment in the form that was asked for.
#[derive(Clone, Debug)]
pub(super) enum Moment {
    Seconds(i64),
    Full(String),
}

impl Moment {
    pub(super) fn new(moment: UnixMillis, form: DateForm) -> Self {
        match form {
            DateForm::Seconds => Self::Seconds(moment.seconds()),
            DateForm::Full => Self::Full(timestamp::format_utc(moment)),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Seconds(seconds) => serializer.serialize_i64(*seconds),
            Self::Full(text) => serializer.serialize_str(text),
        }
    }
}

/// Writes a number as the contract's examples do, with `+`.
pub(super) fn with_plus<S: Serializer>(phone: &Phone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("+{phone}"))
}

/// An item of `POST /v2.1/sms`, `GET /v2.1/sms` and `DELETE /v2.1/sms`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SmsItem<'a> {
    sender: &'a str,
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    external_id: Cow<'a, str>,
    status: u8,
    status_time: Moment,
    create_time: Moment,
    sms_price: i64,
    currency: u16,
    number_of_parts: usize,
    message: Cow<'a, str>,
    /// As asked, so always Unix seconds: 0 means now.
    schedule_time: i64,
    #[serde(rename = "type")]
    kind: u8,
    short_link: bool,
    encoding: u8,
}

impl<'a> SmsItem<'a> {
    /// The message at `index` of a request that was just accepted.
    #[must_use]
    pub fn accepted(request: &'a Request, index: usize) -> Option<Self> {
        let message = request.messages.get(index)?;
        Some(Self {
            sender: request.sender.as_str(),
            phone_number: message.phone,
            external_id: Cow::Owned(request.external_id_at(index)),
            status: Status::New.code(),
            status_time: Moment::new(request.accepted_at, DateForm::Seconds),
            create_time: Moment::new(request.accepted_at, DateForm::Seconds),
            sms_price: message.price.0,
            currency: request.currency,
            number_of_parts: usize::from(request.parts),
            message: request.text_at(index),
            schedule_time: request.schedule_time,
            kind: u8::from(request.flash),
            short_link: request.links.is_some(),
            encoding: request.encoding.contract_code(),
        })
    }

    pub(super) fn stored(record: &'a MessageRecord, form: DateForm) -> Self {
        Self {
            sender: record.sender.as_str(),
            phone_number: record.phone,
            external_id: Cow::Borrowed(&record.external_id),
            status: record.status.code(),
            status_time: Moment::new(record.status_at, form),
            create_time: Moment::new(record.accepted_at, form),
            sms_price: record.price.0,
            currency: record.currency,
            number_of_parts: record.parts.len(),
            message: Cow::Borrowed(&record.text),
            schedule_time: record.schedule_time,
            kind: u8::from(record.flash),
            short_link: record.short_link,
            encoding: record.encoding.contract_code(),
        }
    }
}
