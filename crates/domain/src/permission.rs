//! What an application key may do.

use serde::{Deserialize, Serialize};

use crate::choice::{Choice, choice};

/// A right of an application key, written `sms.send` and so on in the setup file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Send, preview and cancel messages.
    SmsSend,
    /// Read messages, statuses, senders, incoming messages and events.
    SmsRead,
    /// Test, re-enable and look into webhooks, have events told again.
    WebhookWrite,
}

impl Permission {
    /// What a key may do unless the setup file says otherwise.
    pub const DEFAULT: [Self; 2] = [Self::SmsSend, Self::SmsRead];
}

choice!(Permission { SmsSend = "sms.send", SmsRead = "sms.read", WebhookWrite = "webhook.write" });

/// A set of permissions; serialises as a list of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Permission>", into = "Vec<Permission>")]
pub struct Permissions(u8);

impl Permissions {
    /// Whether the set holds `permission`.
    #[must_use]
    pub fn allows(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, permission| set | 1 << permission as u8))
    }
}

impl From<Vec<Permission>> for Permissions {
    fn from(permissions: Vec<Permission>) -> Self {
        permissions.into_iter().collect()
    }
}

impl From<Permissions> for Vec<Permission> {
    /// In the order of the documentation.
    fn from(permissions: Permissions) -> Self {
        Permission::NAMES.iter().map(|(permission, _)| *permission).filter(|one| permissions.allows(*one)).collect()
    }
}
