//! How an account answers people.

use serde::{Deserialize, Serialize};

use crate::keyword::phrase;
use crate::reserved::{Language, Wish};

/// What a STOP ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StopScope {
    /// Messages from the number that it was written to.
    #[default]
    Number,
    /// Messages from every sender of the account.
    Account,
}

crate::choice::choice!(StopScope { Number = "number", Account = "account" });

/// Reserved words and their answers, under the names of the setup file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReservedSettings {
    /// Languages (ISO 639-1) whose reserved words count; the first is the one in which STOP, HELP and
    /// START are answered. Empty = all, answered in the language of the word.
    pub languages: Vec<String>,
    /// More words that mean STOP.
    pub stop_words: Vec<String>,
    /// More words that mean HELP.
    pub help_words: Vec<String>,
    /// More words that mean START.
    pub start_words: Vec<String>,
    /// Answer to STOP; empty = none, absent = in the language of the word.
    pub stop_answer: Option<String>,
    /// Answer to HELP; empty = none, absent = in the language of the word.
    pub help_answer: Option<String>,
    /// Answer to START; empty = none, absent = in the language of the word.
    pub start_answer: Option<String>,
    /// What a STOP ends.
    pub stop_scope: StopScope,
}

impl ReservedSettings {
    /// What one of the account's own words means; `phrase` as it is compared.
    #[must_use]
    pub fn extra(&self, said: &str) -> Option<Wish> {
        let lists = [(Wish::Stop, &self.stop_words), (Wish::Help, &self.help_words), (Wish::Start, &self.start_words)];
        lists.into_iter().find(|(_, words)| words.iter().any(|word| phrase(word) == said)).map(|(wish, _)| wish)
    }

    /// The answer to a wish; `None` when there is to be none.
    #[must_use]
    pub fn answer(&self, wish: Wish, language: &Language, account: &str, number: &str) -> Option<String> {
        let own = match wish {
            Wish::Stop => &self.stop_answer,
            Wish::Help => &self.help_answer,
            Wish::Start => &self.start_answer,
        };
        let text = own.as_deref().unwrap_or_else(|| language.answer(wish));
        (!text.is_empty()).then(|| text.replace("{account}", account).replace("{number}", number))
    }
}
