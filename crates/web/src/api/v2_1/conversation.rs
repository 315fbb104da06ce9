//! `GET /v2.1/conversations/{number}/{phone}`: what a number and a person wrote to each other.

use domain::id::MessageId;
use domain::limits::PAGE_ROWS_MAX;
use domain::phone::Phone;
use domain::problem::Problem;
use serde::Serialize;
use store::question::{ConversationItem, ConversationQuery};

use super::filter::{LIMIT_DEFAULT, date_form, keep};
use super::incoming::number;
use crate::api::call::Call;
use crate::api::incoming_item::IncomingItem;
use crate::api::item::{DateForm, SmsItem};
use crate::api::query::Parameters;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

/// A message of a conversation.
#[derive(Serialize)]
struct Item<'a> {
    direction: &'static str,
    #[serde(flatten)]
    message: Message<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Message<'a> {
    Incoming(IncomingItem<'a>),
    Outgoing(SmsItem<'a>),
}

/// Lists both directions, newest first.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let parameters = Parameters::parse(&call.query)?;
    let mut faults = Vec::new();
    let form = keep(parameters.read("getFullDate", date_form), &mut faults).flatten().unwrap_or_default();
    let limit = keep(parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX), &mut faults);
    let after = keep(parameters.read("cursor", MessageId::from_reference), &mut faults).flatten();
    let mut names = call.path.rsplit('/');
    let (phone, own) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let phone = Phone::parse(phone).map_err(|_| faults.push(Fault::of(Problem::RecipientInvalid, "phone", phone)));
    let own = number(own).ok_or_else(|| faults.push(Fault::of(Problem::ParameterInvalid, "number", own)));
    let (Ok(phone), Ok(number), true) = (phone, own, faults.is_empty()) else { return Err(Rejection::new(faults)) };
    let limit = limit.unwrap_or(LIMIT_DEFAULT);
    let query = ConversationQuery { account: call.caller.account.id, number, phone, limit, after };
    let page = backend.conversation(query).await?;
    if page.items.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    let data: Vec<Item<'_>> = page.items.iter().map(|item| Item::new(item, form)).collect();
    let extra = Extra { next_cursor: page.next.map(MessageId::to_reference), ..Extra::default() };
    Ok(Answer::done(call.uniq_id, &data, &[], extra))
}

impl<'a> Item<'a> {
    fn new(item: &'a ConversationItem, form: DateForm) -> Self {
        match item {
            ConversationItem::Incoming(message) => {
                Self { direction: "in", message: Message::Incoming(IncomingItem::new(message, form)) }
            }
            ConversationItem::Outgoing(record) => {
                Self { direction: "out", message: Message::Outgoing(SmsItem::stored(record, form)) }
            }
        }
    }
}
