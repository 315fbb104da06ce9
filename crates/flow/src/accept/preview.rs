//! What a send would do, without doing it.

use domain::choice::Choice as _;
use domain::control::Carrier;
use domain::encoding::EncodingChoice;
use domain::limits;
use domain::link::ShortLinks;
use domain::money::Money;
use domain::request::NewMessage;
use text::Measure;

use super::grant::{Accept, carriers_of, measured_text};
use super::order::{Alternative, Charge, Forcing, Order, Preview, Refusal};
use super::write::write;
use crate::route::{Explanation, Router, Trip};

/// Recipients of a preview whose ways are explained: each costs a walk over all routes.
const PREVIEWS_EXPLAINED_MAX: usize = 20;

impl Accept {
    /// What a send would do, without doing it.
    ///
    /// # Errors
    /// [`Refusal`] as the send would be refused.
    pub async fn preview(&self, order: &Order) -> Result<Preview, Refusal> {
        let now = self.0.clock.now();
        let fresh = self.learn_networks(order, now).await;
        let checked = self.check(order, now, Router::look)?;
        let control = self.0.store.control();
        let text = measured_text(order, checked.conditions.links.as_deref());
        let forcing = text.chars().enumerate().filter(|(_, character)| text::gsm7::units(*character).is_none());
        let forcing = forcing.map(|(position, character)| Forcing { character, position });
        let (sender, account, lane) = (&checked.conditions.sender, order.account.id, checked.conditions.lane);
        let explain = |phone| {
            let explanation = self.0.router.explain(&control, &Trip { phone, sender, account, lane });
            let network = explanation.network.map(|(network, source)| (network, fresh.source_of(phone, source)));
            Explanation { network, ..explanation }
        };
        let carrier_name = |id| control.carrier(id).map(|carrier| carrier.name.clone()).unwrap_or_default();
        let charge = |(index, message): (usize, &NewMessage)| Charge {
            phone: message.phone,
            price: message.price,
            price_per_part: Money(message.price.0 / i64::from(checked.measure.parts.max(1))),
            carrier: message.carrier,
            carrier_name: carrier_name(message.carrier),
            explanation: (index < PREVIEWS_EXPLAINED_MAX).then(|| explain(message.phone)),
        };
        let rewritten = checked.text.as_ref();
        Ok(Preview {
            encoding: checked.measure.encoding,
            units: checked.measure.units,
            parts: u8::try_from(checked.measure.parts).unwrap_or(u8::MAX),
            text: rewritten.map_or_else(|| text.clone().into_owned(), |(text, links)| shown(text, links.as_deref())),
            forcing: forcing.take(limits::FORCING_CHARACTERS_SHOWN_MAX).collect(),
            alternatives: alternatives(&text, &carriers_of(&control, &checked.recipients)),
            lane,
            currency: order.account.settings.currency.number,
            charges: checked.recipients.accepted.iter().enumerate().map(charge).collect(),
            refused: checked.recipients.refused,
        })
    }
}

/// A text as a preview shows it: with zeros for the codes that nobody has been given yet.
fn shown(text: &str, links: Option<&ShortLinks>) -> String {
    links.map_or_else(|| text.to_owned(), |links| links.sample(text))
}

/// What each choice would make of a text, where it can be sent so.
fn alternatives(text: &str, carriers: &[&Carrier]) -> Vec<Alternative> {
    let sendable = EncodingChoice::NAMES.iter().filter_map(|(choice, _)| {
        let written = write(text, *choice, carriers).ok()?;
        let Measure { encoding, units, parts } = written.measure;
        let parts = u8::try_from(parts).ok().filter(|parts| *parts <= limits::PARTS_PER_MESSAGE_MAX)?;
        Some(Alternative { choice: *choice, encoding, units, parts, replaced: written.replaced })
    });
    sendable.collect()
}
