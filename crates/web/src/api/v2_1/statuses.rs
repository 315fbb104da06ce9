//! `GET /v2.1/sms/statuses`: what became of messages, without their texts.

use domain::phone::Phone;
use serde::Serialize;
use store::question::MessageRecord;

use super::filter::{Filter, next_cursor};
use crate::api::call::Call;
use crate::api::item::{DateForm, Moment, with_plus};
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Rejection};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusItem<'a> {
    external_id: &'a str,
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    sender: &'a str,
    status: u8,
    status_desc: &'static str,
    status_time: Moment,
}

impl<'a> StatusItem<'a> {
    fn new(record: &'a MessageRecord, form: DateForm) -> Self {
        Self {
            external_id: &record.external_id,
            phone_number: record.phone,
            sender: record.sender.as_str(),
            status: record.status.code(),
            status_desc: record.status.description(),
            status_time: Moment::new(record.status_at, form),
        }
    }
}

/// Lists statuses; takes every filter of the message list.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let filter = Filter::read(call)?;
    let page = filter.ask(backend).await?;
    let data: Vec<StatusItem<'_>> = page.rows.iter().map(|record| StatusItem::new(record, filter.date_form)).collect();
    let extra = Extra { next_cursor: next_cursor(&page), ..Extra::default() };
    Ok(Answer::done(call.uniq_id, &data, &[], extra))
}
