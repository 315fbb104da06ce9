//! The configuration: one TOML file, overlaid by the environment.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::limits;
use domain::network::NumberRanges;
use serde::Deserialize;
use toml::{Table, Value};

/// Begin of the environment variables that set keys, as in `POSTHORN__HTTP__LISTEN`.
const PREFIX: &str = "POSTHORN__";

/// The whole configuration; `config/example.toml` documents every key.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the API listens, and its limits.
    pub http: web::serve::Options,
    /// The Priority lane.
    pub priority: PriorityOptions,
    /// Where data is kept, and for how long.
    pub store: StoreOptions,
    /// What people write.
    pub two_way: flow::two_way::Options,
    /// Ways of messages.
    pub route: RouteOptions,
    /// Ported numbers.
    pub portability: flow::portability::Options,
    /// Webhooks.
    pub tell: flow::tell::Options,
    /// Short links.
    pub links: web::links::Options,
    /// Metrics and health.
    pub operations: web::operations::Options,
    /// What is logged.
    pub log: LogOptions,
}

/// Section `[priority]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriorityOptions {
    /// An own listener for the Priority lane; empty = only the shared one.
    pub listen: String,
}

/// Section `[route]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteOptions {
    /// A table of number ranges laid over the one that comes with the program; empty = none.
    pub number_ranges_file: PathBuf,
}

impl RouteOptions {
    /// The table in force.
    ///
    /// # Errors
    /// Says which line of the file can't be read and what is expected.
    pub fn number_ranges(&self) -> Result<NumberRanges> {
        let built_in = NumberRanges::built_in();
        let file = &self.number_ranges_file;
        if file.as_os_str().is_empty() {
            return Ok(built_in);
        }
        let name = || format!("route.number_ranges_file {}", file.display());
        let table = std::fs::read_to_string(file).with_context(|| format!("{}: can't be read", name()))?;
        built_in.with(&table).with_context(name)
    }
}

/// Section `[store]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreOptions {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// The key that seals secrets in the control data; empty = `master.key` in the data directory.
    pub master_key_file: PathBuf,
    /// Days that messages are kept.
    pub retention_days: u32,
    /// Messages in a span file before the next one begins.
    pub span_messages_max: u64,
    /// Minutes before the next span file begins.
    pub span_age_minutes: u32,
    /// MiB kept free on the disk for receipts and state changes.
    pub disk_reserve_mib: u64,
    /// MiB for attempts to call webhooks; beyond it the oldest of the account with the most go.
    pub webhook_attempts_mib: u64,
    /// Days that attempts to call webhooks are kept.
    pub webhook_attempts_days: u32,
    /// Hours that a repeated externalId or Idempotency-Key is recognised.
    pub idempotency_hours: u32,
    /// Minutes after its validity that a message may still get its receipt.
    pub receipt_grace_minutes: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        let whole = |value: i64, unit: i64| u32::try_from(value / unit).unwrap_or(u32::MAX);
        Self {
            data_dir: "./data".into(),
            master_key_file: PathBuf::new(),
            retention_days: store::Options::new("").retention_days,
            span_messages_max: limits::SPAN_MESSAGES_MAX,
            span_age_minutes: whole(limits::SPAN_AGE_MS, 60_000),
            disk_reserve_mib: limits::DISK_RESERVE_OCTETS / (1024 * 1024),
            webhook_attempts_mib: store::Options::new("").webhook_attempts_octets_max / (1024 * 1024),
            webhook_attempts_days: store::Options::new("").webhook_attempts_days,
            idempotency_hours: whole(limits::IDEMPOTENCY_LIFE_MS, 3_600_000),
            receipt_grace_minutes: whole(limits::RECEIPT_GRACE_MS, 60_000),
        }
    }
}

impl StoreOptions {
    /// In the store's own terms.
    pub fn to_store(&self) -> store::Options {
        let defaults = store::Options::new(&self.data_dir);
        let master_key_file = if self.master_key_file.as_os_str().is_empty() {
            defaults.master_key_file.clone()
        } else {
            self.master_key_file.clone()
        };
        store::Options {
            master_key_file,
            retention_days: self.retention_days,
            span_messages_max: self.span_messages_max,
            span_age_ms: i64::from(self.span_age_minutes) * 60_000,
            disk_reserve_octets: self.disk_reserve_mib * 1024 * 1024,
            webhook_attempts_octets_max: self.webhook_attempts_mib * 1024 * 1024,
            webhook_attempts_days: self.webhook_attempts_days,
            idempotency_life_ms: i64::from(self.idempotency_hours) * 3_600_000,
            receipt_grace_ms: i64::from(self.receipt_grace_minutes) * 60_000,
            ..defaults
        }
    }
}

/// Section `[log]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogOptions {
    /// What is logged: a level, or levels per target, as in `info,send=debug`.
    pub filter: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self { filter: "info".into(), format: LogFormat::Text }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Options {
    /// Reads the file, then the environment, and checks what types can't.
    ///
    /// # Errors
    /// Says which key, what was given and what is allowed.
    pub fn load(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("can't read the configuration {}: is the path right?", file.display()))?;
        let environment = std::env::vars().filter(|(name, _)| name.starts_with(PREFIX));
        Self::parse(&text, environment).with_context(|| format!("the configuration {} can't be used", file.display()))
    }

    fn parse(text: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Self> {
        // The file is read alone first, so that a mistake in it is shown with its line.
        let _: Self = toml::from_str(text)?;
        let mut table: Table = text.parse()?;
        for (name, value) in environment {
            overlay(&mut table, &name, &value)?;
        }
        let options: Self = Value::Table(table).try_into().context("after the environment was laid over it")?;
        options.http.check()?;
        options.two_way.validate().map_err(anyhow::Error::msg)?;
        options.links.check()?;
        options.tell.validate()?;
        options.route.number_ranges()?;
        options.portability.check()?;
        if !matches!(options.store.span_messages_max, 1_000..=10_000_000) {
            bail!("store.span_messages_max is {}: allowed are 1000 to 10000000", options.store.span_messages_max);
        }
        if options.store.span_age_minutes == 0 || options.store.retention_days == 0 {
            bail!("store.span_age_minutes and store.retention_days must be 1 or more");
        }
        Ok(options)
    }
}

/// Sets one key by its environment variable. The value is read as TOML, or else as text.
fn overlay(table: &mut Table, name: &str, value: &str) -> Result<()> {
    let path: Vec<String> = name.trim_start_matches(PREFIX).split("__").map(str::to_lowercase).collect();
    let [section, key] = path.as_slice() else {
        bail!(
            "the environment variable {name} does not name a key: write {PREFIX}SECTION__KEY, such as {PREFIX}HTTP__LISTEN"
        );
    };
    let parsed = format!("value = {value}").parse::<Table>().ok().and_then(|mut parsed| parsed.remove("value"));
    let section = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(section) = section else { bail!("{name} sets a key of something that is no section") };
    section.insert(key.clone(), parsed.unwrap_or_else(|| Value::String(value.to_owned())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Options> {
        Options::parse(text, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_example_holds_every_key_with_its_default() {
        let example = include_str!("../../../config/example.toml");
        let read = parse(example, &[]).expect("the example can be used");
        assert_eq!(format!("{read:#?}"), format!("{:#?}", Options::default()));
        // A key that the example leaves out would be missing here.
        let shown: Table = example.parse().expect("TOML");
        for (section, keys) in [
            ("http", 12),
            ("priority", 1),
            ("route", 1),
            ("portability", 11),
            ("store", 10),
            ("links", 6),
            ("operations", 1),
            ("log", 2),
        ] {
            let count = shown.get(section).and_then(Value::as_table).map(Table::len);
            assert_eq!(count, Some(keys), "section {section} of config/example.toml");
        }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let environment = [("POSTHORN__HTTP__LISTEN", "0.0.0.0:80"), ("POSTHORN__STORE__RETENTION_DAYS", "7")];
        let options = parse("[http]\nlisten = \"127.0.0.1:1\"", &environment).expect("good");
        assert_eq!((options.http.listen.as_str(), options.store.retention_days), ("0.0.0.0:80", 7));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, environment, expected) in [
            ("[http]\nlistn = \"x\"", &[][..], "listn"),
            ("[store]\nretention_days = \"many\"", &[][..], "line 2"),
            ("[http]\nlisten = \"here\"", &[][..], "http.listen"),
            ("[portability]\nurl = \"https://hlr.example/\"", &[][..], "portability.url"),
            ("[links]\ndomain = \"https://s.example\"", &[][..], "links.domain"),
            ("", &[("POSTHORN__HTTP", "1")][..], "POSTHORN__HTTP"),
            ("", &[("POSTHORN__STORE__RETENTION_DAYS", "x")][..], "retention_days"),
            ("[store]\nspan_messages_max = 5", &[][..], "span_messages_max"),
        ] {
            let error = format!("{:#}", parse(text, environment).expect_err(text));
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
