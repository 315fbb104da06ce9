//! `/v2.1/optouts`: who wants no messages.

use domain::id::AccountId;
use domain::limits::{OPT_OUTS_PER_ACCOUNT_MAX, PAGE_ROWS_MAX, RECIPIENTS_PER_REQUEST_MAX};
use domain::person::{OptOut, OptOutKey, OptOutOrigin, PersonFact};
use domain::phone::Phone;
use domain::problem::Problem;
use domain::sender::Sender;
use serde::Serialize;

use super::filter::{LIMIT_DEFAULT, keep};
use crate::api::call::Call;
use crate::api::item::{DateForm, Moment, with_plus};
use crate::api::json::Fields;
use crate::api::query::Parameters;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

const FIELDS: [&str; 2] = ["phoneNumbers", "sender"];

/// An entry of the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    /// Empty: from none of the account's senders.
    sender: &'a str,
    since_time: Moment,
    origin: &'static str,
}

impl<'a> Item<'a> {
    fn new(entry: &'a OptOut) -> Self {
        Self {
            phone_number: entry.key.phone,
            sender: &entry.key.sender,
            since_time: Moment::new(entry.at, DateForm::Seconds),
            origin: entry.origin.name(),
        }
    }
}

/// Lists entries by number and sender.
pub(in crate::api) fn list<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let parameters = Parameters::parse(&call.query)?;
    let account = call.caller.account.id;
    let mut faults = Vec::new();
    let limit = keep(parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX), &mut faults);
    let after = keep(parameters.read("cursor", |text| cursor(account, text)), &mut faults).flatten();
    let phone = keep(parameters.read("phoneNumber", |text| Phone::parse(text.trim()).ok()), &mut faults).flatten();
    if !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    let limit = limit.unwrap_or(LIMIT_DEFAULT) as usize;
    let from = phone.map(|phone| OptOutKey { account, phone, sender: Box::default() });
    let mut entries = match &from {
        // The first entry of a number has the empty sender, so it is asked for on its own.
        Some(first) => backend.opt_outs_of(first),
        None => backend.opt_outs(account, after.as_ref(), limit + 1),
    };
    let more = entries.len() > limit;
    entries.truncate(limit);
    if entries.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    let next = entries.last().filter(|_| more).map(|last| format!("{},{}", last.key.phone, last.key.sender));
    let data: Vec<Item<'_>> = entries.iter().map(Item::new).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], Extra { next_cursor: next, ..Extra::default() }))
}

fn cursor(account: AccountId, text: &str) -> Option<OptOutKey> {
    let (phone, sender) = text.split_once(',')?;
    Some(OptOutKey { account, phone: Phone::parse(phone).ok()?, sender: sender.into() })
}

/// Adds entries; those that are there stay what they are.
pub(in crate::api) async fn add<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let keys = keys(&mut call).await?;
    if backend.opt_outs(call.caller.account.id, None, OPT_OUTS_PER_ACCOUNT_MAX).len() + keys.len()
        > OPT_OUTS_PER_ACCOUNT_MAX
    {
        return Err(Fault::of(Problem::RecipientsTooMany, "phoneNumbers", &keys.len().to_string()).into());
    }
    let entry = |key| OptOut { key, at: call.now, origin: OptOutOrigin::Account };
    let entries: Vec<OptOut> = keys.into_iter().map(entry).collect();
    backend.record_people(entries.iter().cloned().map(PersonFact::OptedOut).collect()).await?;
    let data: Vec<Item<'_>> = entries.iter().map(Item::new).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], Extra::default()))
}

/// Takes entries off; those that are not there are none afterwards either.
pub(in crate::api) async fn remove<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let keys = keys(&mut call).await?;
    let known: Vec<OptOut> = keys.iter().flat_map(|key| backend.opt_outs_of(key)).collect();
    let removed: Vec<OptOut> = known.into_iter().filter(|entry| keys.contains(&entry.key)).collect();
    if removed.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    backend.record_people(keys.into_iter().map(PersonFact::OptedIn).collect()).await?;
    let data: Vec<Item<'_>> = removed.iter().map(Item::new).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], Extra::default()))
}

async fn keys(call: &mut Call) -> Result<Vec<OptOutKey>, Rejection> {
    let account = call.caller.account.id;
    let [numbers, sender] = call.object(&FIELDS).await?;
    let mut fields = Fields::default();
    let numbers = fields.texts("phoneNumbers", numbers);
    let sender = fields.text("sender", sender).unwrap_or_default();
    let mut faults = fields.into_faults();
    let numbers = numbers.unwrap_or_default();
    if faults.is_empty() && numbers.is_empty() {
        faults.push(Fault::of(Problem::RecipientsMissing, "phoneNumbers", ""));
    }
    if numbers.len() > RECIPIENTS_PER_REQUEST_MAX {
        faults.push(Fault::of(Problem::RecipientsTooMany, "phoneNumbers", &numbers.len().to_string()));
    }
    if !sender.is_empty() && Sender::parse(&sender).is_err() {
        faults.push(Fault::of(Problem::SenderInvalid, "sender", &sender));
    }
    let mut keys = Vec::with_capacity(numbers.len());
    for (index, number) in numbers.iter().enumerate().take(RECIPIENTS_PER_REQUEST_MAX) {
        match Phone::parse(number) {
            Ok(phone) => keys.push(OptOutKey { account, phone, sender: sender.as_str().into() }),
            Err(_) => faults.push(Fault::of(Problem::RecipientInvalid, format!("phoneNumbers[{index}]"), number)),
        }
    }
    if faults.is_empty() { Ok(keys) } else { Err(Rejection::new(faults)) }
}
