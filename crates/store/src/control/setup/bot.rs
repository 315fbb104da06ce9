//! `[[account.bot]]` entries and `[account.reserved_words]`.

use std::collections::HashMap;

use domain::bot::{Bot, Expect, Flow, MatchKind, Rule, Script, Step};
use domain::control::{ReservedSettings, StopScope};
use domain::keyword::phrase;
use domain::reserved::{LANGUAGES, Language};

use super::account::unique;
use super::reader::{Table, Text};
use super::values;

const BOT_KEYS: &[&str] = &["name", "otherwise", "hand_over_minutes", "rule", "flow"];
const RULE_KEYS: &[&str] = &["match", "words", "pattern", "answer", "flow", "hand_over"];
const FLOW_KEYS: &[&str] = &["name", "step"];
const STEP_KEYS: &[&str] =
    &["name", "say", "expect", "next", "otherwise", "tries", "give_up", "timeout_minutes", "timeout", "hand_over"];
const EXPECT_KEYS: &[&str] = &["match", "words", "pattern", "next"];
const WORDS_KEYS: &[&str] = &[
    "languages",
    "stop_words",
    "help_words",
    "start_words",
    "stop_answer",
    "help_answer",
    "start_answer",
    "stop_scope",
];
/// A month: nobody remembers a longer talk.
const MINUTES_MAX: u32 = 43_200;
const TRIES_MAX: u32 = 100;

/// Reads the bots of an account; what is wrong with one is told at its entry.
pub(super) fn read_all(account: &Table<'_>) -> Vec<Bot> {
    let mut offsets = HashMap::new();
    let mut bots = Vec::new();
    for table in account.tables("bot", "account.bot", BOT_KEYS) {
        let Some(name) = values::name(&table, "name") else { continue };
        unique(&table, "name", name, &mut offsets, name.text, "bot");
        let bot = read(&table, name);
        if let Err(flaws) = Script::of(&bot) {
            flaws.iter().for_each(|flaw| table.refuse("bot", name, flaw.to_string()));
        }
        bots.push(bot);
    }
    bots
}

fn read(table: &Table<'_>, name: Text<'_>) -> Bot {
    let default = Bot::default();
    Bot {
        name: name.text.into(),
        rules: table.tables("rule", "account.bot.rule", RULE_KEYS).iter().map(read_rule).collect(),
        flows: table.tables("flow", "account.bot.flow", FLOW_KEYS).iter().map(read_flow).collect(),
        otherwise: text(table, "otherwise"),
        hand_over_minutes: table.integer("hand_over_minutes", &(1..=MINUTES_MAX), default.hand_over_minutes),
    }
}

fn read_rule(table: &Table<'_>) -> Rule {
    Rule {
        kind: kind(table),
        words: words(table, "words"),
        pattern: text(table, "pattern"),
        answer: text(table, "answer"),
        flow: text(table, "flow"),
        hand_over: table.flag("hand_over", false),
    }
}

fn read_flow(table: &Table<'_>) -> Flow {
    let steps = table.tables("step", "account.bot.flow.step", STEP_KEYS);
    Flow { name: text(table, "name"), steps: steps.iter().map(read_step).collect() }
}

fn read_step(table: &Table<'_>) -> Step {
    let default = Step::default();
    let expect = table.tables("expect", "account.bot.flow.step.expect", EXPECT_KEYS);
    Step {
        name: text(table, "name"),
        say: text(table, "say"),
        expect: expect.iter().map(read_expect).collect(),
        next: text(table, "next"),
        otherwise: text(table, "otherwise"),
        tries: table.integer("tries", &(1..=TRIES_MAX), default.tries),
        give_up: text(table, "give_up"),
        timeout_minutes: table.integer("timeout_minutes", &(1..=MINUTES_MAX), default.timeout_minutes),
        timeout: text(table, "timeout"),
        hand_over: table.flag("hand_over", false),
    }
}

fn read_expect(table: &Table<'_>) -> Expect {
    Expect {
        kind: kind(table),
        words: words(table, "words"),
        pattern: text(table, "pattern"),
        next: text(table, "next"),
    }
}

/// `match` may be left out where `words` or `pattern` says it.
fn kind(table: &Table<'_>) -> MatchKind {
    let by_content = if table.has("pattern") { MatchKind::Pattern } else { MatchKind::Exact };
    table.choice("match").unwrap_or(by_content)
}

fn text(table: &Table<'_>, key: &str) -> String {
    table.text(key).map_or_else(String::new, |text| text.text.into())
}

fn words(table: &Table<'_>, key: &str) -> Vec<String> {
    table.texts(key).unwrap_or_default().into_iter().map(|word| word.text.into()).collect()
}

/// Reads `[account.reserved_words]`.
pub(super) fn read_reserved(account: &Table<'_>) -> ReservedSettings {
    let Some(table) = account.table("reserved_words", WORDS_KEYS) else { return ReservedSettings::default() };
    let languages = table.texts("languages").unwrap_or_default();
    for language in languages.iter().filter(|language| Language::by_code(language.text).is_none()) {
        let known: Vec<&str> = LANGUAGES.iter().map(|language| language.code).collect();
        table.refuse("languages", *language, format!("unknown language, expected some of {}", known.join(", ")));
    }
    for key in ["stop_words", "help_words", "start_words"] {
        for word in table.texts(key).unwrap_or_default().iter().filter(|word| phrase(word.text).is_empty()) {
            table.refuse(key, *word, "expected a word with a letter or digit");
        }
    }
    let answer = |key: &str| table.text(key).map(|text| text.text.to_owned());
    ReservedSettings {
        languages: languages.into_iter().map(|language| language.text.into()).collect(),
        stop_words: words(&table, "stop_words"),
        help_words: words(&table, "help_words"),
        start_words: words(&table, "start_words"),
        stop_answer: answer("stop_answer"),
        help_answer: answer("help_answer"),
        start_answer: answer("start_answer"),
        stop_scope: table.choice::<StopScope>("stop_scope").unwrap_or_default(),
    }
}
