//! What planning a way costs: processor time per message with many routes.
//!
//! `cargo run --release -p flow --example plan_rate [ROUTES]`

#![allow(clippy::unwrap_used, reason = "an example that measures")]

use std::time::Instant;

use domain::clock::Clock;
use domain::control::{Account, AccountSettings, Carrier, Choose, Control, Route, RouteSettings};
use domain::id::{AccountId, CarrierId, RouteId};
use domain::lane::Lane;
use domain::network::NumberRanges;
use domain::phone::Phone;
use domain::sender::Sender;
use flow::health::Health;
use flow::route::{Router, Trip};

const MESSAGES: u32 = 1_000_000;

fn main() {
    let count: u32 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000);
    let router = Router::new(Health::default(), NumberRanges::built_in(), Clock::system());
    for (what, make) in [
        ("prefixes", by_prefix as fn(u32) -> Route),
        ("accounts of one prefix", by_account),
        ("senders of one prefix", by_sender),
        ("networks and weights", by_network),
    ] {
        let carriers = (1..=3).map(|id| Carrier { id: CarrierId(id), name: format!("c{id}"), ..Carrier::default() });
        let accounts = (1..=count).map(account).collect();
        let mut routes: Vec<Route> = (1..count).map(make).collect();
        routes.push(route(count, "", RouteSettings::default()));
        let control = Control::new(1, accounts, vec![], carriers.collect(), routes);
        let sender = Sender::parse("S500").unwrap();
        let started = Instant::now();
        let mut planned = 0_u32;
        for number in 0..MESSAGES {
            let phone = Phone::from_u64(48_500_000_000 + u64::from(number) * 397).unwrap();
            let trip = Trip { phone, sender: &sender, account: AccountId(1 + number % count), lane: Lane::Standard };
            planned += u32::from(router.plan(&control, &trip).is_ok());
        }
        let nanoseconds = started.elapsed().as_nanos() / u128::from(MESSAGES);
        println!("{count} routes by {what}: {nanoseconds} ns a message, {planned} planned");
    }
}

fn account(id: u32) -> Account {
    Account {
        id: AccountId(id),
        name: format!("account-{id}"),
        settings: AccountSettings::default(),
        senders: vec![],
        endpoints: vec![],
        numbers: vec![],
    }
}

fn route(id: u32, prefix: &str, settings: RouteSettings) -> Route {
    let carriers = [1, 2, 3].map(CarrierId).to_vec();
    Route { id: RouteId(id), prefix: prefix.into(), network: String::new(), carriers, settings }
}

fn by_prefix(id: u32) -> Route {
    route(id, &format!("48{:04}", 5_000 + id), RouteSettings::default())
}

fn by_account(id: u32) -> Route {
    route(id, "48", RouteSettings { accounts: vec![format!("account-{id}")], ..RouteSettings::default() })
}

fn by_sender(id: u32) -> Route {
    route(id, "48", RouteSettings { senders: vec![format!("S{id}")], ..RouteSettings::default() })
}

fn by_network(id: u32) -> Route {
    let settings = RouteSettings { choose: Choose::Weight, weights: vec![60, 30, 10], ..RouteSettings::default() };
    Route { prefix: String::new(), network: format!("{}", 26_000 + id), ..route(id, "", settings) }
}
