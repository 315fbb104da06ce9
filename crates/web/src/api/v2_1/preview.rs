//! `POST /v2.1/sms/preview`: what a send would do.

use domain::phone::Phone;
use serde::Serialize;

use super::send::order;
use crate::api::call::Call;
use crate::api::item::with_plus;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

/// What one recipient would get and cost.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreviewItem<'a> {
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    encoding: u8,
    number_of_parts: u8,
    number_of_units: u32,
    sms_price: i64,
    currency: u16,
    /// Name of the operator connection it would leave by.
    route: &'a str,
    /// Characters that make the text UCS-2, each once.
    forcing_characters: &'a [char],
}

/// Checks and prices without sending.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let order = order(&mut call).await?;
    let preview = backend.preview(&order)?;
    let data: Vec<PreviewItem<'_>> = preview
        .charges
        .iter()
        .map(|charge| PreviewItem {
            phone_number: charge.phone,
            encoding: preview.encoding.contract_code(),
            number_of_parts: preview.parts,
            number_of_units: preview.units,
            sms_price: charge.price.0,
            currency: preview.currency,
            route: &charge.carrier_name,
            forcing_characters: &preview.forcing_characters,
        })
        .collect();
    let faults: Vec<Fault> = preview.refused.iter().cloned().map(Fault::from).collect();
    if data.is_empty() && !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    Ok(Answer::done(call.uniq_id, &data, &faults, Extra::default()))
}
