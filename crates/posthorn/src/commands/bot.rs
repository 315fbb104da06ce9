//! `posthorn bot`: checks bots, and talks to them without an operator.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use domain::bot::{Next, Said, Script};
use domain::control::{Account, Control, Number};
use domain::person::Position;
use domain::reserved;
use store::control::{NumberWithBot, Setup};

use super::versions::open;
use crate::cli::ConfigFile;
use crate::console::{Colour, paint};

/// What to do with bots.
#[derive(Debug, clap::Subcommand)]
pub enum Bot {
    /// Check the bots of a setup file.
    Check {
        /// The setup file.
        #[arg(value_name = "SETUP.toml")]
        setup: PathBuf,
    },
    /// Talk to the bot of a number: what you type is what somebody writes to it.
    Chat {
        /// The setup file with the bot; without it, the bots of the server.
        #[arg(long, value_name = "SETUP.toml", conflicts_with = "config")]
        setup: Option<PathBuf>,
        /// Which server's configuration.
        #[command(flatten)]
        config: ConfigFile,
        /// The number to write to.
        #[arg(long, value_name = "NUMBER")]
        number: String,
        /// Whose bot, where several accounts share the number.
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
    },
}

/// The person who talks.
const PERSON: &str = "48600100200";

pub fn run(what: Bot) -> Result<ExitCode> {
    match what {
        Bot::Check { setup } => check(&setup),
        Bot::Chat { setup, config, number, account } => {
            let bots = match setup {
                Some(file) => Setup::read(&file)?.numbers_with_bots(),
                None => bots_of(&open(&config)?.0.snapshot()),
            };
            let bot = choose(bots, &number, account.as_deref())?;
            chat(&bot, std::io::stdin().lock(), std::io::stdout().lock())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(file: &Path) -> Result<ExitCode> {
    let setup = Setup::read(file)?;
    let bots: Vec<(&str, &domain::bot::Bot)> = setup.bots().collect();
    for (account, bot) in &bots {
        println!("{account}/{}: {} rules, {} flows, good", bot.name, bot.rules.len(), bot.flows.len());
    }
    if bots.is_empty() {
        println!("{} has no bots: they stand under [[account.bot]]", file.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// What a server has.
fn bots_of(control: &Control) -> Vec<NumberWithBot> {
    let of_account = |account: &Account| {
        let named = |name: &str| account.settings.bots.iter().find(|bot| bot.name == name).cloned();
        let with_bot = |number: &Number| {
            Some(NumberWithBot {
                account: account.name.clone(),
                number: number.number.to_string(),
                bot: named(&number.settings.bot)?,
                reserved_words: account.settings.reserved_words.clone(),
            })
        };
        account.numbers.iter().filter_map(with_bot).collect::<Vec<_>>()
    };
    control.accounts().flat_map(|account| of_account(account)).collect()
}

fn choose(mut bots: Vec<NumberWithBot>, number: &str, account: Option<&str>) -> Result<NumberWithBot> {
    let digits = number.trim_start_matches('+');
    bots.retain(|bot| bot.number == digits && account.is_none_or(|account| account == bot.account));
    match bots.len() {
        0 => bail!("no number {number} with a bot: give its [[account.number]] entry bot = \"…\""),
        1 => bots.pop().context("a bot"),
        _ => {
            let names: Vec<String> = bots.into_iter().map(|bot| bot.account).collect();
            bail!("several accounts have a bot on {number}: choose with --account, one of {}", names.join(", "))
        }
    }
}

/// Talks until `typed` ends.
fn chat(bot: &NumberWithBot, typed: impl BufRead, mut shown: impl Write) -> Result<()> {
    let script = Script::of(&bot.bot).map_err(|flaws| anyhow::anyhow!("the bot is flawed: {flaws:?}"))?;
    writeln!(shown, "This is bot {} of {} on {}. Ctrl-D ends.", bot.bot.name, bot.account, bot.number)?;
    let mut position: Option<Position> = None;
    for line in typed.lines() {
        let text = line?;
        if text.trim().is_empty() {
            continue;
        }
        let words = &bot.reserved_words;
        if let Some(found) = reserved::read(&text, &words.languages, |word| words.extra(word)) {
            let answer = words.answer(found.wish, found.language, &bot.account, &bot.number);
            position = None;
            say(&mut shown, bot, answer.as_deref().unwrap_or("(no answer)"))?;
            continue;
        }
        let reaction = script.react(position.as_ref(), &Said::new(&text, PERSON, &bot.number));
        for reply in &reaction.replies {
            say(&mut shown, bot, reply)?;
        }
        position = match reaction.next {
            Next::Await { position, .. } => Some(position),
            Next::Idle => None,
            Next::HandOver { minutes } => {
                let note = format!("(a person takes over; the bot keeps silent for {minutes} minutes)");
                writeln!(shown, "{}", paint(Colour::Dim, &note))?;
                None
            }
        };
    }
    Ok(())
}

fn say(shown: &mut impl Write, bot: &NumberWithBot, text: &str) -> Result<()> {
    writeln!(shown, "{} {text}", paint(Colour::Cyan, &format!("{}:", bot.number)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETUP: &str = r#"
[[carrier]]
name = "one"
host = "127.0.0.1"
password = "secret"

[[account]]
name = "acme"

[[account.number]]
number = "2424"
kind = "short"
carrier = "one"
bot = "shop"

[[account.bot]]
name = "shop"

[[account.bot.rule]]
words = ["HOURS"]
answer = "9 to 17"

[[account.bot.rule]]
words = ["HUMAN"]
answer = "One moment."
hand_over = true
"#;

    #[test]
    fn a_bot_is_talked_to_without_an_operator() {
        let setup = Setup::parse("setup.toml", SETUP).expect("a good file");
        let bot = choose(setup.numbers_with_bots(), "+2424", None).expect("a bot");
        let mut shown = Vec::new();
        chat(&bot, "hours?\n\nhuman\nstop\n".as_bytes(), &mut shown).expect("a chat");
        let shown = String::from_utf8(shown).expect("text");
        for expected in ["9 to 17", "One moment.", "a person takes over", "no more messages from 2424"] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
        assert!(choose(setup.numbers_with_bots(), "7070", None).is_err());
    }

    #[test]
    fn a_server_has_the_bots_that_were_applied() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = store::Options::new(folder.path());
        let control = store::control::ControlDb::open(folder.path(), &options.master_key_file).expect("control data");
        assert!(choose(bots_of(&control.snapshot()), "2424", None).is_err(), "nothing was applied yet");
        control.apply(&Setup::parse("setup.toml", SETUP).expect("a good file"), false).expect("applied");
        let bot = choose(bots_of(&control.snapshot()), "2424", Some("acme")).expect("a bot");
        assert_eq!((bot.bot.name.as_str(), bot.bot.rules.len()), ("shop", 2));
    }
}
