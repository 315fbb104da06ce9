//! What would become of a message that nobody has sent, as `posthorn explain` tells it.

use domain::control::{Account, Control};
use domain::lane::Lane;
use domain::phone::Phone;
use flow::accept::{Preview, Refusal, RefusalDetail};
use flow::explain::Writing;
use flow::route::Explanation;
use serde::Serialize;

use super::explained::{ExplainedRoute, ExplainedWriting};
use super::item::with_plus;

/// A send that is only looked at, for one recipient.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Foreseen {
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    sender: String,
    /// Name of the account whose message it would be.
    account: String,
    lane: &'static str,
    #[serde(flatten)]
    writing: ExplainedWriting,
    /// Price of the whole message, where it would be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    sms_price: Option<i64>,
    currency: u16,
    /// Name of the operator connection it would leave by, where it would be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<String>,
    /// Why it would be refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<ForeseenRefusal>,
    route: ExplainedRoute,
}

#[derive(Debug, Serialize)]
struct ForeseenRefusal {
    code: &'static str,
    title: &'static str,
    message: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    parameter: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    value: String,
}

impl Foreseen {
    /// Of a preview, or of its refusal: then it still tells how the text is written and which ways there are.
    #[must_use]
    pub fn of(
        (account, sender, phone, lane): (&Account, &str, Phone, Lane),
        text: &str,
        preview: Result<Preview, Refusal>,
        (route, control): (&Explanation, &Control),
    ) -> Self {
        let (preview, refused) = match preview {
            Ok(mut preview) => {
                let refused = std::mem::take(&mut preview.refused);
                (Some(preview), refused)
            }
            Err(refusal) => (None, refusal.details),
        };
        let writing = match &preview {
            Some(preview) => Writing::of(&preview.text, Some(preview.encoding)),
            None => Writing::of(text, None),
        };
        let charge = preview.as_ref().and_then(|preview| preview.charges.first());
        Self {
            phone_number: phone,
            sender: sender.into(),
            account: account.name.clone(),
            lane: lane.name(),
            writing: ExplainedWriting::of(&writing),
            sms_price: charge.map(|charge| charge.price.0),
            currency: account.settings.currency.number,
            carrier: charge.map(|charge| charge.carrier_name.clone()),
            refused: refused.into_iter().map(ForeseenRefusal::of).collect(),
            route: ExplainedRoute::of(route, control, None),
        }
    }
}

impl ForeseenRefusal {
    fn of(detail: RefusalDetail) -> Self {
        let RefusalDetail { problem, parameter, value, .. } = detail;
        Self { code: problem.code(), title: problem.title(), message: problem.message(), parameter, value }
    }
}
