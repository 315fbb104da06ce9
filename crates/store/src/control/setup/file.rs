//! A setup file from its text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use domain::bot::Bot;
use domain::control::{Endpoint, ReservedSettings};
use toml::de::DeTable;

use super::document::Document;
use super::problem::{SetupProblem, SetupProblems};
use super::reader::Table;
use super::{account, carrier, route};
use crate::control::content::Content;
use crate::control::limits::SETUP_OCTETS_MAX;

/// A number that a bot answers for.
#[derive(Clone, Debug)]
pub struct NumberWithBot {
    /// Name of the account.
    pub account: String,
    /// The digits.
    pub number: String,
    /// The bot.
    pub bot: Bot,
    /// The account's reserved words.
    pub reserved_words: ReservedSettings,
}

/// A setup file without problems: control data as it is to be.
#[derive(Clone, Debug)]
pub struct Setup {
    pub(in crate::control) content: Content,
}

impl Setup {
    /// Reads and checks a setup file.
    ///
    /// # Errors
    /// All problems of the file; one without a place when it cannot be read.
    pub fn read(path: &Path) -> Result<Self, SetupProblems> {
        let file = path.display().to_string();
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(SETUP_OCTETS_MAX + 1).read_to_string(&mut text));
        let unreadable = match read {
            Err(error) => Some(format!("cannot read the setup file: {error}")),
            Ok(_) if text.len() as u64 > SETUP_OCTETS_MAX => {
                Some(format!("the setup file is larger than {SETUP_OCTETS_MAX} octets: is it the right one?"))
            }
            Ok(_) => None,
        };
        match unreadable {
            Some(message) => Err(SetupProblems { file, problems: vec![whole_file(message)] }),
            None => Self::parse(&file, &text),
        }
    }

    /// All URLs that webhooks are to be sent to, so that whoever applies the setup can say early which
    /// of them would never be called. Unset secondary URLs are left out.
    pub fn webhook_urls(&self) -> impl Iterator<Item = &str> {
        let endpoints = self.content.accounts.iter().flat_map(|account| &account.endpoints);
        endpoints
            .flat_map(|endpoint| [endpoint.url.as_str(), endpoint.secondary_url.as_str()])
            .filter(|url| !url.is_empty())
    }

    /// All webhook endpoints with the names of their accounts, so that they can be tested before they are
    /// saved. Secrets that the file leaves out are empty.
    pub fn endpoints(&self) -> impl Iterator<Item = (&str, &Endpoint)> {
        let accounts = self.content.accounts.iter();
        accounts.flat_map(|account| account.endpoints.iter().map(|endpoint| (account.name.as_str(), endpoint)))
    }

    /// All bots with the accounts they belong to.
    pub fn bots(&self) -> impl Iterator<Item = (&str, &Bot)> {
        let accounts = self.content.accounts.iter();
        accounts.flat_map(|account| account.settings.bots.iter().map(|bot| (account.name.as_str(), bot)))
    }

    /// The numbers that a bot answers for.
    #[must_use]
    pub fn numbers_with_bots(&self) -> Vec<NumberWithBot> {
        let mut found = Vec::new();
        for account in &self.content.accounts {
            for number in &account.numbers {
                let bot = account.settings.bots.iter().find(|bot| bot.name == number.settings.bot);
                found.extend(bot.map(|bot| NumberWithBot {
                    account: account.name.clone(),
                    number: number.number.clone(),
                    bot: bot.clone(),
                    reserved_words: account.settings.reserved_words.clone(),
                }));
            }
        }
        found
    }

    /// Checks the text of a setup file; `file` is its name in messages.
    ///
    /// # Errors
    /// All problems of the text. While the syntax is wrong, only the problems of syntax.
    pub fn parse(file: &str, text: &str) -> Result<Self, SetupProblems> {
        let document = Document::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        let content = if errors.is_empty() {
            read_content(&Table::new(&document, root.get_ref(), &(0..0), &["carrier", "route", "account"]))
        } else {
            for error in errors {
                let offset = error.span().map_or(0, |span| span.start);
                document.report(offset, "", "", format!("this is not TOML: {}", error.message()));
            }
            Content::default()
        };
        let problems = document.into_problems();
        if problems.is_empty() { Ok(Self { content }) } else { Err(SetupProblems { file: file.into(), problems }) }
    }
}

fn read_content(root: &Table<'_>) -> Content {
    let carriers = carrier::read_all(root);
    let names: Vec<&str> = carriers.iter().map(|carrier| carrier.name.as_str()).collect();
    let accounts = account::read_all(root, &names);
    let account_names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    let routes = route::read_all(root, &carriers, &account_names);
    Content { carriers, routes, accounts }
}

fn whole_file(message: String) -> SetupProblem {
    SetupProblem { line: 1, column: 1, key: String::new(), passed: String::new(), message }
}
