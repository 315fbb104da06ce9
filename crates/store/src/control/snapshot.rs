//! Stored control data as the snapshot the data plane looks into.

use std::collections::HashMap;

use domain::control::{Account, Control, Key, Number, Route};
use domain::id::{AccountId, CarrierId};

use super::content::{AccountEntry, Content, KeyEntry, RouteEntry};

/// Builds the snapshot of a stored content.
pub(super) fn build(version: u64, content: Content) -> Control {
    let carriers: HashMap<String, CarrierId> =
        content.carriers.iter().map(|carrier| (carrier.name.clone(), carrier.id)).collect();
    let keys =
        content.accounts.iter().flat_map(|account| account.keys.iter().filter_map(|key| build_key(account, key)));
    let keys = keys.collect();
    let routes = content.routes.into_iter().map(|route| build_route(route, &carriers)).collect();
    let accounts = content.accounts.into_iter().map(|account| build_account(account, &carriers)).collect();
    Control::new(version, accounts, keys, content.carriers, routes)
}

fn build_route(route: RouteEntry, carriers: &HashMap<String, CarrierId>) -> Route {
    Route {
        id: route.id,
        prefix: route.prefix,
        network: route.network,
        carriers: route.carriers.iter().filter_map(|name| carriers.get(name).copied()).collect(),
        settings: route.settings,
    }
}

/// A kept key may name senders that the account no longer has: those it cannot use.
fn build_key(account: &AccountEntry, key: &KeyEntry) -> Option<Key> {
    Some(Key {
        id: key.id,
        account: AccountId(account.id.0),
        name: key.name.clone(),
        digest: key.digest?,
        senders: key.senders.iter().filter_map(|name| account.sender(name).map(|sender| sender.id)).collect(),
        settings: key.settings.clone(),
    })
}

fn build_account(account: AccountEntry, carriers: &HashMap<String, CarrierId>) -> Account {
    let number = |number: super::content::NumberEntry| {
        let carrier = carriers.get(&number.carrier).copied()?;
        Some(Number { number: number.number, carrier, settings: number.settings })
    };
    Account {
        id: account.id,
        name: account.name,
        settings: account.settings,
        senders: account.senders,
        endpoints: account.endpoints,
        numbers: account.numbers.into_iter().filter_map(number).collect(),
    }
}
