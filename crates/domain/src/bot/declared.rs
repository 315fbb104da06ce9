//! A bot as it is declared.

use serde::{Deserialize, Serialize};

use crate::choice::choice;

/// How a text is compared. Case and accents never matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MatchKind {
    /// The whole text is one of the words.
    #[default]
    Exact,
    /// The text begins with one of the words.
    Prefix,
    /// The text matches the pattern.
    Pattern,
    /// Any text.
    Any,
}

choice!(MatchKind { Exact = "exact", Prefix = "prefix", Pattern = "pattern", Any = "any" });

/// A bot of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bot {
    /// Name within the account.
    pub name: String,
    /// What it answers, in the order in which rules are tried; exact ones come before prefixes.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
    /// Its conversations.
    #[serde(rename = "flow")]
    pub flows: Vec<Flow>,
    /// Answer when no rule matches; empty = none.
    pub otherwise: String,
    /// How long the bot keeps silent after a hand-over to a person, in minutes.
    pub hand_over_minutes: u32,
}

impl Default for Bot {
    fn default() -> Self {
        Self {
            name: String::new(),
            rules: Vec::new(),
            flows: Vec::new(),
            otherwise: String::new(),
            hand_over_minutes: 1_440,
        }
    }
}

/// What a bot does about a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// How the text is compared.
    #[serde(rename = "match")]
    pub kind: MatchKind,
    /// The words, for `exact` and `prefix`.
    pub words: Vec<String>,
    /// The regular expression, for `pattern`.
    pub pattern: String,
    /// What is answered; empty = nothing.
    pub answer: String,
    /// The flow that begins; empty = none.
    pub flow: String,
    /// Whether a person takes over.
    pub hand_over: bool,
}

/// A conversation. It begins at its first step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flow {
    /// Name within the bot.
    pub name: String,
    /// Its steps.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
}

/// One step of a conversation: something is said, then an answer is awaited. A step that expects nothing
/// goes on to `next`, or ends the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// Name within the flow.
    pub name: String,
    /// What is said; empty = nothing.
    pub say: String,
    /// Answers that are understood, in the order in which they are tried.
    pub expect: Vec<Expect>,
    /// The step after one that expects nothing; empty = the end.
    pub next: String,
    /// Said when an answer is not understood; empty = the step's own text again.
    pub otherwise: String,
    /// Answers not understood after which the conversation goes to `give_up`, or ends.
    pub tries: u32,
    /// The step after `tries`; empty = the end.
    pub give_up: String,
    /// How long an answer is awaited, in minutes.
    pub timeout_minutes: u32,
    /// The step when no answer came in time; empty = the end, without a word.
    pub timeout: String,
    /// Whether a person takes over here.
    pub hand_over: bool,
}

impl Default for Step {
    fn default() -> Self {
        Self {
            name: String::new(),
            say: String::new(),
            expect: Vec::new(),
            next: String::new(),
            otherwise: String::new(),
            tries: 3,
            give_up: String::new(),
            timeout_minutes: 60,
            timeout: String::new(),
            hand_over: false,
        }
    }
}

/// An answer that a step understands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// How the answer is compared.
    #[serde(rename = "match")]
    pub kind: MatchKind,
    /// The words, for `exact` and `prefix`.
    pub words: Vec<String>,
    /// The regular expression, for `pattern`.
    pub pattern: String,
    /// The step it leads to; empty = the end.
    pub next: String,
}
