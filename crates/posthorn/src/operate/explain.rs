//! Explaining messages that were sent, and such as nobody has sent yet.

use std::sync::Arc;

use domain::control::{Account, Control, Key, KeySettings};
use domain::id::KeyId;
use domain::lane::Lane;
use domain::phone::Phone;
use domain::sender::Sender;
use flow::accept::Order;
use flow::route::Trip;
use serde_json::Value;
use store::control::Note;
use web::api::{Explained, Foreseen};
use web::operations::local::Caller;

use super::desk::OperationsDesk;
use super::order::{ExplainOrder, ForeseeOrder};

/// Everything that is known of the messages with a reference, of any account; an empty list if there are none.
pub(super) async fn explain(desk: &OperationsDesk, order: ExplainOrder, caller: &Caller) -> Result<Value, String> {
    // As in lists, `C-` may stand in front.
    let mut found = of_reference(desk, &order.reference).await?;
    if let Some(bare) = order.reference.strip_prefix("C-").filter(|_| found.is_empty()) {
        found = of_reference(desk, bare).await?;
    }
    if order.show_numbers {
        let reason = order.reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason.ok_or("whole numbers are shown only for a reason: add --reason")?;
        let (action, what) = ("explain".into(), format!("message {}", order.reference));
        let detail = "whole numbers shown".into();
        desk.note(Note { who: caller.name.clone(), action, what, reason, detail }).await?;
    }
    let told = found.into_iter().map(|account| {
        let masked = account.record.phone.masked();
        let mut told = serde_json::to_value(Explained::of(account)).map_err(|error| error.to_string())?;
        if !order.show_numbers {
            told["phoneNumber"] = masked.into();
        }
        Ok(told)
    });
    told.collect()
}

async fn of_reference(desk: &OperationsDesk, reference: &str) -> Result<Vec<flow::explain::Account>, String> {
    desk.explain.of_any_account(reference).await.map_err(|error| error.to_string())
}

/// What would become of a send, without sending.
pub(super) async fn foresee(desk: &OperationsDesk, order: ForeseeOrder) -> Result<Value, String> {
    let control = desk.store.control();
    let phone = Phone::parse(&order.to).map_err(|error| format!("--to is {:?}: {error}", order.to))?;
    let sender = Sender::parse(&order.sender).map_err(|error| format!("--from is {:?}: {error}", order.sender))?;
    let account = account(&control, &order)?;
    let lane = if order.priority { Lane::Priority } else { Lane::Standard };
    let trip = Trip { phone, sender: &sender, account: account.id, lane };
    let text = order.text.clone();
    let preview = desk.accept.preview(&as_order(order, &account)).await;
    let foreseen = preview.as_ref().ok().and_then(|preview| preview.charges.first()?.explanation.clone());
    let route = foreseen.unwrap_or_else(|| desk.router.explain(&control, &trip));
    let of = (&*account, sender.as_str(), phone, lane);
    serde_json::to_value(Foreseen::of(of, &text, preview, (&route, &control))).map_err(|error| error.to_string())
}

/// The account that is named, or the only one that has the sender.
fn account(control: &Control, order: &ForeseeOrder) -> Result<Arc<Account>, String> {
    if let Some(name) = &order.account {
        let found = control.accounts().find(|account| account.name == *name).cloned();
        return found.ok_or_else(|| format!("there is no account {name}"));
    }
    let mut having: Vec<&Arc<Account>> =
        control.accounts().filter(|account| account.sender(&order.sender).is_some()).collect();
    having.sort_by(|one, other| one.name.cmp(&other.name));
    match having.as_slice() {
        [only] => Ok(Arc::clone(only)),
        [] => {
            Err(format!("no account has the sender {}; name one with --account to see what it would get", order.sender))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|account| account.name.as_str()).collect();
            Err(format!(
                "{} accounts have the sender {}: name one with --account ({})",
                names.len(),
                order.sender,
                names.join(", ")
            ))
        }
    }
}

/// As a key would ask that was given every sender of the account.
fn as_order(order: ForeseeOrder, account: &Arc<Account>) -> Order {
    let key = Key {
        id: KeyId::default(),
        account: account.id,
        name: "explain".into(),
        digest: [0; 32],
        senders: account.senders.iter().map(|entry| entry.id).collect(),
        settings: KeySettings::default(),
    };
    Order {
        account: Arc::clone(account),
        key: Arc::new(key),
        uniq_id: "explain".into(),
        idempotency_key: None,
        sender: Some(order.sender),
        message: Some(order.text),
        phone_numbers: Some(vec![order.to]),
        validity: None,
        schedule_time: None,
        messages_per_hour: None,
        message_type: None,
        short_link: None,
        webhook_url: None,
        external_id: None,
        priority: Some(order.priority),
        encoding: order.encoding,
    }
}
