//! Which ways messages take, what moves, and what waits where.

use std::fmt::Error;

use domain::control::{Control, Route};
use domain::id::CarrierId;
use domain::lane::Lane;
use flow::route::Router;
use prometheus_client::encoding::DescriptorEncoder;

use super::collect::{COUNTER, GAUGE, Labels, count, family, float};

/// Writes what is known of routes and of the carriers as their ends. Routes and carriers that are in force have lines of
/// their own; a carrier that was removed goes by its number.
pub(super) fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    (control, router): (&Control, &Router),
    waiting: &[(Lane, CarrierId, u64)],
) -> Result<(), Error> {
    let name = |id: CarrierId| control.carrier(id).map_or_else(|| id.0.to_string(), |carrier| carrier.name.clone());
    let lane_label = |lane: Lane| ("lane", lane.name().to_owned());
    let figures = router.figures();
    let mut planned: Vec<(Labels, f64)> = Vec::new();
    for (id, carrier, count) in figures.ways() {
        let Some(route) = control.routes().find(|route| route.id == id) else { continue };
        let labels = vec![("route", id.0.to_string()), ("to", leads_to(route)), ("carrier", name(carrier))];
        planned.push((labels, float(count)));
    }
    let none = figures.none().map(|(why, count)| (vec![("reason", why.word().to_owned())], float(count)));
    let moved = figures.moves().into_iter().map(|(made, count)| {
        let labels = vec![
            lane_label(made.lane),
            ("from", name(made.from)),
            ("carrier", name(made.to)),
            ("reason", made.reason.to_owned()),
        ];
        (labels, float(count))
    });
    let (mut taken, mut refused) = (Vec::new(), Vec::new());
    for carrier in control.carriers() {
        let vital = router.health().vital(carrier.id);
        for lane in Lane::ALL {
            let labels = vec![("carrier", carrier.name.clone()), lane_label(lane)];
            taken.push((labels.clone(), count(&vital.parts_taken[lane.index()])));
            refused.push((labels, count(&vital.parts_refused[lane.index()])));
        }
    }
    let waiting = waiting
        .iter()
        .map(|(lane, carrier, count)| (vec![lane_label(*lane), ("carrier", name(*carrier))], float(*count)));
    family(encoder, ("route_planned", "Recipients of sends that were given this way", COUNTER), planned)?;
    family(encoder, ("route_none", "Recipients of sends that no way leads to", COUNTER), none.to_vec())?;
    family(encoder, ("route_moved", "Waiting messages moved to another carrier", COUNTER), moved.collect())?;
    family(encoder, ("route_taken", "Parts that an operator took, by lane", COUNTER), taken)?;
    family(encoder, ("route_refused", "Parts that an operator refused, for now or for good", COUNTER), refused)?;
    family(encoder, ("route_waiting", "Messages not handed over, scheduled ones included", GAUGE), waiting.collect())
}

/// Prefix or network of a route.
fn leads_to(route: &Route) -> String {
    match (route.network.as_str(), route.prefix.as_str()) {
        ("", "") => "everywhere".to_owned(),
        ("", prefix) => format!("+{prefix}"),
        (network, _) => network.to_owned(),
    }
}
