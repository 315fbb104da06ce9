//! Entries as lists of named values: the form in which declared and stored ones are compared.

use domain::choice::Choice;
use domain::control::{Carrier, Endpoint, SenderEntry};
use serde::Serialize;
use serde_json::Value as Json;

use super::change::FieldChange;
use super::content::{AccountEntry, KeyEntry, NumberEntry, RouteEntry, join};

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
    /// In alphabetical order.
    fields: Vec<(String, Value)>,
}

impl Entity {
    fn new(what: String, fields: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut fields: Vec<_> = fields.into_iter().collect();
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self { what, fields }
    }

    /// All values as a change from nothing.
    pub(super) fn added(&self) -> Vec<FieldChange> {
        let field = |(name, value): &(String, Value)| FieldChange {
            name: name.clone(),
            before: None,
            after: Some(value.shown()),
        };
        self.fields.iter().map(field).collect()
    }

    /// All values as a change to nothing.
    pub(super) fn removed(&self) -> Vec<FieldChange> {
        let field = |(name, value): &(String, Value)| FieldChange {
            name: name.clone(),
            before: Some(value.shown()),
            after: None,
        };
        self.fields.iter().map(field).collect()
    }

    /// The values that differ from those of the stored entry.
    pub(super) fn changed(&self, stored: &Self) -> Vec<FieldChange> {
        let pairs = self.fields.iter().zip(&stored.fields);
        let differing =
            pairs.filter(|((_, declared), (_, stored))| *declared != Value::Unspecified && declared != stored);
        let change = |((name, declared), (_, stored)): (&(String, Value), &(String, Value))| FieldChange {
            name: name.clone(),
            before: Some(stored.shown()),
            after: Some(declared.shown()),
        };
        differing.map(change).collect()
    }
}

/// A secret that is generated when the file leaves it out.
fn generated(value: &str) -> Value {
    if value.is_empty() { Value::Unspecified } else { Value::Secret(value.into()) }
}

/// Settings under the names of the setup file.
fn settings(settings: &impl Serialize) -> impl Iterator<Item = (String, Value)> {
    let object = match serde_json::to_value(settings) {
        Ok(Json::Object(object)) => object,
        // Settings are structs of values that always serialise; see `write::settings` for the error.
        _ => serde_json::Map::new(),
    };
    object.into_iter().map(|(name, value)| (name, Value::Plain(shown(&value))))
}

/// A value as a person writes it.
fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Array(items) => join(items.iter().map(shown)),
        other => other.to_string(),
    }
}

/// A carrier in the form that compares.
pub(super) fn carrier(carrier: &Carrier) -> Entity {
    let own = [("password", &carrier.password), ("outbind_password", &carrier.outbind_password)];
    let own = own.map(|(name, secret)| (name.into(), Value::Secret(secret.reveal().into())));
    Entity::new(format!("carrier {}", carrier.name), settings(carrier).chain(own))
}

/// A route in the form that compares.
pub(super) fn route(route: &RouteEntry) -> Entity {
    let own = [("carriers".into(), Value::Plain(join(&route.carriers)))];
    Entity::new(format!("route {}", route.label()), own.into_iter().chain(settings(&route.settings)))
}

/// An account, without what is its own, in the form that compares.
pub(super) fn account(account: &AccountEntry) -> Entity {
    Entity::new(format!("account {}", account.name), settings(&account.settings))
}

/// A sender in the form that compares.
pub(super) fn sender(account: &str, sender: &SenderEntry) -> Entity {
    let own = [("approved".into(), Value::Plain(sender.approved.to_string()))];
    Entity::new(format!("sender {account}/{}", sender.name), own)
}

/// A key in the form that compares.
pub(super) fn key(account: &str, key: &KeyEntry) -> Entity {
    let half =
        |digest: Option<[u8; 32]>| digest.map_or(Value::Unspecified, |digest| Value::Secret(format!("{digest:?}")));
    let own = [
        ("authorization".into(), half(key.authorization.digest())),
        ("application_key".into(), half(key.application_key.digest())),
        ("senders".into(), Value::Plain(join(&key.senders))),
    ];
    Entity::new(format!("key {account}/{}", key.name), own.into_iter().chain(settings(&key.settings)))
}

/// A webhook endpoint in the form that compares.
pub(super) fn endpoint(account: &str, endpoint: &Endpoint) -> Entity {
    let own = [
        ("secret_key".into(), generated(endpoint.secret_key.reveal())),
        ("signing_secret".into(), generated(endpoint.signing_secret.reveal())),
        ("basic_password".into(), Value::Secret(endpoint.basic_password.reveal().into())),
    ];
    Entity::new(format!("webhook {account}/{}", endpoint.event.name()), settings(endpoint).chain(own))
}

/// A number in the form that compares.
pub(super) fn number(account: &str, number: &NumberEntry) -> Entity {
    Entity::new(format!("number {}", number.label(account)), settings(&number.settings))
}
