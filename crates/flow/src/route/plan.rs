//! The choice of a carrier.

use domain::control::{Carrier, Control, Route};
use domain::phone::Phone;

/// The way a message takes and what a part of it costs.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The route that decided.
    pub route: &'a Route,
    /// The carrier it leaves by.
    pub carrier: &'a Carrier,
}

/// The way to `phone`, or `None` where no operator connection serves it.
#[must_use]
pub fn plan(control: &Control, phone: Phone) -> Option<Plan<'_>> {
    control.routes_to(phone).find_map(|route| {
        let carrier = route.carriers.iter().find_map(|id| {
            let carrier = control.carrier(*id)?;
            (control.takes_new(*id) && (carrier.direct || !route.settings.direct_only)).then_some(carrier)
        })?;
        Some(Plan { route, carrier })
    })
}

#[cfg(test)]
mod tests {
    use domain::control::RouteSettings;
    use domain::id::{CarrierId, RouteId};
    use domain::money::Money;

    use super::*;
    use crate::testing::carrier;

    fn route(id: u32, prefix: &str, carriers: &[u32], direct_only: bool) -> Route {
        Route {
            id: RouteId(id),
            prefix: prefix.into(),
            network: String::new(),
            carriers: carriers.iter().map(|&id| CarrierId(id)).collect(),
            settings: RouteSettings { direct_only, price: Money(700) },
        }
    }

    #[test]
    fn the_longest_prefix_wins_then_the_order_and_grey_ways_are_passed_over() {
        let mut grey = carrier(2);
        grey.direct = false;
        let routes = vec![
            route(1, "48", &[2, 1], true),
            route(2, "4850", &[1], false),
            route(3, "49", &[2], true),
            route(4, "", &[2], false),
        ];
        let control = Control::new(1, vec![], vec![], vec![carrier(1), grey], routes);
        let way = |digits: &str| {
            let plan = plan(&control, Phone::parse(digits).expect("a number")).expect("a way");
            (plan.route.id.0, plan.carrier.id.0)
        };
        assert_eq!(way("48500100200"), (2, 1));
        assert_eq!(way("48600100200"), (1, 1));
        assert_eq!(way("49600100200"), (4, 2));
        assert_eq!(way("15551234567"), (4, 2));
        let nothing = Control::new(1, vec![], vec![], vec![], vec![]);
        assert!(plan(&nothing, Phone::parse("48500100200").expect("a number")).is_none());
    }
}
