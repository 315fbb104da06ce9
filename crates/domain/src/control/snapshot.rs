//! All control data at one version.

use std::collections::HashMap;
use std::sync::Arc;

use super::account::Account;
use super::carrier::Carrier;
use super::hold::{Hold, HoldMode};
use super::key::Key;
use super::owners::{Owner, Owners};
use super::route::Route;
use crate::id::{AccountId, CarrierId};
use crate::phone::Phone;

/// All control data at one version.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// Rises with every change.
    pub version: u64,
    accounts: HashMap<AccountId, Arc<Account>>,
    keys_by_digest: HashMap<[u8; 32], Arc<Key>>,
    carriers: HashMap<CarrierId, Arc<Carrier>>,
    /// Longest prefix first, then the order of the file.
    routes: Vec<Arc<Route>>,
    holds: HashMap<CarrierId, Hold>,
    owners: Owners,
}

impl Control {
    /// Builds a snapshot; routes are given in the order of the file.
    #[must_use]
    pub fn new(
        version: u64,
        accounts: Vec<Account>,
        keys: Vec<Key>,
        carriers: Vec<Carrier>,
        mut routes: Vec<Route>,
    ) -> Self {
        routes.sort_by_key(|route| std::cmp::Reverse(route.prefix.len()));
        let accounts = accounts.into_iter().map(|account| (account.id, Arc::new(account))).collect();
        Self {
            version,
            owners: Owners::new(&accounts),
            accounts,
            keys_by_digest: keys.into_iter().map(|key| (key.digest, Arc::new(key))).collect(),
            carriers: carriers.into_iter().map(|carrier| (carrier.id, Arc::new(carrier))).collect(),
            routes: routes.into_iter().map(Arc::new).collect(),
            holds: HashMap::new(),
        }
    }

    /// The same with these carriers held back.
    #[must_use]
    pub fn with_holds(self, holds: HashMap<CarrierId, Hold>) -> Self {
        Self { holds, ..self }
    }

    /// Whether exactly the same carriers are held back, for the same reasons.
    #[must_use]
    pub fn has_holds_of(&self, other: &Self) -> bool {
        self.holds == other.holds
    }

    /// How and why a carrier is held back, if it is.
    #[must_use]
    pub fn hold(&self, carrier: CarrierId) -> Option<&Hold> {
        self.holds.get(&carrier)
    }

    /// Whether nothing may be sent over a carrier.
    #[must_use]
    pub fn is_paused(&self, carrier: CarrierId) -> bool {
        self.hold(carrier).is_some_and(|hold| hold.mode == HoldMode::Paused)
    }

    /// Whether new messages may be given to a carrier: one that is draining only sends what waits for it.
    #[must_use]
    pub fn takes_new(&self, carrier: CarrierId) -> bool {
        self.hold(carrier).is_none_or(|hold| hold.mode != HoldMode::Draining)
    }

    /// The account of that row.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(&id)
    }

    /// All accounts, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.accounts.values()
    }

    /// The key with that digest.
    #[must_use]
    pub fn key(&self, digest: &[u8; 32]) -> Option<&Arc<Key>> {
        self.keys_by_digest.get(digest)
    }

    /// The carrier of that row.
    #[must_use]
    pub fn carrier(&self, id: CarrierId) -> Option<&Arc<Carrier>> {
        self.carriers.get(&id)
    }

    /// All carriers, in no order.
    pub fn carriers(&self) -> impl Iterator<Item = &Arc<Carrier>> {
        self.carriers.values()
    }

    /// Whose a text to a number is: whose keyword is the longest that its first word begins with.
    #[must_use]
    pub fn owner_of_text(&self, carrier: CarrierId, number: &str, text: &str) -> Option<Owner<'_>> {
        self.owners.of_text(&self.accounts, carrier, number, text)
    }

    /// Everybody who has a share of a number, the owner of everything that no keyword claims last.
    #[must_use]
    pub fn owners_of_number(&self, carrier: CarrierId, number: &str) -> Vec<Owner<'_>> {
        self.owners.of_number(&self.accounts, carrier, number)
    }

    /// Routes to a number: the longest prefix first, then the order of the file.
    pub fn routes_to(&self, phone: Phone) -> impl Iterator<Item = &Arc<Route>> {
        let digits = phone.to_string();
        self.routes.iter().filter(move |route| route.network.is_empty() && digits.starts_with(&route.prefix))
    }

    /// All routes, longest prefix first.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter()
    }
}
