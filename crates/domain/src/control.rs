//! Control data: accounts, keys, senders, carriers, routes, endpoints and numbers, as one immutable
//! snapshot. The data plane never asks a database; it looks into the current snapshot.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::id::{AccountId, CarrierId, EndpointId, KeyId, RouteId, SenderId};
use crate::money::{Currency, Money};
use crate::operator_id::MessageIdFormat;
use crate::permission::Permissions;
use crate::phone::Phone;
use crate::sender::Sender;

/// A text that must not show up in logs: prints as `***`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Which SMPP version a carrier speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InterfaceVersion {
    /// SMPP 3.3: no TLVs.
    V33,
    /// SMPP 3.4.
    #[default]
    V34,
    /// SMPP 5.0.
    V50,
}

/// How a carrier's sessions are bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BindMode {
    /// One session for both ways.
    #[default]
    Transceiver,
    /// One session to send and one to receive.
    TransmitterReceiver,
}

/// What `data_coding` 0 means at a carrier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultAlphabet {
    /// GSM 7-bit, one septet per octet.
    #[default]
    Gsm7,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// GSM 7-bit, packed.
    Gsm7Packed,
}

/// How a carrier wants long messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongMessages {
    /// User data header with an 8-bit reference.
    #[default]
    Udh8,
    /// User data header with a 16-bit reference.
    Udh16,
    /// The `sar_*` parameters.
    Sar,
    /// Whole in `message_payload`.
    Payload,
}

/// An operator connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Row in the control data.
    pub id: CarrierId,
    /// Unique name.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether the connection uses TLS.
    pub tls: bool,
    /// Login name.
    pub system_id: String,
    /// Login password.
    pub password: Secret,
    /// Login system type.
    pub system_type: String,
    /// SMPP version to offer.
    pub interface_version: InterfaceVersion,
    /// How sessions are bound.
    pub bind: BindMode,
    /// Parallel sessions.
    pub binds: u16,
    /// Of these, reserved for the Priority lane.
    pub priority_binds: u16,
    /// Unanswered submits per bind.
    pub window: u16,
    /// Parts per second over all binds, 0 = no limit.
    pub rate_per_second: u32,
    /// Whether it is a direct operator connection.
    pub direct: bool,
    /// How ids are written.
    pub message_id_format: MessageIdFormat,
    /// What `data_coding` 0 means.
    pub default_alphabet: DefaultAlphabet,
    /// How long messages travel.
    pub long_messages: LongMessages,
}

/// A way to numbers that begin with a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Row in the control data.
    pub id: RouteId,
    /// Digits a number must begin with; empty = every number.
    pub prefix: String,
    /// Network (MCC-MNC) instead of a prefix; empty = by prefix.
    pub network: String,
    /// Carriers in the order they are tried.
    pub carriers: Vec<CarrierId>,
    /// Only direct operator connections may be used.
    pub direct_only: bool,
    /// Price per part in the account's currency.
    pub price: Money,
}

/// A sender id of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderEntry {
    /// Row in the control data; the `id` of `GET /v2.1/sms/senders`.
    pub id: SenderId,
    /// The sender.
    pub name: Sender,
    /// Whether it may be used.
    pub approved: bool,
}

/// What a webhook endpoint is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Delivery reports, `sms.status`.
    Status,
    /// Incoming messages, `sms.incoming`.
    Incoming,
    /// Link clicks, `sms.click`.
    Click,
}

impl EventKind {
    /// All kinds with their names.
    pub const NAMES: [(Self, &'static str); 3] =
        [(Self::Status, "sms.status"), (Self::Incoming, "sms.incoming"), (Self::Click, "sms.click")];
}

/// A webhook endpoint of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Row in the control data.
    pub id: EndpointId,
    /// Whose endpoint.
    pub account: AccountId,
    /// What it is told.
    pub event: EventKind,
    /// Main URL.
    pub url: String,
    /// Used when the main one can't be reached or answers wrongly; empty = none.
    pub secondary_url: String,
    /// SecretKey of the checksum headers.
    pub secret_key: Secret,
    /// `whsec_…` of the Standard Webhooks signature.
    pub signing_secret: Secret,
    /// User of HTTP Basic; empty = none.
    pub basic_user: String,
    /// Password of HTTP Basic.
    pub basic_password: Secret,
}

/// A number that people can write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// The digits.
    pub number: String,
    /// Short code instead of a long number.
    pub is_short: bool,
    /// The carrier it is connected to.
    pub carrier: CarrierId,
}

/// An account (a tenant).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Row in the control data.
    pub id: AccountId,
    /// Unique name.
    pub name: String,
    /// Currency of prices and balance.
    pub currency: Currency,
    /// Money paid in; what was spent is kept by the store.
    pub balance: Money,
    /// Whether it may use the Priority lane.
    pub priority: bool,
    /// Messages per second, 0 = no limit.
    pub messages_per_second: u32,
    /// Its senders.
    pub senders: Vec<SenderEntry>,
    /// Its webhook endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Its numbers.
    pub numbers: Vec<Number>,
}

impl Account {
    /// The endpoint for a kind of event.
    #[must_use]
    pub fn endpoint(&self, kind: EventKind) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.event == kind)
    }

    /// Finds a sender by its characters.
    #[must_use]
    pub fn sender(&self, name: &str) -> Option<&SenderEntry> {
        self.senders.iter().find(|entry| entry.name.as_str() == name)
    }
}

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
    /// What it may do.
    pub permissions: Permissions,
    /// Addresses it may be used from; empty = any.
    pub allowed_addresses: Vec<IpNet>,
}

impl Key {
    /// Whether the key may be used from `address`.
    #[must_use]
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed_addresses.is_empty() || self.allowed_addresses.iter().any(|network| network.contains(&address))
    }
}

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
        Self {
            version,
            accounts: accounts.into_iter().map(|account| (account.id, Arc::new(account))).collect(),
            keys_by_digest: keys.into_iter().map(|key| (key.digest, Arc::new(key))).collect(),
            carriers: carriers.into_iter().map(|carrier| (carrier.id, Arc::new(carrier))).collect(),
            routes: routes.into_iter().map(Arc::new).collect(),
        }
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
