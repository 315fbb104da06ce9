//! Control data as declared in a file and as stored: the same words for both, so that they compare.
//!
//! Entries refer to each other by name here; rows are looked up when they are written.

use domain::control::{
    AccountSettings, Carrier, Endpoint, KeySettings, NumberSettings, RouteSettings, Secret, SenderEntry,
};
use domain::id::{AccountId, KeyId, RouteId};

use super::key::half_digest;

/// All control data. Declared entries have row 0, and an empty webhook secret means "not given".
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    /// Operator connections.
    pub(super) carriers: Vec<Carrier>,
    /// Routes in the order of the file.
    pub(super) routes: Vec<RouteEntry>,
    /// Accounts with everything that is theirs.
    pub(super) accounts: Vec<AccountEntry>,
}

/// A way to numbers or to a network.
#[derive(Clone, Debug)]
pub(super) struct RouteEntry {
    /// Row, 0 when declared.
    pub(super) id: RouteId,
    /// Digits a number must begin with.
    pub(super) prefix: String,
    /// Network instead of a prefix; empty = by prefix.
    pub(super) network: String,
    /// How many routes of the same prefix or network come before it.
    pub(super) occurrence: u32,
    /// Names of the carriers in the order they are tried.
    pub(super) carriers: Vec<String>,
    /// Its conditions.
    pub(super) settings: RouteSettings,
}

/// An account with everything that is its own.
#[derive(Clone, Debug)]
pub(super) struct AccountEntry {
    /// Row, 0 when declared.
    pub(super) id: AccountId,
    /// Unique name.
    pub(super) name: String,
    /// Its conditions.
    pub(super) settings: AccountSettings,
    /// Whether the file says how much money was paid in.
    pub(super) balance_given: bool,
    /// Its senders.
    pub(super) senders: Vec<SenderEntry>,
    /// Its keys.
    pub(super) keys: Vec<KeyEntry>,
    /// Its webhook endpoints.
    pub(super) endpoints: Vec<Endpoint>,
    /// Its numbers.
    pub(super) numbers: Vec<NumberEntry>,
}

/// An application key.
#[derive(Clone, Debug)]
pub(super) struct KeyEntry {
    /// Row, 0 when declared.
    pub(super) id: KeyId,
    /// Name within the account.
    pub(super) name: String,
    /// The `Authorization`.
    pub(super) authorization: Half,
    /// The `Application-Key`.
    pub(super) application_key: Half,
    /// Digest of the pair; known of stored keys and of declared ones with both halves given.
    pub(super) digest: Option<[u8; 32]>,
    /// Names of the senders it may use.
    pub(super) senders: Vec<String>,
    /// What it may do, and from where.
    pub(super) settings: KeySettings,
}

impl KeyEntry {
    /// Whether a stored pair is what this declared key asks for.
    pub(super) fn keeps_pair_of(&self, stored: &Self) -> bool {
        let stays =
            |declared: &Half, stored: &Half| declared.digest().is_none() || declared.digest() == stored.digest();
        stays(&self.authorization, &stored.authorization) && stays(&self.application_key, &stored.application_key)
    }
}

/// One half of a key's pair.
#[derive(Clone, Debug)]
pub(super) enum Half {
    /// The file leaves it out: kept, or generated for a new key.
    Absent,
    /// The file gives it.
    Given(Secret),
    /// Stored.
    Digest([u8; 32]),
}

impl Half {
    /// What it is compared by; `None` where the file leaves it out.
    pub(super) fn digest(&self) -> Option<[u8; 32]> {
        match self {
            Self::Absent => None,
            Self::Given(secret) => Some(half_digest(secret.reveal())),
            Self::Digest(digest) => Some(*digest),
        }
    }
}

/// A number that people can write to.
#[derive(Clone, Debug)]
pub(super) struct NumberEntry {
    /// Row, 0 when declared.
    pub(super) id: u32,
    /// The digits.
    pub(super) number: String,
    /// What it is.
    pub(super) settings: NumberSettings,
    /// Name of the carrier it is connected to.
    pub(super) carrier: String,
}

impl AccountEntry {
    /// Finds a sender by its characters.
    pub(super) fn sender(&self, name: &str) -> Option<&SenderEntry> {
        self.senders.iter().find(|sender| sender.name.as_str() == name)
    }
}

impl Content {
    /// An account whose balance the file leaves out keeps the one it has: money that was paid in is not lost by an
    /// omission. Says which accounts are new and take the default.
    pub(super) fn settle_balances(&mut self, stored: &Self) -> Vec<String> {
        let mut notices = Vec::new();
        for account in self.accounts.iter_mut().filter(|account| !account.balance_given) {
            match stored.accounts.iter().find(|stored| stored.name == account.name) {
                Some(stored) => account.settings.balance = stored.settings.balance,
                None => notices.push(format!(
                    "account {}: balance is left out, so that it starts with {} {}; write balance to give it another sum",
                    account.name, account.settings.balance, account.settings.currency.letters
                )),
            }
        }
        notices
    }
}

impl RouteEntry {
    /// The name of the route in diffs: what it is for and its place among equals.
    pub(super) fn label(&self) -> String {
        let target = match (self.network.as_str(), self.prefix.as_str()) {
            ("", "") => "every number".into(),
            ("", prefix) => format!("prefix {prefix}"),
            (network, _) => format!("network {network}"),
        };
        if self.occurrence == 0 { target } else { format!("{target} ({})", self.occurrence + 1) }
    }
}

impl NumberEntry {
    /// The name of the number in diffs; a short code may be connected to several carriers.
    pub(super) fn label(&self, account: &str) -> String {
        format!("{account}/{} at {}", self.number, self.carrier)
    }
}

/// Joins names for one column or one line of a diff. No name can hold a comma.
pub(super) fn join<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<T> = names.into_iter().collect();
    names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(",")
}

/// Takes apart what [`join`] made.
pub(super) fn split(joined: &str) -> impl Iterator<Item = &str> {
    joined.split(',').filter(|name| !name.is_empty())
}
