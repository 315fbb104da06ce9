//! `GET /v2.1/sms/{externalId}/explain`: how a message came to be what it is.

use domain::problem::Problem;

use crate::api::call::Call;
use crate::api::explained::Explained;
use crate::backend::Backend;
use crate::envelope::{Answer, Extra, Rejection};

/// Explains the messages with that externalId, at most twenty of a request.
pub(in crate::api) async fn answer<B: Backend>(
    backend: &B,
    call: &Call,
    external_id: &str,
) -> Result<Answer, Rejection> {
    // As in lists, `C-` may stand in front.
    let bare = external_id.strip_prefix("C-");
    let account = call.caller.account.id;
    let mut found = backend.explain(account, external_id).await?;
    if let Some(bare) = bare.filter(|_| found.is_empty()) {
        found = backend.explain(account, bare).await?;
    }
    if found.is_empty() {
        return Err(Problem::MessageNotFound.into());
    }
    let data: Vec<Explained> = found.into_iter().map(Explained::of).collect();
    Ok(Answer::done(call.uniq_id, &data, &[], Extra::default()))
}
