//! Which of the messages that wait an order means.

use domain::id::CarrierId;
use domain::lane::Lane;
use flow::enqueue::Selection;

use super::desk::OperationsDesk;
use super::order::SelectionOrder;

/// What the names of an order mean, or which of them means nothing.
pub(super) fn selection(desk: &OperationsDesk, order: &SelectionOrder) -> Result<Selection, String> {
    let lane = match &order.lane {
        None => None,
        Some(name) => {
            let found = Lane::ALL.into_iter().find(|lane| lane.name() == name);
            Some(found.ok_or_else(|| {
                format!("there is no lane {name}; allowed are {}", Lane::ALL.map(Lane::name).join(", "))
            })?)
        }
    };
    let control = desk.store.control();
    let account = match &order.account {
        None => None,
        Some(name) => {
            let found = control.accounts().find(|account| account.name == *name).map(|account| account.id);
            Some(found.ok_or_else(|| format!("there is no account {name}"))?)
        }
    };
    Ok(Selection { carrier: carrier(desk, &order.carrier)?, lane, account })
}

/// What a carrier that was removed is called where its messages are listed.
pub(super) fn name_of_removed(carrier: CarrierId) -> String {
    format!("{REMOVED}{}", carrier.0)
}

const REMOVED: &str = "removed carrier ";

/// A carrier that is there, or by the name above one that was removed: messages may wait for it still.
fn carrier(desk: &OperationsDesk, name: &str) -> Result<CarrierId, String> {
    let removed = name.strip_prefix(REMOVED).and_then(|number| number.parse().ok()).map(CarrierId);
    match removed.filter(|removed| desk.store.control().carrier(*removed).is_none()) {
        Some(removed) => Ok(removed),
        None => Ok(desk.carrier(name)?.id),
    }
}

/// The same in words, for the audit.
pub(super) fn in_words(order: &SelectionOrder) -> String {
    let part = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!(", {name} {value}"));
    let parts = [part("lane", &order.lane), part("account", &order.account)];
    format!("carrier {}{}", order.carrier, parts.into_iter().flatten().collect::<String>())
}
