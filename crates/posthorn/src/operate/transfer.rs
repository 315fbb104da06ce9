//! Moving what waits to another carrier.

use domain::control::HoldMode;
use flow::route::Transferred;
use serde_json::{Value, json};
use store::control::Note;
use web::operations::local::Caller;

use super::desk::OperationsDesk;
use super::order::MoveOrder;
use super::selection::{in_words, selection};

/// Has the selected messages wait for another carrier, or counts them.
pub(super) async fn transfer(desk: &OperationsDesk, order: MoveOrder, caller: &Caller) -> Result<Value, String> {
    let selection = selection(desk, &order.selection)?;
    let to = desk.carrier(&order.to)?;
    if to.id == selection.carrier {
        return Err(format!("what waits for {} waits for it already: --from and --to are the same", order.to));
    }
    let hold = desk.store.control().hold(to.id).map(|hold| hold.mode);
    if hold == Some(HoldMode::Draining) {
        return Err(format!("carrier {} is draining and gets nothing new; posthorn carrier resume first", order.to));
    }
    if order.dry_run {
        let counted = desk.transfer.count(selection, &to).await.map_err(|error| error.to_string())?;
        return Ok(answer(counted, hold));
    }
    let what = format!("{} to carrier {}", in_words(&order.selection), order.to);
    let note = |detail: String| Note {
        who: caller.name.clone(),
        action: "move".into(),
        what: what.clone(),
        reason: order.reason.clone(),
        detail,
    };
    // Noted first: nothing moves without a trace of who moved it, even if the server is killed half-way.
    desk.note(note("begun".into())).await?;
    let (transfer, reason) = (desk.transfer.clone(), order.reason.clone());
    // On a task of its own: it must not stop between taking a message out and recording it when the caller goes away.
    let moving = tokio::spawn(async move { transfer.transfer(selection, &to, &reason).await });
    let done = moving.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let Transferred { moved, left, unfit } = done;
    desk.note(note(format!("{moved} messages moved, {left} left with a bind, {unfit} unfit for it"))).await?;
    tracing::warn!(target: "posthorn", who = caller.name, what, moved, left, unfit, "waiting messages were moved");
    Ok(answer(done, hold))
}

fn answer(Transferred { moved, left, unfit }: Transferred, hold: Option<HoldMode>) -> Value {
    use domain::choice::Choice as _;
    json!({ "moved": moved, "left": left, "unfit": unfit, "hold": hold.map(HoldMode::name) })
}
