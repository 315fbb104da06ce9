//! `[[route]]` entries.

use std::collections::HashMap;

use domain::control::RouteSettings;
use domain::id::RouteId;

use super::reader::Table;
use super::values;
use crate::control::content::RouteEntry;
use crate::control::limits::PREFIX_LENGTH_MAX;

const KEYS: &[&str] = &["prefix", "network", "carriers", "direct_only", "price"];

/// What is known of the routes to one prefix or network: their carriers and lines.
type Seen = HashMap<(String, String), Vec<(Vec<String>, usize)>>;

/// Reads all routes; `known` are the names of the carriers.
pub(super) fn read_all(root: &Table<'_>, known: &[&str]) -> Vec<RouteEntry> {
    let mut seen = Seen::new();
    let mut routes = Vec::new();
    for table in root.tables("route", "route", KEYS) {
        let mut route = read(&table, known);
        let same_target = seen.entry((route.prefix.clone(), route.network.clone())).or_default();
        if let Some((_, line)) = same_target.iter().find(|(carriers, _)| *carriers == route.carriers) {
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
        same_target.push((route.carriers.clone(), table.line(table.offset())));
        routes.push(route);
    }
    routes
}

fn read(table: &Table<'_>, known: &[&str]) -> RouteEntry {
    let (prefix, network) = read_target(table);
    RouteEntry {
        id: RouteId(0),
        prefix,
        network,
        occurrence: 0,
        carriers: read_carriers(table, known),
        settings: read_settings(table),
    }
}

fn read_settings(table: &Table<'_>) -> RouteSettings {
    let default = RouteSettings::default();
    RouteSettings {
        direct_only: table.flag("direct_only", default.direct_only),
        price: values::amount(table, "price", default.price),
    }
}

fn read_target(table: &Table<'_>) -> (String, String) {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let prefix = table.text("prefix");
    let network = table.text("network").filter(|network| !network.text.is_empty());
    if let Some(network) = network {
        if !(5..=6).contains(&network.text.len()) || !digits(network.text) {
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
