//! Entries as lists of named values: the form in which declared and stored ones are compared.

use domain::control::{Carrier, Endpoint, SenderEntry};

use super::change::FieldChange;
use super::content::{AccountEntry, KeyEntry, NumberEntry, RouteEntry, join};
use super::names::Named;

/// One value of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// Shown as it is.
    Plain(String),
    /// Compared, never shown.
    Secret(String),
    /// A secret the file leaves out: whatever is stored stays.
    Unspecified,
}

impl Value {
    fn shown(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Secret(text) if text.is_empty() => String::new(),
            Self::Secret(_) => "***".into(),
            Self::Unspecified => "*** (generated)".into(),
        }
    }
}

/// An entry in the form that compares.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    /// Kind and name, such as `carrier operator-one`.
    pub(super) what: String,
    fields: Vec<(&'static str, Value)>,
}

impl Entity {
    fn new(what: String, fields: Vec<(&'static str, Value)>) -> Self {
        Self { what, fields }
    }

    /// All values as a change from nothing.
    pub(super) fn added(&self) -> Vec<FieldChange> {
        let field =
            |(name, value): &(&'static str, Value)| FieldChange { name, before: None, after: Some(value.shown()) };
        self.fields.iter().map(field).collect()
    }

    /// All values as a change to nothing.
    pub(super) fn removed(&self) -> Vec<FieldChange> {
        let field =
            |(name, value): &(&'static str, Value)| FieldChange { name, before: Some(value.shown()), after: None };
        self.fields.iter().map(field).collect()
    }

    /// The values that differ from those of the stored entry.
    pub(super) fn changed(&self, stored: &Self) -> Vec<FieldChange> {
        let pairs = self.fields.iter().zip(&stored.fields);
        let differing =
            pairs.filter(|((_, declared), (_, stored))| *declared != Value::Unspecified && declared != stored);
        let change = |((name, declared), (_, stored)): (&(&'static str, Value), &(&'static str, Value))| FieldChange {
            name,
            before: Some(stored.shown()),
            after: Some(declared.shown()),
        };
        differing.map(change).collect()
    }
}

fn plain(value: impl ToString) -> Value {
    Value::Plain(value.to_string())
}

/// A secret that is generated when the file leaves it out.
fn generated(value: &str) -> Value {
    if value.is_empty() { Value::Unspecified } else { Value::Secret(value.into()) }
}

/// A carrier in the form that compares.
pub(super) fn carrier(carrier: &Carrier) -> Entity {
    let fields = vec![
        ("host", plain(&carrier.host)),
        ("port", plain(carrier.port)),
        ("tls", plain(carrier.tls)),
        ("system_id", plain(&carrier.system_id)),
        ("password", Value::Secret(carrier.password.reveal().into())),
        ("system_type", plain(&carrier.system_type)),
        ("interface_version", plain(carrier.interface_version.name())),
        ("bind", plain(carrier.bind.name())),
        ("binds", plain(carrier.binds)),
        ("priority_binds", plain(carrier.priority_binds)),
        ("window", plain(carrier.window)),
        ("rate_per_second", plain(carrier.rate_per_second)),
        ("direct", plain(carrier.direct)),
        ("message_id_format", plain(carrier.message_id_format.name())),
        ("default_alphabet", plain(carrier.default_alphabet.name())),
        ("long_messages", plain(carrier.long_messages.name())),
    ];
    Entity::new(format!("carrier {}", carrier.name), fields)
}

/// A route in the form that compares.
pub(super) fn route(route: &RouteEntry) -> Entity {
    let fields = vec![
        ("carriers", plain(join(&route.carriers))),
        ("direct_only", plain(route.direct_only)),
        ("price", plain(route.price)),
    ];
    Entity::new(format!("route {}", route.label()), fields)
}

/// An account, without what is its own, in the form that compares.
pub(super) fn account(account: &AccountEntry) -> Entity {
    let fields = vec![
        ("currency", plain(account.currency.letters)),
        ("balance", plain(account.balance)),
        ("priority", plain(account.priority)),
        ("messages_per_second", plain(account.messages_per_second)),
    ];
    Entity::new(format!("account {}", account.name), fields)
}

/// A sender in the form that compares.
pub(super) fn sender(account: &str, sender: &SenderEntry) -> Entity {
    Entity::new(format!("sender {account}/{}", sender.name), vec![("approved", plain(sender.approved))])
}

/// A key in the form that compares.
pub(super) fn key(account: &str, key: &KeyEntry) -> Entity {
    let half =
        |digest: Option<[u8; 32]>| digest.map_or(Value::Unspecified, |digest| Value::Secret(format!("{digest:?}")));
    let fields = vec![
        ("authorization", half(key.authorization.digest())),
        ("application_key", half(key.application_key.digest())),
        ("senders", plain(join(&key.senders))),
        ("permissions", plain(join(key.permissions.iter().map(|permission| permission.name())))),
        ("allowed_addresses", plain(join(key.allowed_addresses.iter().map(ToString::to_string)))),
    ];
    Entity::new(format!("key {account}/{}", key.name), fields)
}

/// A webhook endpoint in the form that compares.
pub(super) fn endpoint(account: &str, endpoint: &Endpoint) -> Entity {
    let fields = vec![
        ("url", plain(&endpoint.url)),
        ("secondary_url", plain(&endpoint.secondary_url)),
        ("secret_key", generated(endpoint.secret_key.reveal())),
        ("signing_secret", generated(endpoint.signing_secret.reveal())),
        ("basic_user", plain(&endpoint.basic_user)),
        ("basic_password", Value::Secret(endpoint.basic_password.reveal().into())),
    ];
    Entity::new(format!("webhook {account}/{}", endpoint.event.name()), fields)
}

/// A number in the form that compares.
pub(super) fn number(account: &str, number: &NumberEntry) -> Entity {
    Entity::new(format!("number {}", number.label(account)), vec![("kind", plain(number.kind.name()))])
}
