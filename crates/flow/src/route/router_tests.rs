use std::time::Duration;

use domain::control::{Account, AccountSettings, Choose, Mismatch, RouteLane, RouteSettings};
use domain::id::RouteId;
use domain::money::Money;
use domain::network::NumberRanges;
use domain::sender::SenderKind;

use super::*;
use crate::health::Trouble;
use crate::portability::{self, Portability};
use crate::testing::carrier;

fn route(id: u32, target: &str, carriers: &[u32]) -> Route {
    let (prefix, network) = match target.strip_prefix("network ") {
        Some(network) => ("", network),
        None => (target, ""),
    };
    Route {
        id: RouteId(id),
        prefix: prefix.into(),
        network: network.into(),
        carriers: carriers.iter().map(|&id| CarrierId(id)).collect(),
        settings: RouteSettings { price: Money(700), ..RouteSettings::default() },
    }
}

fn with(mut route: Route, change: impl FnOnce(&mut RouteSettings)) -> Route {
    change(&mut route.settings);
    route
}

fn account(id: u32, name: &str) -> Account {
    Account {
        id: AccountId(id),
        name: name.into(),
        settings: AccountSettings::default(),
        senders: vec![],
        endpoints: vec![],
        numbers: vec![],
    }
}

fn control(carriers: Vec<Carrier>, routes: Vec<Route>) -> Control {
    Control::new(1, vec![account(1, "acme"), account(2, "globex")], vec![], carriers, routes)
}

fn router() -> Router {
    let ranges = NumberRanges::default().with("26003,Orange,4850\n26006,Play,4853").expect("a table");
    Router::new(Health::default(), ranges, Clock::system())
}

struct Journey {
    sender: Sender,
    account: u32,
    lane: Lane,
}

impl Journey {
    fn usual() -> Self {
        Self { sender: Sender::parse("ACME").expect("a sender"), account: 1, lane: Lane::Standard }
    }

    fn trip(&self, digits: &str) -> Trip<'_> {
        let phone = Phone::parse(digits).expect("a number");
        Trip { phone, sender: &self.sender, account: AccountId(self.account), lane: self.lane }
    }
}

fn way(router: &Router, control: &Control, journey: &Journey, digits: &str) -> Option<(u32, u32)> {
    let plan = router.plan(control, &journey.trip(digits)).ok()?;
    Some((plan.route.id.0, plan.carrier.id.0))
}

#[test]
fn networks_come_first_then_the_longest_prefix_then_the_order_and_grey_ways_are_passed_over() {
    let mut grey = carrier(2);
    grey.direct = false;
    let routes = vec![
        route(1, "48", &[2, 1]),
        route(2, "4850", &[1]),
        route(3, "49", &[2]),
        with(route(4, "", &[2]), |settings| settings.direct_only = false),
        route(5, "network 26006", &[3]),
    ];
    let (router, control) = (router(), control(vec![carrier(1), grey, carrier(3)], routes));
    let way = |digits| way(&router, &control, &Journey::usual(), digits);
    assert_eq!(way("48500100200"), Some((2, 1)));
    assert_eq!(way("48600100200"), Some((1, 1)));
    assert_eq!(way("48530100200"), Some((5, 3)), "its network is known by its range");
    assert_eq!(way("49600100200"), Some((4, 2)));
    assert_eq!(way("15551234567"), Some((4, 2)));
}

#[test]
fn without_a_way_the_reason_is_kept() {
    let mut grey = carrier(2);
    grey.direct = false;
    let mut numbers_only = carrier(3);
    numbers_only.sender_kinds = vec![SenderKind::International];
    let routes = vec![route(1, "48", &[2]), route(2, "49", &[3])];
    let (router, control) = (router(), control(vec![grey, numbers_only], routes));
    let journey = Journey::usual();
    let no_way = |digits| router.plan(&control, &journey.trip(digits)).map(|plan| plan.carrier.id).expect_err("no way");
    assert_eq!(no_way("48500100200"), NoWay::OnlyIndirect);
    assert_eq!(no_way("48500100200").problem(), Problem::RecipientOnlyIndirect);
    assert_eq!(no_way("49500100200"), NoWay::SenderNotAllowed);
    assert_eq!(no_way("15551234567"), NoWay::NoRoute);
}

#[test]
fn routes_for_some_accounts_senders_or_a_lane_are_passed_over_for_others() {
    let routes = vec![
        with(route(1, "48", &[1]), |settings| settings.accounts = vec!["globex".into()]),
        with(route(2, "48", &[2]), |settings| settings.senders = vec!["SALE".into()]),
        with(route(3, "48", &[3]), |settings| settings.lane = RouteLane::Priority),
        route(4, "48", &[4]),
    ];
    let (router, control) = (router(), control((1..=4).map(carrier).collect(), routes));
    let mut journey = Journey::usual();
    let way = |journey: &Journey| way(&router, &control, journey, "48600100200").map(|(route, _)| route);
    assert_eq!(way(&journey), Some(4));
    journey.lane = Lane::Priority;
    assert_eq!(way(&journey), Some(3));
    journey.sender = Sender::parse("SALE").expect("a sender");
    assert_eq!(way(&journey), Some(2));
    journey.account = 2;
    assert_eq!(way(&journey), Some(1));
}

#[test]
fn a_carrier_in_trouble_is_passed_over_only_where_there_is_another_way() {
    let routes = vec![route(1, "48", &[1, 2]), route(2, "49", &[1])];
    let (router, control) = (router(), control(vec![carrier(1), carrier(2)], routes));
    let journey = Journey::usual();
    let way = |digits| way(&router, &control, &journey, digits).expect("a way").1;
    let set = |id, share, trouble| {
        router.health().vital(CarrierId(id)).set(Lane::Standard, share, trouble);
    };
    assert_eq!(way("48600100200"), 1);
    set(1, 0, Trouble::Down);
    assert_eq!(way("48600100200"), 2);
    assert_eq!(way("49600100200"), 1, "the only way");
    set(2, 0, Trouble::Refusing);
    router.health().vital(CarrierId(2)).probe(Lane::Standard, Clock::system().now());
    assert_eq!(way("48600100200"), 2, "all are in trouble: one that is bound is better than one that is down");
    let priority = Journey { lane: Lane::Priority, ..Journey::usual() };
    let plan = router.plan(&control, &priority.trip("48600100200")).expect("a way");
    assert_eq!(plan.carrier.id, CarrierId(1), "lanes have shares of their own");
}

#[test]
fn a_lowered_share_moves_that_many_recipients_and_always_the_same() {
    let routes = vec![route(1, "48", &[1, 2])];
    let (router, control) = (router(), control(vec![carrier(1), carrier(2)], routes));
    let journey = Journey::usual();
    let stay = |share| {
        router.health().vital(CarrierId(1)).set(Lane::Standard, share, Trouble::Recovering);
        let numbers = (0..10_000).map(|number| format!("486001{number:05}"));
        numbers.filter(|digits| way(&router, &control, &journey, digits) == Some((1, 1))).collect::<Vec<_>>()
    };
    let (quarter, half) = (stay(25), stay(50));
    assert!((2_300..2_700).contains(&quarter.len()) && (4_700..5_300).contains(&half.len()));
    assert!(quarter.iter().all(|number| half.contains(number)), "who stayed at a quarter stays at a half");
}

#[test]
fn a_carrier_without_a_share_gets_one_message_to_show_how_it_does() {
    let routes = vec![route(1, "48", &[1, 2])];
    let (router, control) = (router(), control(vec![carrier(1), carrier(2)], routes));
    let journey = Journey::usual();
    router.health().vital(CarrierId(1)).set(Lane::Standard, 0, Trouble::Refusing);
    let trip = journey.trip("48600100200");
    let look = router.look(&control, &trip).expect("a way").carrier.id;
    assert_eq!(look, CarrierId(2), "looking takes no probe");
    let firsts = [(); 3].map(|()| router.plan(&control, &trip).expect("a way").carrier.id.0);
    assert_eq!(firsts, [1, 2, 2]);
}

#[test]
fn a_ported_number_goes_where_it_is_and_the_explanation_says_how_that_is_known() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "48500100200,26006\n").expect("written");
    let options = portability::Options { file: file.path().into(), ..portability::Options::default() };
    let ported = Portability::open(&options, Clock::system()).expect("a source");
    let ranges = NumberRanges::default().with("26003,Orange,4850\n26006,Play,4853").expect("a table");
    let router = Router::new(Health::default(), Networks::new(ranges, ported), Clock::system());
    let routes = vec![route(1, "network 26003", &[1]), route(2, "network 26006", &[2])];
    let control = control(vec![carrier(1), carrier(2)], routes);
    let journey = Journey::usual();
    assert_eq!(way(&router, &control, &journey, "48500100200"), Some((2, 2)), "ported");
    assert_eq!(way(&router, &control, &journey, "48500100201"), Some((1, 1)));
    let source = |digits| router.explain(&control, &journey.trip(digits)).network.map(|(_, source)| source.word());
    assert_eq!(source("48500100200"), Some("file"));
    assert_eq!(source("48500100201"), Some("number_range"));
}

#[test]
fn an_explanation_is_the_plan_with_every_step_written_down() {
    let mut grey = carrier(2);
    grey.direct = false;
    let routes = vec![
        with(route(1, "486", &[1]), |settings| settings.accounts = vec!["globex".into()]),
        route(2, "48", &[2, 1, 3]),
        with(route(3, "", &[3]), |settings| settings.choose = Choose::LeastPrice),
        route(4, "49", &[1]),
    ];
    let (router, control) = (router(), control(vec![carrier(1), grey, carrier(3)], routes));
    let journey = Journey::usual();
    let trip = journey.trip("48600100200");
    let rulings = || {
        let explanation = router.explain(&control, &trip);
        let step = |step: &Considered| (step.route.id.0, step.carrier.map(|id| id.0), step.ruling);
        explanation.considered.iter().map(step).collect::<Vec<_>>()
    };
    let account = (1, None, Ruling::Mismatch(Mismatch::Account));
    assert_eq!(
        rulings(),
        [
            account,
            (2, Some(2), Ruling::NotDirect),
            (2, Some(1), Ruling::Taken),
            (2, Some(3), Ruling::NotReached),
            (3, Some(3), Ruling::NotReached),
        ]
    );
    for id in [1, 3] {
        router.health().vital(CarrierId(id)).set(Lane::Standard, 0, Trouble::Down);
    }
    let words: Vec<&str> = rulings().iter().map(|(_, _, ruling)| ruling.word()).collect();
    assert_eq!(words, ["other_accounts", "not_direct", "last_resort", "down", "down"]);
}

#[test]
fn a_thousand_routes_cost_a_message_no_more_than_ten() {
    let cost = |count: u32| {
        let mut routes: Vec<Route> = (0..count).map(|id| route(id + 1, &format!("4{:03}", id + 100), &[1])).collect();
        routes.push(route(count + 1, "", &[1]));
        let (router, control) = (router(), control(vec![carrier(1)], routes));
        let journey = Journey::usual();
        let best = (0..20).map(|_| {
            let started = std::time::Instant::now();
            for number in 0..2_000_u32 {
                let phone = Phone::from_u64(41_000_000_000 + u64::from(number) * 4_000_037).expect("a number");
                let trip = Trip { phone, ..journey.trip("48600100200") };
                std::hint::black_box(router.plan(&control, &trip).map(|plan| plan.carrier.id).ok());
            }
            started.elapsed()
        });
        best.min().unwrap_or(Duration::MAX)
    };
    let (ten, thousand) = (cost(10), cost(1_000));
    assert!(thousand < ten * 4, "{ten:?} for ten routes, {thousand:?} for a thousand");
}
