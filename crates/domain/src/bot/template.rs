//! Answers with places to be filled in.

use std::sync::Arc;

/// Names that every answer may use.
const ALWAYS: [&str; 3] = ["phone", "number", "text"];
/// Groups of a pattern that an answer may name: `{1}` to `{9}`.
const GROUPS_MAX: usize = 9;

/// An answer, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Arc<[Piece]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    Place(Box<str>),
}

impl Template {
    /// Takes an answer apart; `{{` and `}}` stand for the braces themselves. `groups` is how many groups
    /// the pattern beside it has, `steps` are the steps whose answers may be named.
    ///
    /// # Errors
    /// A sentence naming the place that can't be filled in.
    pub fn parse(answer: &str, groups: usize, steps: &[&str]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut letters = answer.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '{' | '}' if letters.peek() == Some(&letter) => {
                    letters.next();
                    text.push(letter);
                }
                '{' => {
                    let name: String = letters.by_ref().take_while(|letter| *letter != '}').collect();
                    let is_group = name.parse().is_ok_and(|group: usize| (1..=groups.min(GROUPS_MAX)).contains(&group));
                    if !is_group && !ALWAYS.contains(&name.as_str()) && !steps.contains(&name.as_str()) {
                        return Err(unknown(&name, groups, steps));
                    }
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text).into()));
                    }
                    pieces.push(Piece::Place(name.into()));
                }
                '}' => return Err("a } without {: write }} for the brace itself".into()),
                other => text.push(other),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.into()));
        }
        Ok(Self(pieces.into()))
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer with its places filled in.
    pub fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let fill = |piece: &Piece| match piece {
            Piece::Text(text) => text.to_string(),
            Piece::Place(name) => value(name),
        };
        self.0.iter().map(fill).collect()
    }
}

fn unknown(name: &str, groups: usize, steps: &[&str]) -> String {
    let groups = (1..=groups.min(GROUPS_MAX)).map(|group| group.to_string());
    let known = ALWAYS.iter().map(ToString::to_string).chain(groups).chain(steps.iter().map(ToString::to_string));
    let known: Vec<String> = known.map(|name| format!("{{{name}}}")).collect();
    format!("{{{name}}} can't be filled in, known here: {}; write {{{{ for the brace itself", known.join(" "))
}

impl Template {
    /// Nothing to say.
    pub fn nothing() -> Self {
        Self(Arc::new([]))
    }
}
