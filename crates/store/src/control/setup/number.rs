//! `[[account.number]]` entries.

use std::collections::HashMap;

use domain::bot::Bot;
use domain::control::{NumberKind, NumberSettings};
use domain::keyword::phrase;
use domain::phone::Phone;
use domain::reserved;

use super::account::unique;
use super::reader::{Table, Text};
use super::route::unknown_carrier;
use crate::control::content::NumberEntry;

const NUMBER_KEYS: &[&str] = &["number", "kind", "carrier", "keywords", "bot"];
const SHORT_CODE_DIGITS: std::ops::RangeInclusive<usize> = 3..=8;

/// Where each number, carrier and keyword was first seen; the keyword is empty for an entry without any.
pub(super) type Claims = HashMap<(String, String, String), usize>;

/// Reads the numbers of an account.
pub(super) fn read_all(account: &Table<'_>, carriers: &[&str], bots: &[Bot], claims: &mut Claims) -> Vec<NumberEntry> {
    let mut numbers = Vec::new();
    let mut own = HashMap::new();
    for table in account.tables("number", "account.number", NUMBER_KEYS) {
        let kind = table.choice::<NumberKind>("kind").unwrap_or_default();
        let carrier = table.required_text("carrier");
        if let Some(carrier) = carrier.filter(|carrier| !carriers.contains(&carrier.text)) {
            table.refuse("carrier", carrier, unknown_carrier(carriers));
        }
        let Some(passed) = table.required_text("number") else { continue };
        let carrier = carrier.map_or("", |carrier| carrier.text);
        let number = read_digits(&table, passed, kind);
        let name = (number.clone(), carrier.to_owned());
        unique(&table, "number", passed, &mut own, name.clone(), "entry of this account");
        let keywords = read_keywords(&table, passed, name, claims);
        let bot = read_bot(&table, bots);
        let settings = NumberSettings { kind, keywords, bot };
        numbers.push(NumberEntry { id: 0, number, settings, carrier: carrier.into() });
    }
    numbers
}

fn read_keywords(
    table: &Table<'_>,
    number: Text<'_>,
    (digits, carrier): (String, String),
    claims: &mut Claims,
) -> Vec<String> {
    let keywords = table.texts("keywords").unwrap_or_default();
    let mut claim = |keyword: String, passed: Text<'_>| {
        let first = *claims.entry((digits.clone(), carrier.clone(), keyword)).or_insert(passed.offset);
        (first != passed.offset).then(|| table.line(first))
    };
    if keywords.is_empty()
        && let Some(line) = claim(String::new(), number)
    {
        let message =
            format!("the entry in line {line} has the same number without keywords: give one of them keywords");
        table.refuse("number", number, message);
    }
    for keyword in &keywords {
        let folded = phrase(keyword.text);
        if folded.is_empty() || folded.contains(' ') {
            table.refuse("keywords", *keyword, "expected one word with a letter or digit");
        } else if reserved::is_reserved(&folded) {
            table.refuse("keywords", *keyword, "this word is reserved (STOP, HELP, START …): choose another");
        } else if let Some(line) = claim(folded, *keyword) {
            table.refuse("keywords", *keyword, format!("taken in line {line} on the same number: choose another"));
        }
    }
    keywords.into_iter().map(|keyword| keyword.text.into()).collect()
}

fn read_bot(table: &Table<'_>, bots: &[Bot]) -> String {
    let Some(bot) = table.text("bot").filter(|bot| !bot.text.is_empty()) else { return String::new() };
    if !bots.iter().any(|known| known.name == bot.text) {
        let known: Vec<&str> = bots.iter().map(|bot| bot.name.as_str()).collect();
        let has = if known.is_empty() { "none".into() } else { known.join(", ") };
        table.refuse("bot", bot, format!("the account has no such bot, it has {has}: add an [[account.bot]] entry"));
    }
    bot.text.into()
}

fn read_digits(table: &Table<'_>, passed: Text<'_>, kind: NumberKind) -> String {
    let short = SHORT_CODE_DIGITS.contains(&passed.text.len()) && passed.text.bytes().all(|byte| byte.is_ascii_digit());
    match (kind, Phone::parse(passed.text)) {
        (NumberKind::Long, Ok(phone)) => return phone.to_string(),
        (NumberKind::Long, Err(error)) => table.refuse("number", passed, error.to_string()),
        (NumberKind::Short, _) if short => {}
        (NumberKind::Short, _) => table.refuse("number", passed, "expected a short code of 3 to 8 digits"),
    }
    passed.text.into()
}
