//! `GET /v2.1/sms/clicks`: opened short links.

use domain::phone::Phone;
use domain::problem::Problem;
use serde::{Serialize, Serializer};
use store::question::ClickRecord;

use super::filter::ClickFilter;
use crate::api::call::Call;
use crate::api::item::{DateForm, Moment, with_plus};
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Rejection};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClickItem<'a> {
    external_id: &'a str,
    #[serde(serialize_with = "maybe_with_plus", skip_serializing_if = "Option::is_none")]
    phone_number: Option<Phone>,
    url: &'a str,
    click_time: Moment,
    agent: &'static str,
    counted: bool,
    network: String,
}

#[expect(clippy::ref_option, reason = "serde hands the field over by reference")]
fn maybe_with_plus<S: Serializer>(phone: &Option<Phone>, serializer: S) -> Result<S::Ok, S::Error> {
    match phone {
        Some(phone) => with_plus(phone, serializer),
        None => serializer.serialize_none(),
    }
}

impl<'a> ClickItem<'a> {
    /// Of a message that is not kept any more only the click itself can be told.
    fn new(record: &'a ClickRecord, form: DateForm) -> Self {
        let (click, target) = (&record.click, record.target.as_ref());
        Self {
            external_id: target.map_or("", |target| &target.external_id),
            phone_number: target.map(|target| target.phone),
            url: target.map_or("", |target| &target.url),
            click_time: Moment::new(click.at, form),
            agent: click.agent.name(),
            counted: click.agent.is_person(),
            network: click.network.to_string(),
        }
    }
}

/// Lists clicks, newest first.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let filter = ClickFilter::read(call)?;
    let page = filter.ask(backend).await?;
    if page.rows.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    let data: Vec<ClickItem<'_>> = page.rows.iter().map(|record| ClickItem::new(record, filter.date_form)).collect();
    let extra = Extra { next_cursor: page.next.map(domain::id::MessageId::to_reference), ..Extra::default() };
    Ok(Answer::done(call.uniq_id, &data, &[], extra))
}
