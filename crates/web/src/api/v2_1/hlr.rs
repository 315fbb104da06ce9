//! `POST /v2.1/sms/hlr`: what is known of a number.

use domain::phone::Phone;
use domain::problem::Problem;
use flow::portability::NumberFacts;
use serde::Serialize;

use crate::api::call::Call;
use crate::api::item::with_plus;
use crate::api::json::Fields;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NumberItem {
    #[serde(serialize_with = "with_plus")]
    phone: Phone,
    #[serde(skip_serializing_if = "Option::is_none")]
    imsi: Option<Box<str>>,
    /// The network that serves the number: MCC and MNC.
    network: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_name: Option<Box<str>>,
    /// Whether the number left the network that its range was given to.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_ported: Option<bool>,
    /// Where that is known from.
    source: &'static str,
}

/// Tells what the number-portability source knows, or else what the number's range says.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let [phone] = call.object(&["phone"]).await?;
    let mut fields = Fields::default();
    let phone = fields.text("phone", phone);
    let faults = fields.into_faults();
    if !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    let phone = phone.ok_or_else(|| Fault::of(Problem::FieldMissing, "phone", ""))?;
    let facts = backend.look_up(&call.caller.account, &phone).await?;
    let NumberFacts { phone, network, name, ported, imsi, source } = facts;
    let network = network.to_string();
    let item = NumberItem { phone, imsi, network, network_name: name, network_ported: ported, source: source.word() };
    Ok(Answer::done(call.uniq_id, &[item], &[], Extra::default()))
}
