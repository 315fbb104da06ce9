//! `DELETE /v2.1/sms`: takes back what was not handed over yet.

use domain::limits::EXTERNAL_ID_LENGTH_MAX;
use domain::problem::Problem;

use crate::api::call::Call;
use crate::api::item::{DateForm, SmsItem};
use crate::api::json::Fields;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Fault, Rejection};

/// References one call may cancel.
const EXTERNAL_IDS_MAX: usize = 1_000;
/// A reference and the `-10000` of a request with several numbers.
const REFERENCE_LENGTH_MAX: usize = EXTERNAL_ID_LENGTH_MAX + 6;
const FIELDS: [&str; 1] = ["externalId"];

/// Cancels each message; what can't be cancelled any more is told one by one.
pub(in crate::api) async fn answer<B: Backend>(backend: &B, mut call: Call) -> Result<Answer, Rejection> {
    let [external_id] = call.object(&FIELDS).await?;
    let mut fields = Fields::default();
    let external_ids = fields.texts("externalId", external_id);
    let faults = fields.into_faults();
    if !faults.is_empty() {
        return Err(Rejection::new(faults));
    }
    let external_ids = check(external_ids)?;
    let outcome = backend.cancel(call.caller.account.id, &external_ids).await?;
    let faults: Vec<Fault> = outcome.refused.into_iter().map(Fault::from).collect();
    if outcome.cancelled.is_empty() {
        return Err(Rejection::new(faults));
    }
    let data: Vec<SmsItem<'_>> =
        outcome.cancelled.iter().map(|record| SmsItem::stored(record, DateForm::Seconds)).collect();
    Ok(Answer::done(call.uniq_id, &data, &faults, Extra::default()))
}

fn check(external_ids: Option<Vec<String>>) -> Result<Vec<String>, Rejection> {
    let external_ids = external_ids.unwrap_or_default();
    if external_ids.is_empty() {
        return Err(Fault::of(Problem::FieldMissing, "externalId", "").into());
    }
    if external_ids.len() > EXTERNAL_IDS_MAX {
        let count = external_ids.len().to_string();
        return Err(Fault::of(Problem::ExternalIdInvalid, "externalId", &count).into());
    }
    let well_formed = |id: &String| (1..=REFERENCE_LENGTH_MAX).contains(&id.len()) && id.bytes().all(is_reference_byte);
    let faults: Vec<Fault> = external_ids
        .iter()
        .enumerate()
        .filter(|(_, id)| !well_formed(id))
        .map(|(index, id)| Fault::of(Problem::ExternalIdInvalid, format!("externalId[{index}]"), id))
        .collect();
    if faults.is_empty() { Ok(external_ids) } else { Err(Rejection::new(faults)) }
}

fn is_reference_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte)
}
