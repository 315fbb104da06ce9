//! All control data at one version.

use std::collections::HashMap;
use std::sync::Arc;

use super::account::Account;
use super::carrier::Carrier;
use super::hold::{Hold, HoldMode};
use super::key::Key;
use super::owners::{Owner, Owners};
use super::route::Route;
use super::routes::{Mismatch, Routes, Subject};
use crate::id::{AccountId, CarrierId};

/// All control data at one version.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// Rises with every change.
    pub version: u64,
    accounts: HashMap<AccountId, Arc<Account>>,
    keys_by_digest: HashMap<[u8; 32], Arc<Key>>,
    carriers: HashMap<CarrierId, Arc<Carrier>>,
    routes: Routes,
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
        routes: Vec<Route>,
    ) -> Self {
        let by_name = accounts.iter().map(|account| (account.name.as_str(), account.id)).collect();
        let routes = Routes::new(routes, &by_name);
        let accounts = accounts.into_iter().map(|account| (account.id, Arc::new(account))).collect();
        Self {
            version,
            owners: Owners::new(&accounts),
            accounts,
            keys_by_digest: keys.into_iter().map(|key| (key.digest, Arc::new(key))).collect(),
            carriers: carriers.into_iter().map(|carrier| (carrier.id, Arc::new(carrier))).collect(),
            routes,
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

    /// The carriers whose receipts may come over this one: itself first.
    pub fn sharing_account(&self, id: CarrierId) -> impl Iterator<Item = CarrierId> {
        let account = self.carrier(id).map_or("", |carrier| carrier.operator_account.as_str());
        let shares =
            move |other: &&Arc<Carrier>| other.id != id && !account.is_empty() && other.operator_account == account;
        std::iter::once(id).chain(self.carriers.values().filter(shares).map(|other| other.id))
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

    /// Routes that may carry a message, in the order they are tried: by network, then the longest prefix,
    /// then the order of the file.
    pub fn routes_to<'a>(&'a self, subject: &Subject<'_>) -> impl Iterator<Item = &'a Arc<Route>> {
        self.routes.to(subject)
    }

    /// All routes to the subject's number, those for other messages with what speaks against them. Looks at
    /// every route: for explanations.
    #[must_use]
    pub fn routes_near(&self, subject: &Subject<'_>) -> Vec<(&Arc<Route>, Option<Mismatch>)> {
        let account = self.account(subject.account).map(|account| account.name.as_str());
        self.routes.near(subject, account)
    }

    /// Whether any route is for a network.
    #[must_use]
    pub fn routes_by_network(&self) -> bool {
        self.routes.ask_for_networks()
    }

    /// All routes in the order of the file.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.all().iter()
    }
}
