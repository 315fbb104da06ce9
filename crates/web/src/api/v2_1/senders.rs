//! `OPTIONS` and `GET /v2.1/sms/senders`: the senders of this key.

use domain::problem::Problem;
use serde::Serialize;

use crate::api::call::Call;
use crate::envelope::{Answer, Extra, Rejection};

#[derive(Serialize)]
struct SenderItem<'a> {
    id: u32,
    name: &'a str,
}

/// Lists the approved senders that the key was given.
pub(in crate::api) fn answer(call: &Call) -> Result<Answer, Rejection> {
    let assigned = &call.caller.key.senders;
    let usable = call.caller.account.senders.iter().filter(|entry| entry.approved && assigned.contains(&entry.id));
    let data: Vec<SenderItem<'_>> =
        usable.map(|entry| SenderItem { id: entry.id.0, name: entry.name.as_str() }).collect();
    if data.is_empty() {
        return Err(Problem::NothingFound.into());
    }
    Ok(Answer::done(call.uniq_id, &data, &[], Extra::default()))
}
