//! `posthorn simulate`: the world around a server, to test against.

use std::process::ExitCode;

use anyhow::{Context, Result};
use simulator::handset::HandsetOptions;
use simulator::operator::{Operator, OperatorOptions};
use simulator::webhook::{Sink, SinkOptions};

use crate::commands::demo_story;
use crate::console::{Colour, has_colours, paint};
use crate::start::{asked_to_stop, runtime};

/// What to simulate.
#[derive(Debug, clap::Subcommand)]
pub enum Simulate {
    /// A mobile operator's message centre (SMPP 3.4) that behaves or misbehaves on order.
    Operator(Box<OperatorCommand>),
    /// A phone as a text chat: what is typed goes to a number, what is sent to the phone is shown. It belongs to an
    /// operator that runs with `--control`.
    Handset(HandsetOptions),
    /// A receiver of webhooks that checks signatures.
    Webhook(Quietly<SinkOptions>),
}

/// `posthorn simulate operator`.
#[derive(Debug, clap::Args)]
pub struct OperatorCommand {
    /// The operator.
    #[command(flatten)]
    pub operator: Quietly<OperatorOptions>,
    /// List the scenarios and the magic recipients, and end.
    #[arg(long)]
    pub list: bool,
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

pub fn run(which: Simulate) -> Result<ExitCode> {
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        match which {
            Simulate::Operator(command) if command.list => list(),
            Simulate::Operator(command) => operator(&command.operator).await?,
            Simulate::Handset(options) => handset(&options).await?,
            Simulate::Webhook(options) => listen(&options).await?,
        }
        Ok(ExitCode::SUCCESS)
    });
    // A handset waits for the keyboard on a thread that nothing else ends.
    runtime.shutdown_background();
    ended
}

fn list() {
    println!("{}", paint(Colour::Bold, "scenarios (--scenario NAME --seed N)"));
    for (name, what) in simulator::operator::scenario_names() {
        println!("  {name:<17} {what}");
    }
    println!("\n{}", paint(Colour::Bold, "recipients that end in these digits always get the same treatment"));
    for (digits, what) in simulator::operator::magic_recipients() {
        println!("  {digits:<17} {what}");
    }
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
    let handsets = match operator.control_address {
        Some(address) => format!("phones join with `posthorn simulate handset --control {address}`"),
        None => "with --control 127.0.0.1:2776 phones can join".to_owned(),
    };
    println!("{}", paint(Colour::Dim, &format!("--list names scenarios and magic recipients; {handsets}")));
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

async fn handset(options: &HandsetOptions) -> Result<()> {
    let typed = tokio::io::BufReader::new(tokio::io::stdin());
    let options = HandsetOptions { plain: options.plain || !has_colours(), ..options.clone() };
    Ok(simulator::handset::run(&options, typed, tokio::io::stdout()).await?)
}

/// Receives webhooks until it is asked to stop.
pub async fn listen(Quietly { options, quiet }: &Quietly<SinkOptions>) -> Result<()> {
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
