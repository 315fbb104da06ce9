//! Ways to numbers.

use serde::{Deserialize, Serialize};

use crate::choice::choice;
use crate::id::{CarrierId, RouteId};
use crate::money::Money;

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
    /// Its conditions.
    pub settings: RouteSettings,
}

/// How a route chooses among its carriers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choose {
    /// As they are written: the first that does well.
    #[default]
    Order,
    /// Spread by weight; a recipient stays with the carrier that was drawn for it.
    Weight,
    /// The cheapest that does well.
    LeastPrice,
}

/// Which lanes a route is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteLane {
    /// Both.
    #[default]
    Any,
    /// The Priority lane.
    Priority,
    /// Everything else.
    Standard,
}

choice!(Choose { Order = "order", Weight = "weight", LeastPrice = "least-price" });
choice!(RouteLane { Any = "any", Priority = "priority", Standard = "standard" });

/// Conditions of a route, under the names of the setup file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteSettings {
    /// Only direct operator connections may be used.
    pub direct_only: bool,
    /// Price per part in the account's currency.
    pub price: Money,
    /// Names of the accounts it is for; empty = all.
    pub accounts: Vec<String>,
    /// The senders it is for; empty = all.
    pub senders: Vec<String>,
    /// The lanes it is for.
    pub lane: RouteLane,
    /// How it chooses among its carriers.
    pub choose: Choose,
    /// Weights of the carriers in their order, for [`Choose::Weight`]; 0 = only when the others are in
    /// trouble.
    pub weights: Vec<u32>,
    /// What a part costs us at the carriers in their order, for [`Choose::LeastPrice`]; empty = the costs
    /// that the carriers say.
    pub costs: Vec<Money>,
}

impl Default for RouteSettings {
    /// What the setup file means where it leaves a key out.
    fn default() -> Self {
        Self {
            direct_only: true,
            price: Money(700),
            accounts: Vec::new(),
            senders: Vec::new(),
            lane: RouteLane::default(),
            choose: Choose::default(),
            weights: Vec::new(),
            costs: Vec::new(),
        }
    }
}
