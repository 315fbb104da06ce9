//! What waits.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::choice::Choice;
use domain::id::CarrierId;
use domain::lane::Lane;
use flow::send::{BindState, PaceReason};
use serde_json::{Value, json};

use super::desk::OperationsDesk;
use super::selection::name_of_removed;

/// How long the speed of the carriers is watched.
const WATCHED: Duration = Duration::from_secs(1);

/// All lines: what waits, how old it is, how fast it leaves, and what holds it up.
pub(super) async fn list(desk: &OperationsDesk, measure: bool) -> Result<Value, String> {
    let before = taken(desk);
    if measure {
        tokio::time::sleep(WATCHED).await;
    }
    let speed = taken(desk).into_iter().map(|(carrier, now)| {
        let then = before.get(&carrier).copied().unwrap_or(now);
        (carrier, now.saturating_sub(then))
    });
    let speed: BTreeMap<CarrierId, u64> = speed.collect();
    let mut lines = Vec::new();
    for lane in Lane::ALL {
        let waiting = desk.store.lines(lane).await.map_err(|error| error.to_string())?;
        let mut by_carrier: BTreeMap<CarrierId, u64> = BTreeMap::new();
        for (carrier, _, waiting) in waiting {
            *by_carrier.entry(carrier).or_default() += waiting;
        }
        for (carrier, waiting) in by_carrier {
            lines.push(line(desk, lane, (carrier, waiting), speed.get(&carrier).copied().unwrap_or(0)));
        }
    }
    Ok(json!({ "lines": lines, "carriers": carriers(desk, &speed) }))
}

/// Parts that operators answered, by carrier, over the sessions of now.
fn taken(desk: &OperationsDesk) -> BTreeMap<CarrierId, u64> {
    let answered = |binds: Vec<flow::send::BindView>| binds.iter().map(|bind| bind.stats().answered).sum();
    desk.send.carriers().iter().map(|state| (state.carrier.id, answered(state.binds()))).collect()
}

fn line(desk: &OperationsDesk, lane: Lane, (carrier, waiting): (CarrierId, u64), per_second: u64) -> Value {
    let control = desk.store.control();
    let (in_memory, oldest, _) = desk.enqueue.line(lane, carrier).depth();
    let age = oldest.map(|oldest| desk.clock.now().since_ms(oldest).max(0) / 1000);
    json!({
        "lane": lane.name(),
        "carrier": control.carrier(carrier).map_or_else(|| name_of_removed(carrier), |carrier| carrier.name.clone()),
        "waiting": waiting,
        "inMemory": in_memory,
        "oldestSeconds": age,
        "endsInSeconds": (per_second > 0).then(|| waiting / per_second),
        "hold": control.hold(carrier).map(|hold| hold.mode.name()),
        "removed": control.carrier(carrier).is_none(),
    })
}

fn carriers(desk: &OperationsDesk, speed: &BTreeMap<CarrierId, u64>) -> Vec<Value> {
    let control = desk.store.control();
    let carrier = |state: &std::sync::Arc<flow::send::CarrierState>| {
        let carrier = &state.carrier;
        let binds = state.binds();
        let bound = binds.iter().filter(|bind| bind.state == BindState::Bound).count();
        let problem = binds.iter().find_map(|bind| match &bind.state {
            BindState::Connecting(problem) | BindState::Stopped(problem) if !problem.is_empty() => {
                Some(problem.clone())
            }
            _ => None,
        });
        let hold = control.hold(carrier.id);
        let slowed = binds.iter().filter_map(|bind| {
            let reason = PaceReason::NAMES.iter().find(|(reason, _)| *reason == bind.pace_reason)?.1;
            let per_second = bind.pace_per_second?;
            Some(json!({ "bind": bind.index, "perSecond": per_second, "reason": reason }))
        });
        let paces: Vec<Value> = slowed.collect();
        json!({
            "carrier": carrier.name,
            "binds": binds.len(),
            "bound": bound,
            "problem": problem,
            "partsPerSecond": speed.get(&carrier.id).copied().unwrap_or(0),
            "ratePerSecond": carrier.rate_per_second,
            "paces": paces,
            "hold": hold.map(|hold| json!({
                "mode": hold.mode.name(), "since": domain::timestamp::format_utc(hold.since), "who": hold.who, "reason": hold.reason,
            })),
        })
    };
    desk.send.carriers().iter().map(carrier).collect()
}
