//! Accounts (tenants) and their senders.

use serde::{Deserialize, Serialize};

use super::endpoint::{Endpoint, EventKind};
use super::number::Number;
use super::two_way::ReservedSettings;
use crate::bot::Bot;
use crate::encoding::EncodingChoice;
use crate::id::{AccountId, SenderId};
use crate::lane::Guarantees;
use crate::money::{CURRENCIES, Currency, Money};
use crate::quiet::QuietHours;
use crate::sender::Sender;

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

/// An account (a tenant).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Row in the control data.
    pub id: AccountId,
    /// Unique name.
    pub name: String,
    /// Its conditions.
    pub settings: AccountSettings,
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

/// Conditions of an account, under the names of the setup file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccountSettings {
    /// Currency of prices and balance.
    pub currency: Currency,
    /// Money paid in; what was spent is kept by the store.
    pub balance: Money,
    /// Whether it may use the Priority lane.
    pub priority: bool,
    /// Messages per second, 0 = no limit.
    pub messages_per_second: u32,
    /// How texts travel where a request does not say.
    pub encoding: EncodingChoice,
    /// Words such as STOP, and their answers.
    pub reserved_words: ReservedSettings,
    /// Bots that its numbers may name.
    #[serde(rename = "bot")]
    pub bots: Vec<Bot>,
    /// Of the rate of a carrier this much may be its codes, percent; what comes above is refused.
    pub priority_percent: u32,
    /// Hours of the day in which its bulk is not sent, such as `21:00-08:00`; empty = none.
    pub quiet_hours: String,
    /// The time zone of these.
    pub time_zone: String,
    /// What happens to a part when it is not known whether an operator took it.
    #[serde(flatten)]
    pub guarantees: Guarantees,
}

impl AccountSettings {
    /// The hours in which its bulk is not sent.
    #[must_use]
    pub fn quiet(&self) -> Option<QuietHours> {
        if self.quiet_hours.is_empty() { None } else { QuietHours::parse(&self.quiet_hours, &self.time_zone) }
    }
}

impl Default for AccountSettings {
    /// What the setup file means where it leaves a key out.
    fn default() -> Self {
        Self {
            currency: CURRENCIES[0],
            balance: Money(10_000_000),
            priority: true,
            messages_per_second: 0,
            encoding: EncodingChoice::default(),
            reserved_words: ReservedSettings::default(),
            bots: Vec::new(),
            priority_percent: 20,
            quiet_hours: String::new(),
            time_zone: "UTC".into(),
            guarantees: Guarantees::default(),
        }
    }
}
