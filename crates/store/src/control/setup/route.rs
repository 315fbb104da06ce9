//! `[[route]]` entries.

use std::collections::HashMap;

use domain::control::{Carrier, Choose, RouteLane, RouteSettings};
use domain::id::RouteId;
use domain::network::Network;
use domain::sender::Sender;

use super::reader::Table;
use super::values;
use crate::control::content::RouteEntry;
use crate::control::limits::{CARRIERS_PER_ROUTE_MAX, PREFIX_LENGTH_MAX, WEIGHT_MAX};

const KEYS: &[&str] = &[
    "prefix",
    "network",
    "carriers",
    "direct_only",
    "price",
    "accounts",
    "senders",
    "lane",
    "choose",
    "weights",
    "costs",
];

/// What is known of the routes to one prefix or network, with their lines.
type Seen = HashMap<(String, String), Vec<(RouteEntry, usize)>>;

/// Reads all routes over these carriers; `accounts` are the names of the accounts.
pub(super) fn read_all(root: &Table<'_>, carriers: &[Carrier], accounts: &[&str]) -> Vec<RouteEntry> {
    let mut seen = Seen::new();
    let mut routes = Vec::new();
    for table in root.tables("route", "route", KEYS) {
        let mut route = read(&table, carriers, accounts);
        let same_target = seen.entry((route.prefix.clone(), route.network.clone())).or_default();
        if let Some((_, line)) = same_target.iter().find(|(earlier, _)| earlier.covers(&route)) {
            let key = if route.network.is_empty() { "prefix" } else { "network" };
            let message = format!(
                "the route in line {line} leads to the same numbers over the same carriers, this one would never be used: remove one"
            );
            match table.text(key) {
                Some(passed) => table.refuse(key, passed, message),
                None => table.refuse_entry(key, message),
            }
        }
        route.occurrence = u32::try_from(same_target.len()).unwrap_or(u32::MAX);
        same_target.push((route.clone(), table.line(table.offset())));
        routes.push(route);
    }
    routes
}

impl RouteEntry {
    /// Whether every message that a later route to the same target could take is taken by this one.
    fn covers(&self, later: &Self) -> bool {
        fn includes<T: PartialEq>(ours: &[T], theirs: &[T]) -> bool {
            ours.is_empty() || (!theirs.is_empty() && theirs.iter().all(|one| ours.contains(one)))
        }
        let (ours, theirs) = (&self.settings, &later.settings);
        !later.carriers.is_empty()
            && later.carriers.iter().all(|carrier| self.carriers.contains(carrier))
            && (!ours.direct_only || theirs.direct_only)
            && includes(&ours.accounts, &theirs.accounts)
            && includes(&ours.senders, &theirs.senders)
            && (ours.lane == RouteLane::Any || ours.lane == theirs.lane)
    }
}

fn read(table: &Table<'_>, carriers: &[Carrier], accounts: &[&str]) -> RouteEntry {
    let names: Vec<&str> = carriers.iter().map(|carrier| carrier.name.as_str()).collect();
    let (prefix, network) = read_target(table);
    let route = RouteEntry {
        id: RouteId(0),
        prefix,
        network,
        occurrence: 0,
        carriers: read_carriers(table, &names),
        settings: read_settings(table, accounts),
    };
    check_usable(table, &route, carriers);
    check_choice(table, &route);
    route
}

fn read_settings(table: &Table<'_>, accounts: &[&str]) -> RouteSettings {
    let default = RouteSettings::default();
    RouteSettings {
        direct_only: table.flag("direct_only", default.direct_only),
        price: values::amount(table, "price", default.price),
        accounts: read_names(table, "accounts", |name| {
            let known = || format!("unknown account, the file has: {}", accounts.join(", "));
            (!accounts.contains(&name)).then(known)
        }),
        senders: read_names(table, "senders", |name| Sender::parse(name).err().map(|error| error.to_string())),
        lane: table.choice("lane").unwrap_or_default(),
        choose: table.choice("choose").unwrap_or_default(),
        weights: table
            .integers("weights", &(0..=u64::from(WEIGHT_MAX)), CARRIERS_PER_ROUTE_MAX)
            .unwrap_or_default()
            .into_iter()
            .map(|weight| u32::try_from(weight).unwrap_or(WEIGHT_MAX))
            .collect(),
        costs: values::amounts(table, "costs").unwrap_or_default(),
    }
}

/// A list of names, each once; `wrong` says what is wrong with one.
fn read_names(table: &Table<'_>, key: &str, wrong: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for passed in table.texts(key).unwrap_or_default() {
        if names.iter().any(|named| named == passed.text) {
            table.refuse(key, passed, "named twice in this route: once is enough");
        } else if let Some(message) = wrong(passed.text) {
            table.refuse(key, passed, message);
        }
        names.push(passed.text.into());
    }
    names
}

/// A route that asks for direct connections must have one.
fn check_usable(table: &Table<'_>, route: &RouteEntry, carriers: &[Carrier]) {
    let named = |carrier: &&Carrier| route.carriers.contains(&carrier.name);
    let mut own = carriers.iter().filter(named).peekable();
    if route.settings.direct_only && own.peek().is_some() && own.all(|carrier| !carrier.direct) {
        table.refuse_entry(
            "direct_only",
            "no carrier of this route is direct, so it would never be used: write direct_only = false or name a direct carrier",
        );
    }
}

/// Weights and costs are those of the carriers, one each, and only where the route looks at them.
fn check_choice(table: &Table<'_>, route: &RouteEntry) {
    let RouteSettings { choose, weights, costs, .. } = &route.settings;
    let count = route.carriers.len();
    let (has_weights, has_costs) = (table.has("weights"), table.has("costs"));
    match choose {
        Choose::Weight if weights.iter().all(|weight| *weight == 0) => {
            table.refuse_entry("weights", "choose = \"weight\" needs a weight for each carrier, one of them above 0");
        }
        _ if has_weights && *choose != Choose::Weight => {
            table.refuse_entry("weights", "weights are for choose = \"weight\": remove them or choose by weight");
        }
        _ if has_weights && weights.len() != count => {
            table.refuse_entry(
                "weights",
                format!("expected one weight for each of the {count} carriers, found {}", weights.len()),
            );
        }
        _ => {}
    }
    if has_costs && *choose != Choose::LeastPrice {
        table.refuse_entry("costs", "costs are for choose = \"least-price\": remove them or choose by price");
    } else if has_costs && costs.len() != count {
        table.refuse_entry(
            "costs",
            format!("expected one cost for each of the {count} carriers, found {}", costs.len()),
        );
    }
}

fn read_target(table: &Table<'_>) -> (String, String) {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = table.text("prefix");
    let network = table.text("network").filter(|network| !network.text.is_empty());
    if let Some(network) = network {
        if network.text.parse::<Network>().is_err() {
            table.refuse("network", network, "expected the country and network code, 5 or 6 digits such as \"26001\"");
        }
        if prefix.is_some_and(|prefix| !prefix.text.is_empty()) {
            table.refuse("network", network, "a route is for a prefix or for a network, not for both: make two routes");
        }
        return (String::new(), network.text.into());
    }
    let Some(prefix) = prefix else {
        if !table.has("prefix") && !table.has("network") {
            table.refuse_entry("prefix", "missing key: write prefix or network; prefix = \"\" is for every number");
        } else if !table.has("prefix") && table.text("network").is_some() {
            table.refuse_entry("network", "expected the country and network code, or a prefix instead");
        }
        return Default::default();
    };
    if prefix.text.len() > PREFIX_LENGTH_MAX || !digits(prefix.text) || prefix.text.starts_with('0') {
        let message = format!(
            "expected up to {PREFIX_LENGTH_MAX} digits beginning with the country code, without + and zeros in front"
        );
        table.refuse("prefix", prefix, message);
    }
    (prefix.text.into(), String::new())
}

fn read_carriers(table: &Table<'_>, known: &[&str]) -> Vec<String> {
    if !table.has("carriers") {
        table.refuse_entry("carriers", "missing key: name at least one carrier");
    }
    let Some(passed) = table.texts("carriers") else { return Vec::new() };
    let mut carriers: Vec<String> = Vec::new();
    for carrier in &passed {
        if carriers.iter().any(|named| named == carrier.text) {
            table.refuse("carriers", *carrier, "named twice in this route: once is enough");
        } else if !known.contains(&carrier.text) {
            table.refuse("carriers", *carrier, unknown_carrier(known));
        }
        carriers.push(carrier.text.into());
    }
    if passed.is_empty() {
        table.refuse_entry("carriers", "the list is empty: name at least one carrier");
    }
    carriers
}

/// What to say of a carrier that the file does not declare.
pub(super) fn unknown_carrier(known: &[&str]) -> String {
    let known: Vec<&str> = known.iter().copied().filter(|name| !name.is_empty()).collect();
    if known.is_empty() {
        return "unknown carrier, the file has none: add a [[carrier]] entry".into();
    }
    format!("unknown carrier, the file has: {}", known.join(", "))
}
