//! Plans ways.

use std::sync::Arc;

use domain::clock::{Clock, UnixMillis};
use domain::control::{Carrier, Control, Route, Subject};
use domain::id::{AccountId, CarrierId};
use domain::lane::Lane;
use domain::network::Network;
use domain::phone::Phone;
use domain::problem::Problem;
use domain::sender::Sender;

use super::considered::{Considered, Explanation, Ruling};
use super::figures::Figures;
use super::walk::Walk;
use crate::health::Health;
use crate::portability::{NetworkSource, Networks};

/// A message looking for its way.
#[derive(Clone, Copy, Debug)]
pub struct Trip<'a> {
    /// The recipient.
    pub phone: Phone,
    /// The sender.
    pub sender: &'a Sender,
    /// Whose message it is.
    pub account: AccountId,
    /// The lane it travels in.
    pub lane: Lane,
}

/// The way a message takes and what a part of it costs.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The route that decided.
    pub route: &'a Route,
    /// The carrier it leaves by.
    pub carrier: &'a Carrier,
}

/// Why there is no way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWay {
    /// No route leads to the number for this account, sender and lane.
    NoRoute,
    /// The routes ask for direct connections and only aggregators serve the number.
    OnlyIndirect,
    /// The carriers that serve the number do not carry this kind of sender.
    SenderNotAllowed,
}

impl NoWay {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::NoRoute, Self::OnlyIndirect, Self::SenderNotAllowed];

    /// A stable word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::OnlyIndirect => "only_indirect",
            Self::SenderNotAllowed => "sender_not_carried",
        }
    }

    /// What the client is told.
    #[must_use]
    pub fn problem(self) -> Problem {
        match self {
            Self::NoRoute => Problem::RecipientUnroutable,
            Self::OnlyIndirect => Problem::RecipientOnlyIndirect,
            Self::SenderNotAllowed => Problem::SenderNotCarried,
        }
    }
}

/// Plans ways. Cheap to clone.
#[derive(Clone)]
pub struct Router {
    health: Health,
    figures: Figures,
    networks: Networks,
    clock: Clock,
}

impl Router {
    /// A router that knows the networks of numbers.
    #[must_use]
    pub fn new(health: Health, networks: impl Into<Networks>, clock: Clock) -> Self {
        Self { health, figures: Figures::default(), networks: networks.into(), clock }
    }

    /// The carriers' health.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// What routes were taken and what moved.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The networks of numbers.
    #[must_use]
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// The network of a number and where that is known from.
    #[must_use]
    pub fn network_of(&self, phone: Phone) -> Option<(Network, NetworkSource)> {
        self.networks.of(phone)
    }

    /// The way for a message that is being accepted.
    ///
    /// # Errors
    /// [`NoWay`] where no operator connection serves it.
    pub fn plan<'a>(&self, control: &'a Control, trip: &Trip<'_>) -> Result<Plan<'a>, NoWay> {
        let planned = self.walk(control, trip, &[], Some(self.clock.now()));
        match &planned {
            Ok(plan) => self.figures.planned(plan.route.id, plan.carrier.id),
            Err(no_way) => self.figures.no_way(*no_way),
        }
        planned
    }

    /// As [`Router::plan`], for somebody who only wants to know.
    ///
    /// # Errors
    /// [`NoWay`] where no operator connection serves it.
    pub fn look<'a>(&self, control: &'a Control, trip: &Trip<'_>) -> Result<Plan<'a>, NoWay> {
        self.walk(control, trip, &[], None)
    }

    /// The way for a message that can't leave by some carriers; `None` if there is no other that does well
    /// enough to be worth it.
    pub(super) fn another<'a>(&self, control: &'a Control, trip: &Trip<'_>, without: &[CarrierId]) -> Option<Plan<'a>> {
        let plan = self.walk(control, trip, without, None).ok()?;
        (self.health.standing(plan.carrier.id, trip.lane).share > 0).then_some(plan)
    }

    /// Whether the first route to a message wants a direct connection.
    pub(super) fn asks_for_direct(&self, control: &Control, trip: &Trip<'_>) -> bool {
        let subject = self.subject(control, trip);
        control.routes_to(&subject).next().is_some_and(|route| route.settings.direct_only)
    }

    fn walk<'a>(
        &self,
        control: &'a Control,
        trip: &Trip<'_>,
        without: &[CarrierId],
        probe_at: Option<UnixMillis>,
    ) -> Result<Plan<'a>, NoWay> {
        let subject = self.subject(control, trip);
        let mut no_way = NoWay::NoRoute;
        let walk = Walk { control, health: &self.health, without, probe_at };
        let found = walk.find(&subject, |_, _, ruling| {
            no_way = match ruling {
                Ruling::NotDirect => NoWay::OnlyIndirect,
                Ruling::SenderNotAllowed => NoWay::SenderNotAllowed,
                _ => no_way,
            };
        });
        found.map(|(route, carrier)| Plan { route, carrier }).ok_or(no_way)
    }

    fn subject<'a>(&self, control: &Control, trip: &Trip<'a>) -> Subject<'a> {
        let network = if control.routes_by_network() { self.network_of(trip.phone) } else { None };
        let Trip { phone, sender, account, lane } = *trip;
        Subject { phone, network: network.map(|(network, _)| network), sender, account, lane }
    }

    /// Every route to a message and what becomes of it, with the control data and the health of now.
    #[must_use]
    pub fn explain(&self, control: &Control, trip: &Trip<'_>) -> Explanation {
        let network = self.network_of(trip.phone);
        let Trip { phone, sender, account, lane } = *trip;
        let subject = Subject { phone, network: network.map(|(network, _)| network), sender, account, lane };
        let walk = Walk { control, health: &self.health, without: &[], probe_at: None };
        let mut rulings = Vec::new();
        walk.find(&subject, |route, carrier, ruling| rulings.push((route.id, carrier, ruling)));
        let mut considered = Vec::new();
        for (route, mismatch) in control.routes_near(&subject) {
            let mut add = |carrier, ruling| considered.push(Considered { route: Arc::clone(route), carrier, ruling });
            if let Some(mismatch) = mismatch {
                add(None, Ruling::Mismatch(mismatch));
                continue;
            }
            for &carrier in &route.carriers {
                // The last word counts: a carrier that was passed over may be the last resort.
                let ruling = rulings.iter().rev().find(|(id, of, _)| *id == route.id && *of == carrier);
                add(Some(carrier), ruling.map_or(Ruling::NotReached, |(_, _, ruling)| *ruling));
            }
        }
        Explanation { control_version: control.version, network, considered }
    }
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
