//! Ways to numbers.

use serde::{Deserialize, Serialize};

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

/// Conditions of a route, under the names of the setup file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteSettings {
    /// Only direct operator connections may be used.
    pub direct_only: bool,
    /// Price per part in the account's currency.
    pub price: Money,
}

impl Default for RouteSettings {
    /// What the setup file means where it leaves a key out.
    fn default() -> Self {
        Self { direct_only: true, price: Money(700) }
    }
}
