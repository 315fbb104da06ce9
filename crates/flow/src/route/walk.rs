//! One walk over the candidates: routes in their order, and in each its carriers.

use domain::clock::UnixMillis;
use domain::control::{Carrier, Control, Route, Subject};
use domain::id::CarrierId;

use super::considered::Ruling;
use super::pick::{self, draw};
use crate::health::Health;

/// How a walk is made.
pub(super) struct Walk<'c, 'w> {
    pub control: &'c Control,
    pub health: &'w Health,
    /// Carriers that are out of the question, such as those that have refused the message.
    pub without: &'w [CarrierId],
    /// Now, if a carrier without a share may be tried by this message; `None` when only looking.
    pub probe_at: Option<UnixMillis>,
}

/// A way.
pub(super) type Way<'a> = (&'a Route, &'a Carrier);

impl<'c> Walk<'c, '_> {
    /// Finds the way for a subject; `note` hears of every step. Where all carriers are in trouble, the first
    /// that may be used at all is taken: its messages wait for it.
    pub(super) fn find(
        &self,
        subject: &Subject<'_>,
        mut note: impl FnMut(&'c Route, CarrierId, Ruling),
    ) -> Option<Way<'c>> {
        let mut last_resort: Option<(Way<'c>, u8)> = None;
        for route in self.control.routes_to(subject) {
            for candidate in pick::order(self.control, route, subject.phone) {
                let id = candidate.carrier;
                let carrier = match self.admit(route, id, subject) {
                    Ok(carrier) => carrier,
                    Err(ruling) => {
                        note(route, id, ruling);
                        continue;
                    }
                };
                let ruling = self.by_health(route, carrier, subject);
                note(route, id, ruling);
                if ruling == Ruling::Taken || ruling == Ruling::Probe {
                    return Some((route, carrier));
                }
                let rank = u8::from(!ruling.is_down());
                if last_resort.as_ref().is_none_or(|(_, best)| rank > *best) {
                    last_resort = Some(((route, carrier), rank));
                }
            }
        }
        let (way, _) = last_resort?;
        note(way.0, way.1.id, Ruling::LastResort);
        Some(way)
    }

    /// Whether a carrier may be used at all.
    fn admit(&self, route: &Route, id: CarrierId, subject: &Subject<'_>) -> Result<&'c Carrier, Ruling> {
        let carrier = self.control.carrier(id).ok_or(Ruling::Gone)?;
        if route.settings.direct_only && !carrier.direct {
            return Err(Ruling::NotDirect);
        }
        if !self.control.takes_new(id) {
            return Err(Ruling::Draining);
        }
        if self.without.contains(&id) {
            return Err(Ruling::LeftBehind);
        }
        carrier.admits_sender(subject.sender).then_some(&**carrier).ok_or(Ruling::SenderNotAllowed)
    }

    fn by_health(&self, route: &Route, carrier: &Carrier, subject: &Subject<'_>) -> Ruling {
        let standing = self.health.standing(carrier.id, subject.lane);
        if u64::from(standing.share) > draw(subject.phone, route.id.0, pick::SHARE) % 100 {
            return Ruling::Taken;
        }
        let may_probe = standing.share == 0
            && self.probe_at.is_some_and(|now| self.health.vital(carrier.id).probe(subject.lane, now));
        if may_probe { Ruling::Probe } else { Ruling::InTrouble(standing) }
    }
}
