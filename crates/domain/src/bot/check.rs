//! What can be wrong with a bot.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::declared::{Bot, Expect, Flow, MatchKind, Rule, Step};
use crate::keyword::phrase;
use crate::reserved;

/// Something wrong with a bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotFlaw {
    /// Where, such as `flow survey, step age`.
    pub path: String,
    /// What, and what is allowed.
    pub message: String,
}

impl fmt::Display for BotFlaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.message)
    }
}

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Flaws(pub Vec<BotFlaw>);

impl Flaws {
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(BotFlaw { path: path.into(), message: message.into() });
    }
}

/// Checks names, references between steps, words and ends; patterns and answers are checked where they
/// are made fit for use.
pub(super) fn check(bot: &Bot, flaws: &mut Flaws) {
    let flow_names: HashSet<&str> = bot.flows.iter().map(|flow| flow.name.as_str()).collect();
    let mut taken: HashMap<(MatchKind, String), String> = HashMap::new();
    for (index, rule) in bot.rules.iter().enumerate() {
        let path = rule_path(index, rule);
        if !rule.flow.is_empty() && !flow_names.contains(rule.flow.as_str()) {
            flaws.add(&path, format!("begins flow {:?}, which does not exist", rule.flow));
        }
        if rule.answer.is_empty() && rule.flow.is_empty() && !rule.hand_over {
            flaws.add(&path, "does nothing: give answer, flow or hand_over");
        }
        check_match(&path, rule.kind, &rule.words, &rule.pattern, flaws);
        for word in rule.words.iter().map(|word| phrase(word)).filter(|word| !word.is_empty()) {
            if rule.kind == MatchKind::Exact && reserved::is_reserved(&word) {
                flaws.add(&path, format!("{word:?} is a reserved word (STOP, HELP, START …), which bots never see"));
            }
            match taken.entry((rule.kind, word)) {
                std::collections::hash_map::Entry::Occupied(first) => {
                    flaws.add(&path, format!("word {:?} is taken by {}", first.key().1, first.get()));
                }
                std::collections::hash_map::Entry::Vacant(free) => _ = free.insert(path.clone()),
            }
        }
    }
    let mut seen = HashSet::new();
    for flow in &bot.flows {
        if flow.name.is_empty() || !seen.insert(flow.name.as_str()) {
            flaws.add(flow_path(flow), "needs a name of its own");
        }
        check_flow(flow, flaws);
    }
}

/// The name of a rule in messages.
pub(super) fn rule_path(index: usize, rule: &Rule) -> String {
    let what = rule.words.first().map_or(rule.pattern.as_str(), String::as_str);
    format!("rule {} ({what})", index + 1)
}

fn flow_path(flow: &Flow) -> String {
    format!("flow {}", flow.name)
}

/// The name of a step in messages.
pub(super) fn step_path(flow: &Flow, step: &Step) -> String {
    format!("flow {}, step {}", flow.name, step.name)
}

fn check_match(path: &str, kind: MatchKind, words: &[String], pattern: &str, flaws: &mut Flaws) {
    let wants_words = matches!(kind, MatchKind::Exact | MatchKind::Prefix);
    if wants_words == words.is_empty() {
        flaws.add(path, if wants_words { "needs words" } else { "takes no words: those are for exact and prefix" });
    }
    if (kind == MatchKind::Pattern) == pattern.is_empty() {
        let message =
            if pattern.is_empty() { "needs a pattern" } else { "takes no pattern: that is for match pattern" };
        flaws.add(path, message);
    }
    for word in words.iter().filter(|word| phrase(word).is_empty()) {
        flaws.add(path, format!("word {word:?} has no letter or digit"));
    }
}

fn check_flow(flow: &Flow, flaws: &mut Flaws) {
    if flow.steps.is_empty() {
        flaws.add(flow_path(flow), "needs a step");
    }
    let mut names = HashSet::new();
    for step in &flow.steps {
        if step.name.is_empty() || !names.insert(step.name.as_str()) {
            flaws.add(step_path(flow, step), "needs a name of its own");
        }
    }
    for step in &flow.steps {
        check_step(flow, step, &names, flaws);
    }
    check_ends(flow, flaws);
}

fn check_step(flow: &Flow, step: &Step, names: &HashSet<&str>, flaws: &mut Flaws) {
    let path = step_path(flow, step);
    for (what, to) in edges(step) {
        if !to.is_empty() && !names.contains(to) {
            flaws.add(&path, format!("{what} leads to step {to:?}, which does not exist"));
        }
    }
    if step.expect.is_empty() {
        if !step.timeout.is_empty() || !step.give_up.is_empty() || !step.otherwise.is_empty() {
            flaws.add(&path, "expects nothing, so timeout, give_up and otherwise have no meaning");
        }
    } else if !step.next.is_empty() {
        flaws.add(&path, "expects answers, so each of them says where it leads; next has no meaning");
    }
    if step.hand_over && (!step.expect.is_empty() || !step.next.is_empty()) {
        flaws.add(&path, "hands over to a person, so it expects nothing and nothing follows");
    }
    if !step.expect.is_empty() && (step.tries == 0 || step.timeout_minutes == 0) {
        flaws.add(&path, "tries and timeout_minutes are 1 or more");
    }
    let mut taken = HashSet::new();
    for Expect { kind, words, pattern, .. } in &step.expect {
        check_match(&path, *kind, words, pattern, flaws);
        for word in words.iter().map(|word| phrase(word)) {
            if !taken.insert((*kind, word.clone())) {
                flaws.add(&path, format!("answer {word:?} is taken twice"));
            }
        }
    }
}

/// Where a step may lead, with the name of the key that says so; an empty name is the end.
fn edges(step: &Step) -> Vec<(&'static str, &str)> {
    if step.hand_over {
        return vec![("hand_over", "")];
    }
    if step.expect.is_empty() {
        return vec![("next", step.next.as_str())];
    }
    let answers = step.expect.iter().map(|expect| ("an answer", expect.next.as_str()));
    let others = [("give_up", step.give_up.as_str()), ("timeout", step.timeout.as_str())];
    answers.chain(others.into_iter().filter(|(_, to)| !to.is_empty())).collect()
}

/// From every step there must be a way to the end; that nobody answers any more does not count as one.
fn check_ends(flow: &Flow, flaws: &mut Flaws) {
    let mut ending: HashSet<&str> = HashSet::new();
    loop {
        let can_end = |step: &&Step| {
            let leads_out = |(_, to): &(&str, &str)| to.is_empty() || ending.contains(to);
            !ending.contains(step.name.as_str()) && edges(step).iter().any(leads_out)
        };
        let more: Vec<&str> = flow.steps.iter().filter(can_end).map(|step| step.name.as_str()).collect();
        if more.is_empty() {
            break;
        }
        ending.extend(more);
    }
    let stuck = |name: &str| flow.steps.iter().find(|step| step.name == name && !ending.contains(name));
    let Some(first) = flow.steps.iter().find(|step| !ending.contains(step.name.as_str())) else { return };
    // A way that goes in a circle, for the person who has to open it.
    let mut way = vec![first.name.as_str()];
    let mut step = first;
    while let Some(next) = edges(step).into_iter().find_map(|(_, to)| stuck(to)) {
        way.push(&next.name);
        if way[..way.len() - 1].contains(&next.name.as_str()) {
            flaws.add(flow_path(flow), format!("{} goes round without an end", way.join(" → ")));
            return;
        }
        step = next;
    }
}
