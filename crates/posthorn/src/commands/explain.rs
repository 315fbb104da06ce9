//! `posthorn explain`: how a message came to be what it is, or what would become of one.

use std::process::ExitCode;

use anyhow::{Result, bail};
use web::operations::local::ask;

use super::explained_page::{foreseen, message};
use crate::cli::ConfigFile;
use crate::operate::{ExplainOrder, ForeseeOrder, Order};
use crate::options::Options;

/// `posthorn explain`.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The externalId of a message, or of a request (then of up to twenty of its messages), or the id of a message.
    #[arg(value_name = "REFERENCE", required_unless_present = "to")]
    pub reference: Option<String>,
    /// Which server's configuration.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Explain a message to this number, without sending it.
    #[arg(long, value_name = "NUMBER", conflicts_with = "reference", requires = "from", requires = "text")]
    pub to: Option<String>,
    /// Its sender.
    #[arg(long, value_name = "SENDER", requires = "to")]
    pub from: Option<String>,
    /// Its text.
    #[arg(long, requires = "to")]
    pub text: Option<String>,
    /// Whose it would be; without it the only account that has the sender.
    #[arg(long, value_name = "NAME", requires = "to")]
    pub account: Option<String>,
    /// In the Priority lane.
    #[arg(long, requires = "to")]
    pub priority: bool,
    /// How the text is to be written, as the field `encoding` of a send.
    #[arg(long, value_name = "CHOICE", requires = "to")]
    pub encoding: Option<String>,
    /// Show whole phone numbers; needs --reason and is noted in the audit.
    #[arg(long, requires = "reason", conflicts_with = "to")]
    pub show_numbers: bool,
    /// Why whole numbers are looked at.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print it as JSON.
    #[arg(long)]
    pub json: bool,
}

pub fn run(command: &Explain) -> Result<ExitCode> {
    let data_dir = Options::load(&command.config.config)?.store.data_dir;
    let Some(reference) = &command.reference else {
        let order = ForeseeOrder {
            to: command.to.clone().unwrap_or_default(),
            sender: command.from.clone().unwrap_or_default(),
            text: command.text.clone().unwrap_or_default(),
            account: command.account.clone(),
            priority: command.priority,
            encoding: command.encoding.clone(),
        };
        let answer = ask(&data_dir, &Order::Foresee(order), |_| true)?;
        if command.json {
            println!("{answer}");
        } else {
            print!("{}", foreseen(&answer));
        }
        return Ok(ExitCode::from(u8::from(answer["refused"].is_array())));
    };
    let order = ExplainOrder {
        reference: reference.clone(),
        show_numbers: command.show_numbers,
        reason: command.reason.clone(),
    };
    let answer = ask(&data_dir, &Order::Explain(order), |_| true)?;
    let Some(messages) = answer.as_array().filter(|messages| !messages.is_empty()) else {
        bail!("no account has a message {reference}: expected an externalId, or an id of 16 hexadecimal digits");
    };
    if command.json {
        println!("{answer}");
        return Ok(ExitCode::SUCCESS);
    }
    let pages: Vec<String> = messages.iter().map(message).collect();
    print!("{}", pages.join("\n"));
    Ok(ExitCode::SUCCESS)
}
