//! The order of a route's carriers for one recipient.

use domain::control::{Choose, Control, Route};
use domain::id::CarrierId;
use domain::phone::Phone;
use smallvec::SmallVec;

/// A carrier of a route with what the choice goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub carrier: CarrierId,
    /// Hundredths of the route's traffic that would be its, were all carriers well: for weighted routes.
    pub weight: u32,
}

pub(super) type Candidates = SmallVec<[Candidate; 4]>;

/// Salts that keep the draws of one recipient apart.
const WEIGHT: u64 = 0x57;
pub(super) const SHARE: u64 = 0x51;

/// The carriers of `route` in the order they are tried for `phone`.
pub(super) fn order(control: &Control, route: &Route, phone: Phone) -> Candidates {
    let settings = &route.settings;
    let weight = |index: usize| settings.weights.get(index).copied().unwrap_or(0);
    let mut candidates: Candidates = route
        .carriers
        .iter()
        .enumerate()
        .map(|(index, &carrier)| Candidate { carrier, weight: weight(index) })
        .collect();
    match settings.choose {
        Choose::Order => {}
        Choose::LeastPrice => {
            let cost = |index: usize| {
                let of_carrier = || control.carrier(route.carriers[index]).map(|carrier| carrier.cost);
                settings.costs.get(index).copied().or_else(of_carrier).unwrap_or_default()
            };
            let mut keyed: SmallVec<[_; 4]> = (0..candidates.len()).map(|index| (cost(index), index)).collect();
            keyed.sort_unstable();
            candidates = keyed.into_iter().map(|(_, index)| candidates[index]).collect();
        }
        Choose::Weight => by_weight(&mut candidates, draw(phone, route.id.0, WEIGHT)),
    }
    candidates
}

/// Weighted order without repetition: the first is drawn by weight, the next by the weights that are left;
/// those without weight are stand-bys, as written.
fn by_weight(candidates: &mut Candidates, mut draw: u64) {
    for place in 0..candidates.len() {
        let total: u64 = candidates[place..].iter().map(|candidate| u64::from(candidate.weight)).sum();
        if total == 0 {
            return;
        }
        let mut left = draw % total;
        let drawn = candidates[place..].iter().position(|candidate| {
            let weight = u64::from(candidate.weight);
            let hit = left < weight;
            left = left.saturating_sub(weight);
            hit
        });
        let index = place + drawn.unwrap_or(0);
        candidates[place..=index].rotate_right(1);
        draw = mix(draw);
    }
}

/// A number that is always the same for a recipient, a route and a salt: who got a message over one carrier
/// gets the next over the same.
pub(super) fn draw(phone: Phone, route: u32, salt: u64) -> u64 {
    mix(phone.as_u64() ^ u64::from(route) << 50 ^ mix(salt))
}

/// Finaliser of SplitMix64: every bit of the input moves every bit of the output.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use domain::control::{Carrier, RouteSettings};
    use domain::id::RouteId;
    use domain::money::Money;

    use super::*;
    use crate::testing::carrier;

    fn route(settings: RouteSettings) -> Route {
        let carriers = [1, 2, 3].map(CarrierId).to_vec();
        Route { id: RouteId(7), prefix: "48".into(), network: String::new(), carriers, settings }
    }

    fn firsts(control: &Control, route: &Route, count: u64) -> [usize; 3] {
        let mut firsts = [0; 3];
        for number in 0..count {
            let phone = Phone::from_u64(48_500_000_000 + number * 7).expect("a number");
            let first = order(control, route, phone)[0];
            assert_eq!(first, order(control, route, phone)[0], "always the same for a recipient");
            firsts[first.carrier.0 as usize - 1] += 1;
        }
        firsts
    }

    #[test]
    fn weights_spread_recipients_and_a_weight_of_zero_is_a_stand_by() {
        let settings = RouteSettings { choose: Choose::Weight, weights: vec![70, 30, 0], ..RouteSettings::default() };
        let route = route(settings);
        let control = Control::default();
        let [first, second, third] = firsts(&control, &route, 10_000);
        assert!((6_800..7_200).contains(&first) && (2_800..3_200).contains(&second) && third == 0);
        let phone = Phone::parse("48500000000").expect("a number");
        let order = order(&control, &route, phone);
        assert_eq!(order.last().map(|last| last.carrier), Some(CarrierId(3)));
    }

    #[test]
    fn the_least_price_goes_first_by_the_route_s_costs_or_the_carriers() {
        let costed = |id, cost| Carrier { cost: Money(cost), ..carrier(id) };
        let carriers = vec![costed(1, 500), costed(2, 300), costed(3, 300)];
        let control = Control::new(1, vec![], vec![], carriers, vec![]);
        let least = RouteSettings { choose: Choose::LeastPrice, ..RouteSettings::default() };
        let phone = Phone::parse("48500100200").expect("a number");
        let ids = |settings: RouteSettings| {
            order(&control, &route(settings), phone).iter().map(|candidate| candidate.carrier.0).collect::<Vec<_>>()
        };
        assert_eq!(ids(least.clone()), [2, 3, 1]);
        let costs = vec![Money(100), Money(400), Money(200)];
        assert_eq!(ids(RouteSettings { costs, ..least }), [1, 3, 2]);
        assert_eq!(ids(RouteSettings::default()), [1, 2, 3]);
    }
}
