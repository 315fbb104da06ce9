//! Application keys.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, KeyId, SenderId};
use crate::lane::KeyTraffic;
use crate::permission::Permissions;

/// An application key: the pair of `Authorization` and `Application-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Row in the control data.
    pub id: KeyId,
    /// Whose key.
    pub account: AccountId,
    /// Name within the account.
    pub name: String,
    /// SHA-256 over `authorization`, a zero octet and `application_key`: the pair itself is not kept.
    pub digest: [u8; 32],
    /// Senders it may use.
    pub senders: Vec<SenderId>,
    /// What it may do, and from where.
    pub settings: KeySettings,
}

/// What a key may do, under the names of the setup file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeySettings {
    /// What it may do.
    pub permissions: Permissions,
    /// Addresses it may be used from; empty = any.
    pub allowed_addresses: Vec<IpNet>,
    /// What its messages are for, unless they ask for priority.
    pub traffic: KeyTraffic,
    /// Validity of its Priority messages in minutes where the request says nothing; 0 = the contract's.
    pub priority_validity_minutes: u32,
    /// Whether a newer Priority message to a number takes back an older one of the key's that was not sent yet.
    pub newest_code_only: bool,
}

impl KeySettings {
    /// Whether the key may be used from `address`.
    #[must_use]
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed_addresses.is_empty() || self.allowed_addresses.iter().any(|network| network.contains(&address))
    }
}
