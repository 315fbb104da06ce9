//! `/v2.1/talks`: who is in the middle of a talk with a bot, and whom a person has taken over.

use domain::id::AccountId;
use domain::limits::PAGE_ROWS_MAX;
use domain::person::{PersonFact, Talk, TalkKey};
use domain::phone::Phone;
use domain::problem::Problem;
use serde::Serialize;

use super::filter::{LIMIT_DEFAULT, keep};
use crate::api::call::Call;
use crate::api::item::{DateForm, Moment, with_plus};
use crate::api::json::Fields;
use crate::api::query::Parameters;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

const FIELDS: [&str; 2] = ["number", "phoneNumber"];

/// A talk.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    number: &'a str,
    #[serde(serialize_with = "with_plus")]
    phone_number: Phone,
    /// A person has taken over: the bot is silent.
    handed_over: bool,
    /// The bot's flow and the step whose answer is awaited; empty after a hand-over.
    flow: &'a str,
    step: &'a str,
    /// When it ends by itself.
    until_time: Moment,
}

impl<'a> Item<'a> {
    fn new(talk: &'a Talk) -> Self {
        Self {
            number: &talk.key.number,
            phone_number: talk.key.phone,
            handed_over: talk.position.is_handed_over(),
            flow: &talk.position.flow,
            step: &talk.position.step,
            until_time: Moment::new(talk.until, DateForm::Seconds),
        }
    }
}

/// Lists talks by number and person.
pub(in crate::api) fn list<B: Backend>(backend: &B, call: &Call) -> Result<Answer, Rejection> {
    let parameters = Parameters::parse(&call.query)?;
    let account = call.caller.account.id;
    let mut faults = Vec::new();
    let limit = keep(parameters.number("limit", LIMIT_DEFAULT, 1, PAGE_ROWS_MAX), &mut faults);
    let after = keep(parameters.read("cursor", |text| cursor(account, text)), &mut faults).flatten();
    if !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    let limit = limit.unwrap_or(LIMIT_DEFAULT) as usize;
    let mut talks = backend.talks(account, after.as_ref(), limit + 1);
    let more = talks.len() > limit;
    talks.truncate(limit);
    if talks.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    let next = talks.last().filter(|_| more).map(|last| format!("{},{}", last.key.number, last.key.phone));
    let data: Vec<Item<'_>> = talks.iter().map(|talk| Item::new(talk)).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], Extra { next_cursor: next, ..Extra::default() }))
}

fn cursor(account: AccountId, text: &str) -> Option<TalkKey> {
    let (number, phone) = text.rsplit_once(',')?;
    Some(TalkKey { account, number: number.into(), phone: Phone::parse(phone).ok()? })
}

/// Ends a talk: what the person writes next begins anew with the bot. Durable when it is answered.
pub(in crate::api) async fn end<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let account = call.caller.account.id;
    let [number, phone] = call.object(&FIELDS).await?;
    let mut fields = Fields::default();
    let number = fields.text("number", number).unwrap_or_default();
    let phone = fields.text("phoneNumber", phone).unwrap_or_default();
    let mut faults = fields.into_faults();
    let read = Phone::parse(&phone);
    if faults.is_empty() && number.is_empty() {
        faults.push(Fault::of(Problem::FieldMissing, "number", ""));
    }
    if faults.is_empty() && read.is_err() {
        faults.push(Fault::of(Problem::RecipientInvalid, "phoneNumber", &phone));
    }
    let (true, Ok(phone)) = (faults.is_empty(), read) else { return Err(Rejection::new(faults)) };
    let key = TalkKey { account, number: number.as_str().into(), phone };
    let talk = backend.talk(&key).ok_or(Problem::NothingFound)?;
    backend.record_people(vec![PersonFact::TalkEnded(key)]).await?;
    Ok(Answer::done(call.uniq_id, &[Item::new(&talk)], &[], Extra::default()))
}
