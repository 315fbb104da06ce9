//! A bot that was checked and is fit for use.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use super::check::{self, BotFlaw, Flaws, rule_path, step_path};
use super::declared::{Bot, Expect, MatchKind, Rule};
use super::template::Template;
use crate::keyword::{phrase, without_accents};
use crate::limits::BOT_PATTERN_OCTETS_MAX;

/// A bot that was checked and is fit for use. Its patterns take time in proportion to the text, whatever
/// they are.
#[derive(Debug)]
pub struct Script {
    pub(super) rules: Vec<ScriptRule>,
    pub(super) flows: HashMap<String, ScriptFlow>,
    pub(super) otherwise: Template,
    pub(super) hand_over_minutes: u32,
}

#[derive(Debug)]
pub(super) struct ScriptRule {
    pub matcher: Matcher,
    pub answer: Template,
    pub flow: String,
    pub hand_over: bool,
}

#[derive(Debug)]
pub(super) struct ScriptFlow {
    pub first: String,
    pub steps: HashMap<String, ScriptStep>,
}

#[derive(Debug)]
pub(super) struct ScriptStep {
    pub say: Template,
    pub expect: Vec<(Matcher, String)>,
    pub next: String,
    pub otherwise: Template,
    pub tries: u32,
    pub give_up: String,
    pub timeout_minutes: u32,
    pub timeout: String,
    pub hand_over: bool,
}

/// How a text is recognised.
#[derive(Debug)]
pub(super) enum Matcher {
    Exact(Vec<String>),
    Prefix(Vec<String>),
    Pattern(Regex),
    Any,
}

impl Script {
    /// Checks a bot.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn of(bot: &Bot) -> Result<Self, Vec<BotFlaw>> {
        let mut flaws = Flaws::default();
        check::check(bot, &mut flaws);
        let mut rules: Vec<ScriptRule> =
            bot.rules.iter().enumerate().filter_map(|(index, rule)| read_rule(index, rule, &mut flaws)).collect();
        // The sort is stable: among equals the order of the declaration stays.
        rules.sort_by_key(|rule| rule.matcher.rank());
        let flows = bot.flows.iter().map(|flow| (flow.name.clone(), read_flow(flow, &mut flaws))).collect();
        let otherwise = template(&bot.otherwise, 0, &[], "otherwise", &mut flaws);
        if !flaws.0.is_empty() {
            return Err(flaws.0);
        }
        Ok(Self { rules, flows, otherwise, hand_over_minutes: bot.hand_over_minutes })
    }
}

fn read_rule(index: usize, rule: &Rule, flaws: &mut Flaws) -> Option<ScriptRule> {
    let path = rule_path(index, rule);
    let matcher = Matcher::read(rule.kind, &rule.words, &rule.pattern, &path, flaws)?;
    let answer = template(&rule.answer, matcher.groups(), &[], &path, flaws);
    Some(ScriptRule { answer, matcher, flow: rule.flow.clone(), hand_over: rule.hand_over })
}

fn read_flow(flow: &super::Flow, flaws: &mut Flaws) -> ScriptFlow {
    let names: Vec<&str> = flow.steps.iter().map(|step| step.name.as_str()).collect();
    let mut steps = HashMap::new();
    for step in &flow.steps {
        let path = step_path(flow, step);
        let read = |Expect { kind, words, pattern, next }: &Expect, flaws: &mut Flaws| {
            Some((Matcher::read(*kind, words, pattern, &path, flaws)?, next.clone()))
        };
        let expect = step.expect.iter().filter_map(|expect| read(expect, flaws)).collect();
        let otherwise = if step.otherwise.is_empty() { &step.say } else { &step.otherwise };
        let read = ScriptStep {
            say: template(&step.say, 0, &names, &path, flaws),
            expect,
            next: step.next.clone(),
            otherwise: template(otherwise, 0, &names, &path, &mut Flaws::default()),
            tries: step.tries,
            give_up: step.give_up.clone(),
            timeout_minutes: step.timeout_minutes,
            timeout: step.timeout.clone(),
            hand_over: step.hand_over,
        };
        if !step.otherwise.is_empty() {
            template(&step.otherwise, 0, &names, &path, flaws);
        }
        steps.insert(step.name.clone(), read);
    }
    ScriptFlow { first: names.first().map_or_else(String::new, ToString::to_string), steps }
}

fn template(answer: &str, groups: usize, steps: &[&str], path: &str, flaws: &mut Flaws) -> Template {
    Template::parse(answer, groups, steps).unwrap_or_else(|message| {
        flaws.add(path, message);
        Template::nothing()
    })
}

impl Matcher {
    fn read(kind: MatchKind, words: &[String], pattern: &str, path: &str, flaws: &mut Flaws) -> Option<Self> {
        let folded = || words.iter().map(|word| phrase(word)).collect();
        Some(match kind {
            MatchKind::Exact => Self::Exact(folded()),
            MatchKind::Prefix => {
                let mut words: Vec<String> = folded();
                words.sort_by_key(|word| std::cmp::Reverse(word.len()));
                Self::Prefix(words)
            }
            MatchKind::Any => Self::Any,
            MatchKind::Pattern => {
                let bare = without_accents(pattern);
                let built = RegexBuilder::new(&bare)
                    .case_insensitive(true)
                    .size_limit(BOT_PATTERN_OCTETS_MAX)
                    .dfa_size_limit(BOT_PATTERN_OCTETS_MAX)
                    .build();
                match built {
                    Ok(regex) => Self::Pattern(regex),
                    Err(error) => {
                        let text = error.to_string();
                        let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                        flaws.add(path, format!("pattern {pattern:?} can't be read: {last}"));
                        return None;
                    }
                }
            }
        })
    }

    fn groups(&self) -> usize {
        match self {
            Self::Pattern(regex) => regex.captures_len().saturating_sub(1),
            // What follows the word.
            Self::Prefix(_) => 1,
            Self::Exact(_) | Self::Any => 0,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Exact(_) => 0,
            Self::Prefix(_) => 1,
            Self::Pattern(_) => 2,
            Self::Any => 3,
        }
    }

    /// The groups of a text that matches, the whole first; `None` if it does not.
    pub fn find(&self, said: &super::Said<'_>) -> Option<Vec<String>> {
        match self {
            Self::Exact(words) => words.contains(&said.phrase).then(Vec::new),
            Self::Prefix(words) => {
                let rest = words.iter().find_map(|word| said.phrase.strip_prefix(word.as_str()))?;
                Some(vec![said.text.to_owned(), rest.trim().to_owned()])
            }
            Self::Pattern(regex) => {
                let found = regex.captures(&said.bare)?;
                Some(found.iter().map(|group| group.map_or("", |group| group.as_str()).to_owned()).collect())
            }
            Self::Any => Some(Vec::new()),
        }
    }
}
