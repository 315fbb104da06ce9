//! `posthorn simulate`: the world around a server, to test against.

use std::process::ExitCode;

use anyhow::{Context, Result};
use simulator::operator::{Operator, OperatorOptions};
use simulator::webhook::{Sink, SinkOptions};

use crate::commands::demo_story;
use crate::console::{Colour, paint};
use crate::start::{asked_to_stop, runtime};

/// What to simulate.
#[derive(Debug, clap::Subcommand)]
pub enum Simulate {
    /// A mobile operator's message centre (SMPP 3.4).
    Operator(Quietly<OperatorOptions>),
    /// A phone: what is typed is sent to a number, what is sent to it is shown.
    Handset(Handset),
    /// A receiver of webhooks that checks signatures.
    Webhook(Quietly<SinkOptions>),
}

/// Something that shows what it sees, unless told not to.
#[derive(Debug, clap::Args)]
pub struct Quietly<T: clap::Args> {
    /// Its own options.
    #[command(flatten)]
    pub options: T,
    /// Show nothing: for load tests, where showing costs more than the work.
    #[arg(long)]
    pub quiet: bool,
}

/// `posthorn simulate handset`.
#[derive(Debug, clap::Args)]
pub struct Handset {
    /// The operator this phone belongs to.
    #[command(flatten)]
    pub operator: OperatorOptions,
    /// The phone's own number.
    #[arg(long, default_value = "48500100200", value_name = "NUMBER")]
    pub number: String,
    /// The number that is written to.
    #[arg(long, default_value = "48500100200", value_name = "NUMBER")]
    pub to: String,
}

pub fn run(which: Simulate) -> Result<ExitCode> {
    runtime()?.block_on(async {
        match which {
            Simulate::Operator(options) => operator(&options).await?,
            Simulate::Handset(options) => handset(&options).await?,
            Simulate::Webhook(options) => webhook(&options).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn start_operator(options: &OperatorOptions) -> Result<Operator> {
    let operator = Operator::start(options, false).await;
    let operator = operator.with_context(|| format!("the operator can't be started on {}", options.listen))?;
    println!(
        "{} on {} (system_id {}, scenario {})",
        paint(Colour::Bold, "operator"),
        operator.address,
        options.system_id,
        options.scenario
    );
    for (name, what) in simulator::operator::scenario_names() {
        println!("  {}", paint(Colour::Dim, &format!("{name:<11} {what}")));
    }
    println!(
        "Recipients ending in 0001 to 0007 always end the same way: delivered, undelivered, expired, rejected, no receipt, bad number, bad sender.\n"
    );
    Ok(operator)
}

async fn operator(Quietly { options, quiet }: &Quietly<OperatorOptions>) -> Result<()> {
    let operator = start_operator(options).await?;
    if *quiet {
        return asked_to_stop().await;
    }
    let mut events = operator.events();
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => println!("{}", demo_story::operator_line(&event)),
                Err(_) => println!("{}", paint(Colour::Dim, "… more than can be shown")),
            },
            stop = asked_to_stop() => return stop,
        }
    }
}

async fn handset(options: &Handset) -> Result<()> {
    use tokio::io::{AsyncBufReadExt, BufReader};
    let operator = start_operator(&options.operator).await?;
    println!("This is the phone {}; what you type goes to {}. Ctrl-D ends.", options.number, options.to);
    let mut events = operator.events();
    let mut typed = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            event = events.recv() => {
                if let Ok(simulator::operator::Event::Submitted(part)) = event
                    && part.destination == options.number
                {
                    println!("{} {}", paint(Colour::Cyan, &format!("{}:", part.source)), part.text);
                }
            }
            line = typed.next_line() => match line? {
                Some(line) if line.trim().is_empty() => {}
                Some(line) => operator.deliver(&options.number, &options.to, &line),
                None => return Ok(()),
            },
        }
    }
}

async fn webhook(Quietly { options, quiet }: &Quietly<SinkOptions>) -> Result<()> {
    let sink = Sink::start(options, false).await;
    let sink = sink.with_context(|| format!("the receiver can't be started on {}", options.listen))?;
    println!("{} on {}", paint(Colour::Bold, "webhooks"), sink.url());
    if *quiet {
        return asked_to_stop().await;
    }
    let mut events = sink.watch();
    loop {
        tokio::select! {
            received = events.recv() => match received {
                Ok(received) => println!("{}", demo_story::webhook_line(&received)),
                Err(_) => println!("{}", paint(Colour::Dim, "… more than can be shown")),
            },
            stop = asked_to_stop() => return stop,
        }
    }
}
