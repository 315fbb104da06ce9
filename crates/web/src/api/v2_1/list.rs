//! `GET /v2.1/sms`: sent messages.

use super::filter::{Filter, next_cursor};
use crate::api::call::Call;
use crate::api::item::SmsItem;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Rejection};

/// Lists messages; items have the fields of the answer to a send.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let filter = Filter::read(call)?;
    let page = filter.ask(backend).await?;
    let data: Vec<SmsItem<'_>> = page.rows.iter().map(|record| SmsItem::stored(record, filter.date_form)).collect();
    let extra = Extra { next_cursor: next_cursor(&page), ..Extra::default() };
    Ok(Answer::done(call.uniq_id, &data, &[], extra))
}
