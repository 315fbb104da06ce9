//! Showing PDUs as they come and go.

use std::time::Duration;

use domain::limits::TRACE_SECONDS_MAX;
use domain::timestamp;
use flow::send::trace::{Masking, OUTBIND, TraceFilter, TraceLine};
use serde_json::{Map, Value, json};
use smpp::session::Direction;
use store::control::Note;
use tokio::time::{Instant, timeout_at};
use web::operations::local::{Caller, Lines};

use super::desk::OperationsDesk;
use super::order::TraceOrder;

/// Shows what fits the filter until the time is over or nobody listens.
pub(super) async fn trace(
    desk: &OperationsDesk,
    order: TraceOrder,
    caller: &Caller,
    lines: &mut Lines,
) -> Result<Value, String> {
    if let Some(name) = &order.carrier {
        let carrier = desk.carrier(name)?;
        if let Some(bind) = order.bind.filter(|bind| *bind >= carrier.binds) {
            return Err(format!("carrier {name} has no bind {bind}: its binds are 0 to {}", carrier.binds - 1));
        }
    }
    if !(1..=TRACE_SECONDS_MAX).contains(&order.seconds) {
        return Err(format!("a trace lasts 1 to {TRACE_SECONDS_MAX} seconds"));
    }
    note_if_open(desk, &order, caller).await?;
    let masking = Masking { show_text: order.show_text, show_numbers: order.show_numbers };
    let number = order.number.map(|number| number.trim_start_matches('+').to_owned());
    let filter = TraceFilter { carrier: order.carrier, bind: order.bind, number };
    let mut stream = desk.traces.open(filter).ok_or("too many people look already: close another trace first")?;
    let until = Instant::now() + Duration::from_secs(order.seconds.into());
    let (mut shown, mut missed) = (0_u64, 0_u64);
    while let Ok(Some(frame)) = timeout_at(until, stream.next()).await {
        let gap = stream.take_missed();
        if gap > 0 && !lines.send(json!({ "missed": gap })).await {
            break;
        }
        missed += gap;
        shown += 1;
        if !lines.send(as_json(&TraceLine::of(&frame, masking))).await {
            break;
        }
    }
    Ok(json!({ "shown": shown, "missed": missed, "seconds": order.seconds }))
}

/// Whoever looks at what people write, or at whole numbers, says why and is remembered for it.
async fn note_if_open(desk: &OperationsDesk, order: &TraceOrder, caller: &Caller) -> Result<(), String> {
    let open = match (order.show_text, order.show_numbers) {
        (false, false) => return Ok(()),
        (true, false) => "texts shown",
        (false, true) => "whole numbers shown",
        (true, true) => "texts and whole numbers shown",
    };
    let reason = order.reason.clone().filter(|reason| !reason.trim().is_empty());
    let reason = reason.ok_or("texts and whole numbers are shown to whoever gives a reason: add --reason \"…\"")?;
    let carrier = order.carrier.as_ref().map_or_else(|| "all carriers".to_owned(), |name| format!("carrier {name}"));
    let note = Note {
        who: caller.name.clone(),
        action: "trace".into(),
        what: carrier,
        reason,
        detail: format!("{open} for {} s", order.seconds),
    };
    desk.note(note).await
}

fn as_json(line: &TraceLine) -> Value {
    let fields: Map<String, Value> =
        line.fields.iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone()))).collect();
    json!({
        "at": timestamp::format_utc(line.at),
        "atMs": line.at.0,
        "carrier": line.carrier,
        "bind": if line.bind == OUTBIND { json!("outbind") } else { json!(line.bind) },
        "direction": if line.direction == Direction::Out { "out" } else { "in" },
        "pdu": line.pdu,
        "sequence": line.sequence_number,
        "status": line.status,
        "refused": line.is_refusal(),
        "fields": fields,
    })
}
