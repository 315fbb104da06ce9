//! What was considered on the way to a decision.

use domain::control::{Mismatch, Route};
use domain::id::CarrierId;
use domain::network::Network;

use crate::health::{Standing, Trouble};
use crate::portability::NetworkSource;

/// What became of a carrier of a route, or of a route as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// The message goes this way.
    Taken,
    /// It has no share right now and this message tries how it does.
    Probe,
    /// Every way is in trouble: the message waits for this one.
    LastResort,
    /// An aggregator, and the route asks for direct connections only.
    NotDirect,
    /// The carrier does not carry senders of this kind.
    SenderNotAllowed,
    /// Its share of the traffic is lowered and this message is not in it.
    InTrouble(Standing),
    /// The message has been there: it is looked for another way.
    LeftBehind,
    /// The carrier is held back: it only sends what waits for it.
    Draining,
    /// The route names a carrier that does not exist.
    Gone,
    /// A way was found before it.
    NotReached,
    /// The route is not for such messages.
    Mismatch(Mismatch),
}

impl Ruling {
    pub(super) fn is_down(self) -> bool {
        matches!(self, Self::InTrouble(Standing { trouble: Trouble::Down, .. }))
    }

    /// A stable word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Probe => "probe",
            Self::LastResort => "last_resort",
            Self::NotDirect => "not_direct",
            Self::SenderNotAllowed => "sender_not_allowed",
            Self::InTrouble(standing) => standing.trouble.word(),
            Self::LeftBehind => "left_behind",
            Self::Draining => "draining",
            Self::Gone => "no_such_carrier",
            Self::NotReached => "not_reached",
            Self::Mismatch(Mismatch::Account) => "other_accounts",
            Self::Mismatch(Mismatch::Sender) => "other_senders",
            Self::Mismatch(Mismatch::Lane) => "other_lane",
        }
    }
}

/// One step of the decision.
#[derive(Clone, Debug)]
pub struct Considered {
    /// The route.
    pub route: std::sync::Arc<Route>,
    /// The carrier; `None` where the route as a whole was passed over.
    pub carrier: Option<CarrierId>,
    /// What became of it.
    pub ruling: Ruling,
}

/// How a decision comes about with the control data and the health of this moment.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Version of the control data.
    pub control_version: u64,
    /// The recipient's network and where that is known from, if it is.
    pub network: Option<(Network, NetworkSource)>,
    /// The steps in their order.
    pub considered: Vec<Considered>,
}
