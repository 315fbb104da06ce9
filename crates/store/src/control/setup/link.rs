//! What a `[[carrier]]` entry says about its sessions, and its `[[carrier.status]]` entries.

use domain::control::{Link, StatusAction, StatusRule, sha256_digits, split_host};

use super::reader::Table;
use super::values;
use crate::control::limits::{HOSTS_MAX, PAUSE_SECONDS_MAX, SESSION_SECONDS_MAX, STATUS_RULES_MAX, STATUS_TRIES_MAX};

/// The keys read here.
pub(super) const KEYS: &[&str] = &[
    "hosts",
    "tls_pinned_sha256",
    "tls_ca_file",
    "connect_timeout_seconds",
    "bind_timeout_seconds",
    "enquire_link_seconds",
    "enquire_link_timeout_seconds",
    "inactivity_timeout_seconds",
    "response_timeout_seconds",
    "half_read_timeout_seconds",
    "reconnect_min_seconds",
    "reconnect_max_seconds",
    "unbind_timeout_seconds",
    "submit_with",
    "outbind_listen",
    "outbind_allowed_addresses",
    "outbind_certificate_file",
    "outbind_private_key_file",
    "status",
];
const STATUS_KEYS: &[&str] = &["code", "action", "tries", "pause_seconds", "other_route"];

/// Reads how the sessions of a carrier are run.
pub(super) fn read(table: &Table<'_>, tls: bool) -> Link {
    let default = Link::default();
    let seconds = |key: &str, default: u16| {
        let read = table.integer(key, &(1..=SESSION_SECONDS_MAX), default.into());
        u16::try_from(read).unwrap_or(default)
    };
    let link = Link {
        hosts: read_hosts(table),
        tls_pinned_sha256: read_fingerprint(table),
        tls_ca_file: table.text("tls_ca_file").map_or("", |file| file.text).into(),
        connect_timeout_seconds: seconds("connect_timeout_seconds", default.connect_timeout_seconds),
        bind_timeout_seconds: seconds("bind_timeout_seconds", default.bind_timeout_seconds),
        enquire_link_seconds: seconds("enquire_link_seconds", default.enquire_link_seconds),
        enquire_link_timeout_seconds: seconds("enquire_link_timeout_seconds", default.enquire_link_timeout_seconds),
        inactivity_timeout_seconds: seconds("inactivity_timeout_seconds", default.inactivity_timeout_seconds),
        response_timeout_seconds: seconds("response_timeout_seconds", default.response_timeout_seconds),
        half_read_timeout_seconds: seconds("half_read_timeout_seconds", default.half_read_timeout_seconds),
        reconnect_min_seconds: seconds("reconnect_min_seconds", default.reconnect_min_seconds),
        reconnect_max_seconds: seconds("reconnect_max_seconds", default.reconnect_max_seconds),
        unbind_timeout_seconds: seconds("unbind_timeout_seconds", default.unbind_timeout_seconds),
        submit_with: table.choice("submit_with").unwrap_or_default(),
        outbind_listen: read_listen(table),
        outbind_allowed_addresses: values::networks(table, "outbind_allowed_addresses"),
        outbind_certificate_file: table.text("outbind_certificate_file").map_or("", |file| file.text).into(),
        outbind_private_key_file: table.text("outbind_private_key_file").map_or("", |file| file.text).into(),
    };
    check(table, &link, tls);
    check_outbind(table, &link, tls);
    link
}

/// What is wrong with values that are right one by one.
fn check(table: &Table<'_>, link: &Link, tls: bool) {
    if link.reconnect_min_seconds > link.reconnect_max_seconds {
        let message = format!("expected at most reconnect_max_seconds, which is {}", link.reconnect_max_seconds);
        table.refuse_number("reconnect_min_seconds", link.reconnect_min_seconds.into(), message);
    }
    let silence = u32::from(link.enquire_link_seconds) + u32::from(link.enquire_link_timeout_seconds);
    if silence >= u32::from(link.inactivity_timeout_seconds) {
        let message = format!(
            "expected more than enquire_link_seconds and enquire_link_timeout_seconds together, which are {silence}: \
             a silent operator is asked whether it lives before its session is ended"
        );
        table.refuse_number("inactivity_timeout_seconds", link.inactivity_timeout_seconds.into(), message);
    }
    for key in ["tls_pinned_sha256", "tls_ca_file"] {
        if let Some(passed) = table.text(key).filter(|passed| !passed.text.is_empty() && !tls) {
            table.refuse(key, passed, "without tls = true nothing is checked: turn it on or leave this out");
        }
    }
    if let Some(passed) = table.text("tls_ca_file").filter(|passed| !passed.text.is_empty())
        && !link.tls_pinned_sha256.is_empty()
    {
        table.refuse(
            "tls_ca_file",
            passed,
            "give either this or tls_pinned_sha256: a pinned certificate needs no authority",
        );
    }
    if let Some(passed) = table.text("outbind_listen").filter(|passed| !passed.text.is_empty())
        && link.outbind_allowed_addresses.is_empty()
    {
        let message = "give outbind_allowed_addresses too: whoever connects there is told the login of this carrier";
        table.refuse("outbind_listen", passed, message);
    }
}

/// Where the carrier uses TLS, the operator that connects finds a server with a certificate, and nothing in the clear.
fn check_outbind(table: &Table<'_>, link: &Link, tls: bool) {
    let files = [&link.outbind_certificate_file, &link.outbind_private_key_file];
    let listens = table.text("outbind_listen").filter(|passed| !passed.text.is_empty());
    if let Some(passed) = listens
        .filter(|_| tls && files.iter().any(|file| file.is_empty()))
        // One thing at a time.
        .filter(|_| !link.outbind_allowed_addresses.is_empty())
    {
        let message = "with tls = true the operator expects a certificate: give outbind_certificate_file and \
                       outbind_private_key_file too";
        table.refuse("outbind_listen", passed, message);
    }
    for key in ["outbind_certificate_file", "outbind_private_key_file"] {
        if let Some(passed) = table.text(key).filter(|passed| !passed.text.is_empty())
            && (!tls || listens.is_none())
        {
            table.refuse(key, passed, "without tls = true and outbind_listen nobody is shown a certificate");
        }
    }
}

fn read_hosts(table: &Table<'_>) -> Vec<String> {
    let hosts = table.texts("hosts").unwrap_or_default();
    for place in &hosts {
        if !split_host(place.text).is_some_and(|(host, _)| values::is_host(host)) {
            table.refuse(
                "hosts",
                *place,
                "expected a host name or an address with its port, such as \"smpp2.example:2775\"",
            );
        }
    }
    if let Some(first_too_many) = hosts.get(HOSTS_MAX) {
        table.refuse("hosts", *first_too_many, format!("expected at most {HOSTS_MAX} hosts"));
    }
    hosts.iter().map(|place| place.text.into()).collect()
}

fn read_fingerprint(table: &Table<'_>) -> String {
    let Some(passed) = table.text("tls_pinned_sha256").filter(|passed| !passed.text.is_empty()) else {
        return String::new();
    };
    if sha256_digits(passed.text).is_none() {
        let message = "expected the SHA-256 of the operator's certificate as 64 hexadecimal digits; \
                       `openssl x509 -noout -fingerprint -sha256` shows it";
        table.refuse("tls_pinned_sha256", passed, message);
    }
    passed.text.into()
}

fn read_listen(table: &Table<'_>) -> String {
    let Some(passed) = table.text("outbind_listen").filter(|passed| !passed.text.is_empty()) else {
        return String::new();
    };
    if passed.text.parse::<std::net::SocketAddr>().is_err() {
        table.refuse(
            "outbind_listen",
            passed,
            "expected an address of this machine with a port, such as \"0.0.0.0:2776\"",
        );
    }
    passed.text.into()
}

/// Reads the carrier's own lines about statuses.
pub(super) fn read_status(carrier: &Table<'_>) -> Vec<StatusRule> {
    let tables = carrier.tables("status", "carrier.status", STATUS_KEYS);
    if tables.len() > STATUS_RULES_MAX {
        carrier.refuse_entry("status", format!("expected at most {STATUS_RULES_MAX} entries"));
    }
    tables.iter().filter_map(read_status_rule).collect()
}

fn read_status_rule(table: &Table<'_>) -> Option<StatusRule> {
    let code = table.required_text("code");
    _ = table.required_text("action");
    let action = table.choice::<StatusAction>("action");
    if action.is_some_and(|action| action != StatusAction::RetryLater) {
        for key in ["tries", "pause_seconds"].into_iter().filter(|key| table.has(key)) {
            table.refuse_number(
                key,
                table.integer(key, &(0..=u32::MAX), 0),
                "only action \"retry-later\" has tries and pauses",
            );
        }
    }
    let rule = StatusRule {
        code: code?.text.into(),
        action: action?,
        tries: table.integer("tries", &(0..=STATUS_TRIES_MAX), 0),
        pause_seconds: table.integer("pause_seconds", &(1..=PAUSE_SECONDS_MAX), 30),
        other_route: table.has("other_route").then(|| table.flag("other_route", false)),
    };
    if rule.codes().is_none() {
        let message =
            "expected a command_status other than 0, such as \"0x0400\", or a range such as \"0x0400-0x04FF\"";
        table.refuse("code", code?, message);
    }
    Some(rule)
}
