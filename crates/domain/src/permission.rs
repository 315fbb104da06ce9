//! What an application key may do.

/// A right of an application key, written `sms.send` and so on in the setup file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Send, preview and cancel messages.
    SmsSend,
    /// Read messages, statuses, senders and incoming messages.
    SmsRead,
}

impl Permission {
    /// All permissions in the order of the documentation.
    pub const ALL: [Self; 2] = [Self::SmsSend, Self::SmsRead];

    /// The name in the setup file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SmsSend => "sms.send",
            Self::SmsRead => "sms.read",
        }
    }

    /// Finds a permission by its name in the setup file.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
