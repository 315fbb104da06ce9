//! What a bot does about what was said.

use super::script::{Script, ScriptFlow, ScriptStep};
use super::template::Template;
use crate::keyword::{phrase, without_accents};
use crate::limits::BOT_STEPS_AT_ONCE_MAX;
use crate::person::Position;

/// Something that a person said to a number.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// As it was written.
    pub text: &'a str,
    /// Who said it.
    pub phone: &'a str,
    /// To which number.
    pub number: &'a str,
    pub(super) phrase: String,
    pub(super) bare: String,
}

impl<'a> Said<'a> {
    /// What `phone` wrote to `number`.
    #[must_use]
    pub fn new(text: &'a str, phone: &'a str, number: &'a str) -> Self {
        Self { text, phone, number, phrase: phrase(text), bare: without_accents(text.trim()) }
    }
}

/// What a bot does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// What it answers, in order.
    pub replies: Vec<String>,
    /// How the talk goes on.
    pub next: Next,
}

/// How a talk goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is no talk, or it has ended.
    Idle,
    /// An answer is awaited.
    Await {
        /// Where the person stands.
        position: Position,
        /// How long the answer is awaited.
        minutes: u32,
    },
    /// A person takes over; the bot keeps silent.
    HandOver {
        /// For how long.
        minutes: u32,
    },
}

impl Script {
    /// What the bot does about what was said by somebody who stands at `position`, or nowhere.
    #[must_use]
    pub fn react(&self, position: Option<&Position>, said: &Said<'_>) -> Reaction {
        if let Some(position) = position
            && let Some((flow, step)) = self.place(position)
        {
            return self.answered(flow, step, position.clone(), said);
        }
        for rule in &self.rules {
            let Some(groups) = rule.matcher.find(said) else { continue };
            let mut replies = Vec::new();
            say(&mut replies, &rule.answer, said, &groups, &[]);
            if rule.hand_over {
                return Reaction { replies, next: Next::HandOver { minutes: self.hand_over_minutes } };
            }
            let Some(flow) = self.flows.get(&rule.flow) else { return Reaction { replies, next: Next::Idle } };
            let start = Position { flow: rule.flow.clone(), ..Position::default() };
            return self.enter(flow, &flow.first, start, said, replies);
        }
        let mut replies = Vec::new();
        say(&mut replies, &self.otherwise, said, &[], &[]);
        Reaction { replies, next: Next::Idle }
    }

    /// What the bot does when no answer came in time.
    #[must_use]
    pub fn time_out(&self, position: &Position, phone: &str, number: &str) -> Reaction {
        let nothing = Reaction { replies: Vec::new(), next: Next::Idle };
        let Some((flow, step)) = self.place(position) else { return nothing };
        if step.timeout.is_empty() {
            return nothing;
        }
        self.enter(flow, &step.timeout, position.clone(), &Said::new("", phone, number), Vec::new())
    }

    /// A flow or step may have gone with a new declaration: then the talk is over.
    fn place(&self, position: &Position) -> Option<(&ScriptFlow, &ScriptStep)> {
        let flow = self.flows.get(&position.flow)?;
        Some((flow, flow.steps.get(&position.step)?))
    }

    fn answered(&self, flow: &ScriptFlow, step: &ScriptStep, mut position: Position, said: &Said<'_>) -> Reaction {
        let understood = step.expect.iter().find(|(matcher, _)| matcher.find(said).is_some());
        if let Some((_, next)) = understood {
            position.answers.retain(|(name, _)| *name != position.step);
            position.answers.push((position.step.clone(), said.text.trim().to_owned()));
            return self.enter(flow, next, position, said, Vec::new());
        }
        position.misses += 1;
        if position.misses >= step.tries {
            return self.enter(flow, &step.give_up, position, said, Vec::new());
        }
        let mut replies = Vec::new();
        say(&mut replies, &step.otherwise, said, &[], &position.answers);
        Reaction { replies, next: Next::Await { position, minutes: step.timeout_minutes } }
    }

    /// Goes to a step and on from there until an answer is awaited or the flow ends.
    fn enter(
        &self,
        flow: &ScriptFlow,
        name: &str,
        mut position: Position,
        said: &Said<'_>,
        mut replies: Vec<String>,
    ) -> Reaction {
        let mut name = name;
        // The check leaves no circle of steps that wait for nothing; the bound is for what is not thought of.
        for _ in 0..BOT_STEPS_AT_ONCE_MAX {
            let Some(step) = flow.steps.get(name) else { break };
            say(&mut replies, &step.say, said, &[], &position.answers);
            if step.hand_over {
                return Reaction { replies, next: Next::HandOver { minutes: self.hand_over_minutes } };
            }
            if !step.expect.is_empty() {
                (position.step, position.misses) = (name.to_owned(), 0);
                return Reaction { replies, next: Next::Await { position, minutes: step.timeout_minutes } };
            }
            name = &step.next;
        }
        Reaction { replies, next: Next::Idle }
    }
}

fn say(
    replies: &mut Vec<String>,
    template: &Template,
    said: &Said<'_>,
    groups: &[String],
    answers: &[(String, String)],
) {
    if template.is_empty() {
        return;
    }
    replies.push(template.fill(|name| match name {
        "phone" => said.phone.to_owned(),
        "number" => said.number.to_owned(),
        "text" => said.text.to_owned(),
        name => {
            let group = name.parse().ok().and_then(|group: usize| groups.get(group).cloned());
            let answer = || answers.iter().find(|(step, _)| step == name).map(|(_, answer)| answer.clone());
            group.or_else(answer).unwrap_or_default()
        }
    }));
}
