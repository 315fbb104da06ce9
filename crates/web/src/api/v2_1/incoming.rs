//! `GET /v2.1/sms/incoming`: what people wrote to the account's numbers.

use domain::clock::UnixMillis;
use domain::control::Account;
use domain::id::{AccountId, MessageId};
use domain::keyword::phrase;
use domain::limits::{OFFSET_MAX, PAGE_ROWS_MAX};
use domain::phone::Phone;
use domain::problem::Problem;
use store::question::IncomingQuery;

use super::filter::{LIMIT_DEFAULT, date_form, date_from, date_to, keep};
use crate::api::call::Call;
use crate::api::incoming_item::IncomingItem;
use crate::api::query::{Parameters, invalid};
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

/// Longest number or keyword of a filter, in octets.
const FILTER_OCTETS_MAX: usize = 64;

/// Lists incoming messages, newest first.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let parameters = Parameters::parse(&call.query)?;
    let mut faults = Vec::new();
    let form = keep(parameters.read("getFullDate", date_form), &mut faults).flatten().unwrap_or_default();
    let query = read(&parameters, &call.caller.account, call.now, &mut faults);
    if !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    let page = backend.incoming(query).await?;
    if page.rows.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    let data: Vec<IncomingItem<'_>> = page.rows.iter().map(|message| IncomingItem::new(message, form)).collect();
    let extra = Extra { next_cursor: page.next.map(MessageId::to_reference), ..Extra::default() };
    Ok(Answer::done(call.uniq_id, &data, &[], extra))
}

fn read(parameters: &Parameters<'_>, account: &Account, now: UnixMillis, faults: &mut Vec<Fault>) -> IncomingQuery {
    let id: AccountId = account.id;
    let offset = keep(parameters.number("offset", 0, 0, OFFSET_MAX), faults).unwrap_or(0);
    let after = keep(parameters.read("cursor", MessageId::from_reference), faults).flatten();
    if after.is_some() && offset > 0 {
        faults.push(invalid("cursor", "with offset"));
    }
    IncomingQuery {
        phone: keep(parameters.read("phoneNumber", |text| Phone::parse(text.trim()).ok()), faults).flatten(),
        number: keep(parameters.read("number", number), faults).flatten(),
        keyword: keep(parameters.read("keyword", |text| keyword(text, account)), faults).flatten(),
        from: keep(parameters.read("dateFrom", |text| date_from(text, now)), faults).flatten(),
        to: keep(parameters.read("dateTo", date_to), faults).flatten(),
        offset,
        limit: keep(parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX), faults).unwrap_or(LIMIT_DEFAULT),
        after,
        ..IncomingQuery::of(Some(id))
    }
}

/// A short code or long number; a `+` in front has become a space where it was not escaped.
pub(super) fn number(text: &str) -> Option<Box<str>> {
    let digits = text.trim().trim_start_matches('+');
    let is_number =
        (1..=FILTER_OCTETS_MAX).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.into())
}

/// A keyword as its owner writes it, whatever its case here.
fn keyword(text: &str, account: &Account) -> Option<Box<str>> {
    if text.len() > FILTER_OCTETS_MAX {
        return None;
    }
    let asked = phrase(text);
    let mut known = account.numbers.iter().flat_map(|number| &number.settings.keywords);
    Some(known.find(|known| phrase(known) == asked).map_or(text, String::as_str).into())
}
