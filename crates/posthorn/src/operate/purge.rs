//! Ending what waits.

use serde_json::{Value, json};
use store::control::Note;
use web::operations::local::Caller;

use super::desk::OperationsDesk;
use super::order::PurgeOrder;
use super::selection::{in_words, selection};

/// Ends the selected messages as rejected, or counts them.
pub(super) async fn purge(desk: &OperationsDesk, order: PurgeOrder, caller: &Caller) -> Result<Value, String> {
    let selection = selection(desk, &order.selection)?;
    if order.dry_run {
        let count = desk.settle.count(selection).await.map_err(|error| error.to_string())?;
        return Ok(json!({ "count": count }));
    }
    let what = in_words(&order.selection);
    let note = |detail: String| Note {
        who: caller.name.clone(),
        action: "purge".into(),
        what: what.clone(),
        reason: order.reason.clone(),
        detail,
    };
    // Noted first: nothing ends without a trace of who ended it, even if the server is killed half-way.
    desk.note(note("begun".into())).await?;
    let (settle, reason) = (desk.settle.clone(), order.reason.clone());
    // On a task of its own: it must not stop between taking a message out and recording it when the caller goes away.
    let purging = tokio::spawn(async move { settle.purge(selection, &reason).await });
    let purged = purging.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    desk.note(note(format!("{} messages rejected, {} left with a bind", purged.ended, purged.left))).await?;
    tracing::warn!(target: "posthorn", who = caller.name, what, ended = purged.ended, "waiting messages were purged");
    Ok(json!({ "ended": purged.ended, "left": purged.left }))
}
