//! `POST /v2.1/sms/preview`: what a send would do.

use domain::choice::Choice as _;
use domain::phone::Phone;
use flow::accept::{Charge, Preview};
use serde::Serialize;

use super::send::order;
use crate::api::call::Call;
use crate::api::explained::ExplainedRoute;
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
    /// The text as it would be sent.
    message: &'a str,
    /// Name of the operator connection it would leave by.
    route: &'a str,
    /// Characters that make the text UCS-2, each once.
    forcing_characters: &'a [char],
    /// Where they stand, in characters from 0.
    forcing_positions: &'a [usize],
    /// What each choice of `encoding` would make of it.
    choices: Vec<ChoiceItem>,
    lane: &'static str,
    /// Every route that was considered; for the first recipients only, at most twenty.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<ExplainedRoute>,
}

/// What a choice of `encoding` would make of the text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChoiceItem {
    choice: &'static str,
    encoding: u8,
    number_of_parts: u8,
    number_of_units: u32,
    sms_price: i64,
    /// Characters that would be replaced.
    replaced: u32,
}

fn choices(preview: &Preview, charge: &Charge) -> Vec<ChoiceItem> {
    let items = preview.alternatives.iter().map(|alternative| ChoiceItem {
        choice: alternative.choice.name(),
        encoding: alternative.encoding.contract_code(),
        number_of_parts: alternative.parts,
        number_of_units: alternative.units,
        sms_price: charge.price_per_part.times(u32::from(alternative.parts)).0,
        replaced: alternative.replaced,
    });
    items.collect()
}

/// Checks and prices without sending.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let order = order(&mut call).await?;
    let preview = backend.preview(&order).await?;
    let positions: Vec<usize> = preview.forcing.iter().map(|forcing| forcing.position).collect();
    let mut characters: Vec<char> = Vec::new();
    for forcing in &preview.forcing {
        if !characters.contains(&forcing.character) {
            characters.push(forcing.character);
        }
    }
    let control = backend.control();
    let explained = |route: &_| ExplainedRoute::of(route, &control, None);
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
            message: &preview.text,
            forcing_characters: &characters,
            forcing_positions: &positions,
            choices: choices(&preview, charge),
            lane: preview.lane.name(),
            explanation: charge.explanation.as_ref().map(explained),
        })
        .collect();
    let faults: Vec<Fault> = preview.refused.iter().cloned().map(Fault::from).collect();
    if data.is_empty() && !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    Ok(Answer::done(call.uniq_id, &data, &faults, Extra::default()))
}
