//! `[[account]]` entries and what belongs to them.

use std::collections::HashMap;

use domain::choice::Choice;
use domain::control::{AccountSettings, Endpoint, EventKind, KeySettings, Secret, SenderEntry};
use domain::id::{AccountId, EndpointId, KeyId, SenderId};
use domain::lane::Guarantees;
use domain::limits::{RETRIES_MAX, RETRY_SECONDS_MAX, SECRET_OVERLAP_HOURS_MAX, VALIDITY_MINUTES_MAX};
use domain::money::{CURRENCIES, Currency};
use domain::permission::{Permission, Permissions};
use domain::quiet::{self, QuietHours};
use domain::sender::Sender;

use super::reader::{Table, Text};
use super::{bot, number, values};
use crate::control::content::{AccountEntry, Half, KeyEntry};
use crate::control::key::key_digest;
use crate::control::limits::RATE_PER_SECOND_MAX;

const ACCOUNT_KEYS: &[&str] = &[
    "name",
    "currency",
    "balance",
    "priority",
    "messages_per_second",
    "encoding",
    "priority_percent",
    "quiet_hours",
    "time_zone",
    "code_guarantee",
    "transactional_guarantee",
    "bulk_guarantee",
    "sender",
    "key",
    "webhook",
    "number",
    "bot",
    "reserved_words",
];
const SENDER_KEYS: &[&str] = &["name", "approved"];
const KEY_KEYS: &[&str] = &[
    "name",
    "authorization",
    "application_key",
    "senders",
    "permissions",
    "allowed_addresses",
    "traffic",
    "priority_validity_minutes",
    "newest_code_only",
];
const WEBHOOK_KEYS: &[&str] = &[
    "event",
    "url",
    "secondary_url",
    "secret_key",
    "signing_secret",
    "basic_user",
    "basic_password",
    "retry_seconds",
    "secret_overlap_hours",
];

/// What must be unique over all accounts, with the place where it was first seen.
#[derive(Default)]
struct Seen {
    accounts: HashMap<String, usize>,
    pairs: HashMap<[u8; 32], usize>,
    numbers: number::Claims,
}

/// Reads all accounts; `carriers` are the names of the carriers.
pub(super) fn read_all(root: &Table<'_>, carriers: &[&str]) -> Vec<AccountEntry> {
    let mut seen = Seen::default();
    root.tables("account", "account", ACCOUNT_KEYS).iter().map(|table| read(table, carriers, &mut seen)).collect()
}

fn read(table: &Table<'_>, carriers: &[&str], seen: &mut Seen) -> AccountEntry {
    let name = values::name(table, "name");
    if let Some(name) = name {
        unique(table, "name", name, &mut seen.accounts, name.text.into(), "account");
    }
    let senders = read_senders(table);
    let settings = read_settings(table);
    let numbers = number::read_all(table, carriers, &settings.bots, &mut seen.numbers);
    AccountEntry {
        id: AccountId(0),
        name: name.map_or("", |name| name.text).into(),
        settings,
        balance_given: table.has("balance"),
        keys: read_keys(table, &senders, seen),
        senders,
        endpoints: read_endpoints(table),
        numbers,
    }
}

fn read_settings(table: &Table<'_>) -> AccountSettings {
    let default = AccountSettings::default();
    AccountSettings {
        currency: read_currency(table, default.currency),
        balance: values::amount(table, "balance", default.balance),
        priority: table.flag("priority", default.priority),
        messages_per_second: table.integer(
            "messages_per_second",
            &(0..=RATE_PER_SECOND_MAX),
            default.messages_per_second,
        ),
        encoding: table.choice("encoding").unwrap_or_default(),
        reserved_words: bot::read_reserved(table),
        bots: bot::read_all(table),
        priority_percent: table.integer("priority_percent", &(0..=100), default.priority_percent),
        quiet_hours: read_quiet_hours(table),
        time_zone: read_time_zone(table, default.time_zone),
        guarantees: Guarantees {
            code: table.choice("code_guarantee").unwrap_or(default.guarantees.code),
            transactional: table.choice("transactional_guarantee").unwrap_or(default.guarantees.transactional),
            bulk: table.choice("bulk_guarantee").unwrap_or(default.guarantees.bulk),
        },
    }
}

fn read_quiet_hours(table: &Table<'_>) -> String {
    let Some(passed) = table.text("quiet_hours").filter(|hours| !hours.text.is_empty()) else { return String::new() };
    if QuietHours::parse(passed.text, "UTC").is_none() {
        table.refuse("quiet_hours", passed, "expected two times of the day such as \"21:00-08:00\", or \"\" for none");
    }
    passed.text.into()
}

fn read_time_zone(table: &Table<'_>, default: String) -> String {
    let Some(passed) = table.text("time_zone") else { return default };
    if !quiet::is_zone(passed.text) {
        table.refuse("time_zone", passed, "unknown time zone, expected a name such as \"Europe/Warsaw\" or \"UTC\"");
    }
    passed.text.into()
}

/// Reports `passed` when `value` was seen before.
pub(super) fn unique<K: std::hash::Hash + Eq>(
    table: &Table<'_>,
    key: &str,
    passed: Text<'_>,
    offsets: &mut HashMap<K, usize>,
    value: K,
    what: &str,
) {
    let first = *offsets.entry(value).or_insert(passed.offset);
    if first != passed.offset {
        let line = table.line(first);
        table.refuse(key, passed, format!("the {what} in line {line} has the same {key}: give each its own"));
    }
}

fn read_currency(table: &Table<'_>, default: Currency) -> Currency {
    let Some(passed) = table.text("currency") else { return default };
    Currency::by_letters(passed.text).unwrap_or_else(|| {
        let letters: Vec<&str> = CURRENCIES.iter().map(|currency| currency.letters).collect();
        table.refuse("currency", passed, format!("unknown currency, expected one of {}", letters.join(", ")));
        default
    })
}

fn read_senders(account: &Table<'_>) -> Vec<SenderEntry> {
    let mut offsets = HashMap::new();
    let mut senders = Vec::new();
    for table in account.tables("sender", "account.sender", SENDER_KEYS) {
        let approved = table.flag("approved", true);
        let Some(passed) = table.required_text("name") else { continue };
        unique(&table, "name", passed, &mut offsets, passed.text, "sender");
        match Sender::parse(passed.text) {
            Ok(name) => senders.push(SenderEntry { id: SenderId(0), name, approved }),
            Err(error) => table.refuse("name", passed, error.to_string()),
        }
    }
    senders
}

fn read_keys(account: &Table<'_>, senders: &[SenderEntry], seen: &mut Seen) -> Vec<KeyEntry> {
    let mut offsets = HashMap::new();
    let mut keys = Vec::new();
    for table in account.tables("key", "account.key", KEY_KEYS) {
        let name = values::name(&table, "name");
        if let Some(name) = name {
            unique(&table, "name", name, &mut offsets, name.text, "key");
        }
        let authorization = values::key_half(&table, "authorization");
        let application_key = values::key_half(&table, "application_key");
        let pair = authorization.zip(application_key);
        let digest = pair.map(|(authorization, application)| key_digest(authorization.text, application.text));
        if let (Some(passed), Some(digest)) = (authorization, digest) {
            let first = *seen.pairs.entry(digest).or_insert(passed.offset);
            if first != passed.offset {
                let message = format!("the key in line {} has the same pair: give each its own", table.line(first));
                table.refuse_secret("authorization", passed, message);
            }
        }
        let half = |text: Option<Text<'_>>| text.map_or(Half::Absent, |text| Half::Given(Secret::new(text.text)));
        keys.push(KeyEntry {
            id: KeyId(0),
            name: name.map_or("", |name| name.text).into(),
            authorization: half(authorization),
            application_key: half(application_key),
            digest,
            senders: read_key_senders(&table, senders),
            settings: KeySettings {
                permissions: read_permissions(&table),
                allowed_addresses: values::networks(&table, "allowed_addresses"),
                traffic: table.choice("traffic").unwrap_or_default(),
                priority_validity_minutes: table.integer("priority_validity_minutes", &(0..=VALIDITY_MINUTES_MAX), 0),
                newest_code_only: table.flag("newest_code_only", false),
            },
        });
    }
    keys
}

/// The senders of a key; all of the account's when the file does not choose.
fn read_key_senders(table: &Table<'_>, senders: &[SenderEntry]) -> Vec<String> {
    let known: Vec<&str> = senders.iter().map(|sender| sender.name.as_str()).collect();
    let mut names: Vec<String> = match table.texts("senders") {
        None => known.iter().map(|&name| name.into()).collect(),
        Some(passed) => {
            for name in passed.iter().filter(|name| !known.contains(&name.text)) {
                let has = if known.is_empty() { "none".into() } else { known.join(", ") };
                let message = format!("the account has no such sender, it has {has}: add an [[account.sender]] entry");
                table.refuse("senders", *name, message);
            }
            passed.iter().map(|name| name.text.into()).collect()
        }
    };
    names.sort_unstable();
    names.dedup();
    names
}

/// Sending and reading when the file does not choose.
fn read_permissions(table: &Table<'_>) -> Permissions {
    let Some(passed) = table.texts("permissions") else { return Permission::DEFAULT.into_iter().collect() };
    for name in passed.iter().filter(|name| Permission::by_name(name.text).is_none()) {
        let known: Vec<&str> = Permission::NAMES.iter().map(|(_, name)| *name).collect();
        table.refuse("permissions", *name, format!("unknown permission, expected one of {}", known.join(", ")));
    }
    passed.iter().filter_map(|name| Permission::by_name(name.text)).collect()
}

fn read_endpoints(account: &Table<'_>) -> Vec<Endpoint> {
    let mut offsets = HashMap::new();
    let mut endpoints = Vec::new();
    for table in account.tables("webhook", "account.webhook", WEBHOOK_KEYS) {
        let event = table.required_text("event").and_then(|passed| {
            unique(&table, "event", passed, &mut offsets, passed.text, "webhook");
            table.choice::<EventKind>("event")
        });
        let url = table.required_text("url");
        check_addresses(&table, url);
        let basic_user = table.text("basic_user").map_or("", |user| user.text);
        endpoints.push(Endpoint {
            id: EndpointId(0),
            account: AccountId(0),
            event: event.unwrap_or(EventKind::Status),
            url: url.map_or("", |url| url.text).into(),
            secondary_url: table.text("secondary_url").map_or("", |url| url.text).into(),
            secret_key: read_secret(&table, "secret_key"),
            signing_secret: read_signing_secret(&table),
            basic_user: basic_user.into(),
            basic_password: read_basic_password(&table, basic_user),
            retry_seconds: read_retry_seconds(&table),
            secret_overlap_hours: table.integer(
                "secret_overlap_hours",
                &(0..=SECRET_OVERLAP_HOURS_MAX),
                Endpoint::default().secret_overlap_hours,
            ),
            previous: None,
        });
    }
    endpoints
}

/// The waits of an endpoint; none when the file leaves them to the server.
fn read_retry_seconds(table: &Table<'_>) -> Vec<u64> {
    let waits = table.integers("retry_seconds", &(1..=RETRY_SECONDS_MAX), RETRIES_MAX);
    waits.unwrap_or_default()
}

fn check_addresses(table: &Table<'_>, url: Option<Text<'_>>) {
    const EXPECTED: &str =
        "expected an address such as \"https://example.com/hooks/sms\", without user, password and fragment";
    if let Some(url) = url.filter(|url| !values::is_web_address(url.text)) {
        table.refuse("url", url, EXPECTED);
    }
    let secondary = table.text("secondary_url").filter(|url| !url.text.is_empty());
    if let Some(url) = secondary.filter(|url| !values::is_web_address(url.text)) {
        table.refuse("secondary_url", url, EXPECTED);
    }
}

fn read_secret(table: &Table<'_>, key: &str) -> Secret {
    let Some(passed) = table.text(key) else { return Secret::default() };
    if !values::is_secret(passed.text) {
        table.refuse_secret(key, passed, "expected up to 256 ASCII characters without spaces");
    }
    Secret::new(passed.text)
}

fn read_signing_secret(table: &Table<'_>) -> Secret {
    let Some(passed) = table.text("signing_secret").filter(|secret| !secret.text.is_empty()) else {
        return Secret::default();
    };
    if !values::is_signing_secret(passed.text) {
        let message = "expected whsec_ and 24 to 64 octets of base64; leave it out to have one generated";
        table.refuse_secret("signing_secret", passed, message);
    }
    Secret::new(passed.text)
}

fn read_basic_password(table: &Table<'_>, user: &str) -> Secret {
    if let Some(passed) =
        table.text("basic_user").filter(|user| user.text.contains(':') || !values::is_secret(user.text))
    {
        table.refuse("basic_user", passed, "expected ASCII characters without spaces and colons");
    }
    let Some(passed) = table.text("basic_password") else { return Secret::default() };
    if !values::is_secret(passed.text) {
        table.refuse_secret("basic_password", passed, "expected up to 256 ASCII characters without spaces");
    } else if user.is_empty() && !passed.text.is_empty() {
        table.refuse_secret("basic_password", passed, "a password without a user: give basic_user too");
    }
    Secret::new(passed.text)
}
