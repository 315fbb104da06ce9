//! What people wrote where nobody is at home.

use domain::incoming::IncomingMessage;
use domain::limits::PAGE_ROWS_MAX;
use domain::timestamp;
use serde_json::{Value, json};
use store::control::Note;
use store::question::IncomingQuery;
use web::operations::local::Caller;

use super::desk::OperationsDesk;
use super::order::UnownedOrder;

/// Incoming messages whose number and keyword no account owns, newest first; numbers of people masked and texts left
/// out unless asked for with a reason.
pub(super) async fn unowned(desk: &OperationsDesk, order: UnownedOrder, caller: &Caller) -> Result<Value, String> {
    if order.show_text {
        let reason = order.reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason.ok_or("texts are shown only for a reason: add --reason")?;
        let (action, what) = ("incoming".into(), "messages without an owner".into());
        let detail = "texts and whole numbers shown".into();
        desk.note(Note { who: caller.name.clone(), action, what, reason, detail }).await?;
    }
    let query = IncomingQuery { limit: order.count.clamp(1, PAGE_ROWS_MAX), ..IncomingQuery::of(None) };
    let page = desk.store.incoming(query).await.map_err(|error| error.to_string())?;
    let control = desk.store.control();
    let told = page.rows.into_iter().map(|message| {
        let carrier = control.carriers().find(|carrier| carrier.id == message.carrier);
        let mut told = json!({
            "id": message.id.to_string(), "receivedTime": timestamp::format_rfc3339(message.at),
            "carrier": carrier.map_or("", |carrier| &carrier.name), "number": message.number,
            "phoneNumber": sender(&message, order.show_text), "characters": message.text.chars().count(),
        });
        if order.show_text {
            told["message"] = (&*message.text).into();
        }
        told
    });
    Ok(told.collect())
}

/// Who wrote: a phone number masked unless `whole`; what is none, such as a name, says nothing of a person.
fn sender(message: &IncomingMessage, whole: bool) -> String {
    match message.phone {
        Some(phone) if whole => format!("+{phone}"),
        Some(phone) => phone.masked(),
        None => message.source.to_string(),
    }
}
