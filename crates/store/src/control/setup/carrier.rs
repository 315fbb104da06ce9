//! `[[carrier]]` entries.

use std::collections::HashMap;

use domain::choice::Choice as _;
use domain::control::{Carrier, InvalidTonNpi, Secret, TonNpi};
use domain::encoding::NationalTables;
use domain::receipt::{ReceiptState, ReceiptWords, ReceiptZone};
use domain::sender::{Sender, SenderKind};
use text::Language;

use super::reader::{Table, Text};
use super::{link, values};
use crate::control::limits::{
    BINDS_MAX, OPERATOR_ACCOUNT_OCTETS_MAX, PASSWORD_OCTETS_MAX, RATE_PER_SECOND_MAX, SYSTEM_ID_OCTETS_MAX,
    SYSTEM_TYPE_OCTETS_MAX, WINDOW_MAX,
};

const KEYS: &[&str] = &[
    "name",
    "host",
    "port",
    "tls",
    "system_id",
    "password",
    "outbind_password",
    "system_type",
    "interface_version",
    "bind",
    "binds",
    "priority_binds",
    "window",
    "rate_per_second",
    "direct",
    "message_id_format",
    "default_alphabet",
    "long_messages",
    "national_tables",
    "long_receipts",
    "intermediate_receipts",
    "sniff_receipts",
    "receipt_time_zone",
    "receipt_words",
    "operator_account",
    "cost",
    "sender_kinds",
    "replacement_sender",
    "alphanumeric_ton_npi",
    "short_ton_npi",
    "long_ton_npi",
];

/// Reads all carriers.
pub(super) fn read_all(root: &Table<'_>) -> Vec<Carrier> {
    let mut lines: HashMap<&str, usize> = HashMap::new();
    let mut carriers = Vec::new();
    let keys: Vec<&str> = KEYS.iter().chain(link::KEYS).copied().collect();
    for table in root.tables("carrier", "carrier", &keys) {
        let name = values::name(&table, "name");
        if let Some(name) = name {
            if let Some(line) = lines.get(name.text) {
                table.refuse("name", name, format!("the carrier in line {line} has the same name: give each its own"));
            }
            lines.entry(name.text).or_insert_with(|| table.line(name.offset));
        }
        carriers.push(read(&table, name.map_or("", |name| name.text)));
    }
    carriers
}

fn read(table: &Table<'_>, name: &str) -> Carrier {
    let default = Carrier::default();
    let (binds, priority_binds) = read_binds(table, &default);
    // Read once: a value of the wrong type is told once.
    let tls = table.flag("tls", default.tls);
    Carrier {
        id: default.id,
        name: name.into(),
        host: read_host(table),
        port: narrow(table.integer("port", &(1..=u32::from(u16::MAX)), default.port.into())),
        tls,
        system_id: ascii(table, "system_id", &default.system_id, SYSTEM_ID_OCTETS_MAX),
        password: table
            .required_text("password")
            .map_or_else(Secret::default, |text| read_password(table, "password", text)),
        outbind_password: read_outbind_password(table),
        system_type: ascii(table, "system_type", &default.system_type, SYSTEM_TYPE_OCTETS_MAX),
        interface_version: table.choice("interface_version").unwrap_or_default(),
        bind: table.choice("bind").unwrap_or_default(),
        binds,
        priority_binds,
        window: narrow(table.integer("window", &(1..=WINDOW_MAX), default.window.into())),
        rate_per_second: table.integer("rate_per_second", &(0..=RATE_PER_SECOND_MAX), default.rate_per_second),
        direct: table.flag("direct", default.direct),
        message_id_format: table.choice("message_id_format").unwrap_or_default(),
        default_alphabet: table.choice("default_alphabet").unwrap_or_default(),
        long_messages: table.choice("long_messages").unwrap_or_default(),
        national_tables: read_national_tables(table),
        long_receipts: table.choice("long_receipts").unwrap_or_default(),
        intermediate_receipts: table.flag("intermediate_receipts", default.intermediate_receipts),
        sniff_receipts: table.flag("sniff_receipts", default.sniff_receipts),
        receipt_time_zone: read_time_zone(table),
        receipt_words: read_words(table),
        link: link::read(table, tls),
        status: link::read_status(table),
        operator_account: ascii(table, "operator_account", &default.operator_account, OPERATOR_ACCOUNT_OCTETS_MAX),
        cost: values::amount(table, "cost", default.cost),
        sender_kinds: read_sender_kinds(table, default.sender_kinds),
        replacement_sender: read_replacement(table),
        alphanumeric_ton_npi: read_ton_npi(table, "alphanumeric_ton_npi", default.alphanumeric_ton_npi),
        short_ton_npi: read_ton_npi(table, "short_ton_npi", default.short_ton_npi),
        long_ton_npi: read_ton_npi(table, "long_ton_npi", default.long_ton_npi),
    }
}

fn read_national_tables(table: &Table<'_>) -> NationalTables {
    let mut languages = Vec::new();
    for passed in table.texts("national_tables").unwrap_or_default() {
        match Language::by_name(passed.text) {
            Some(language) => languages.push(language),
            None => {
                let names: Vec<_> = Language::ALL.iter().map(|(_, name)| *name).collect();
                table.refuse("national_tables", passed, format!("expected one of {}", names.join(", ")));
            }
        }
    }
    languages.into_iter().collect()
}

fn read_time_zone(table: &Table<'_>) -> ReceiptZone {
    let Some(passed) = table.text("receipt_time_zone") else { return ReceiptZone::default() };
    ReceiptZone::parse(passed.text).unwrap_or_else(|| {
        let message = "expected \"UTC\", an offset such as \"+02:00\" or a name such as \"Europe/Warsaw\"";
        table.refuse("receipt_time_zone", passed, message);
        ReceiptZone::default()
    })
}

fn read_words(table: &Table<'_>) -> ReceiptWords {
    let mut words = ReceiptWords::default();
    for passed in table.texts("receipt_words").unwrap_or_default() {
        if !words.add(passed.text) {
            let states: Vec<_> = ReceiptState::NAMES.iter().map(|(_, name)| *name).collect();
            let message = format!("expected WORD=state, each word once, with a state of {}", states.join(", "));
            table.refuse("receipt_words", passed, message);
        }
    }
    words
}

fn read_binds(table: &Table<'_>, default: &Carrier) -> (u16, u16) {
    let binds = table.integer("binds", &(1..=BINDS_MAX), default.binds.into());
    let priority_binds = table.integer("priority_binds", &(0..=BINDS_MAX), default.priority_binds.into());
    if priority_binds > binds {
        let message = format!("expected at most the number of binds, which is {binds}: raise binds or lower this");
        table.refuse_number("priority_binds", priority_binds, message);
    }
    (narrow(binds), narrow(priority_binds))
}

fn read_sender_kinds(table: &Table<'_>, default: Vec<SenderKind>) -> Vec<SenderKind> {
    let Some(passed) = table.texts("sender_kinds") else { return default };
    for name in passed.iter().filter(|name| SenderKind::by_name(name.text).is_none()) {
        let known: Vec<String> = SenderKind::NAMES.iter().map(|(_, name)| format!("{name:?}")).collect();
        table.refuse("sender_kinds", *name, format!("unknown kind of sender, expected some of {}", known.join(", ")));
    }
    let given = |kind: &SenderKind| passed.iter().any(|name| name.text == kind.name());
    SenderKind::ALL.into_iter().filter(given).collect()
}

fn read_replacement(table: &Table<'_>) -> String {
    let Some(passed) = table.text("replacement_sender").filter(|passed| !passed.text.is_empty()) else {
        return String::new();
    };
    if let Err(error) = Sender::parse(passed.text) {
        table.refuse("replacement_sender", passed, error.to_string());
    }
    passed.text.into()
}

fn read_ton_npi(table: &Table<'_>, key: &str, default: TonNpi) -> TonNpi {
    let Some(passed) = table.text(key) else { return default };
    passed.text.parse().unwrap_or_else(|error: InvalidTonNpi| {
        table.refuse(key, passed, error.to_string());
        default
    })
}

fn read_host(table: &Table<'_>) -> String {
    let Some(host) = table.required_text("host") else { return String::new() };
    if !values::is_host(host.text) {
        table.refuse("host", host, "expected a host name or an address, without port");
    }
    host.text.into()
}

/// What the operator proves itself with where it opens the connection.
fn read_outbind_password(table: &Table<'_>) -> Secret {
    let Some(password) = table.text("outbind_password").filter(|passed| !passed.text.is_empty()) else {
        return Secret::default();
    };
    if table.text("outbind_listen").is_none_or(|listen| listen.text.is_empty()) {
        let message = "without outbind_listen no operator connects: give that too or leave this out";
        table.refuse_secret("outbind_password", password, message);
    }
    read_password(table, "outbind_password", password)
}

fn read_password(table: &Table<'_>, key: &str, password: Text<'_>) -> Secret {
    if password.text.len() > PASSWORD_OCTETS_MAX || !is_printable(password.text) {
        table.refuse_secret(key, password, format!("expected up to {PASSWORD_OCTETS_MAX} printable ASCII characters"));
    }
    Secret::new(password.text)
}

fn ascii(table: &Table<'_>, key: &str, default: &str, octets_max: usize) -> String {
    let Some(passed) = table.text(key) else { return default.into() };
    if passed.text.len() > octets_max || !is_printable(passed.text) {
        table.refuse(key, passed, format!("expected up to {octets_max} printable ASCII characters"));
    }
    passed.text.into()
}

fn is_printable(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// The bounds of every key that uses it lie within 16 bits.
fn narrow(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
