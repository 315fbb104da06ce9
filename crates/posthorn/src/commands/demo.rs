//! `posthorn demo`: everything in one process, ready to be tried.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use domain::random::Random;
use serde_json::json;
use simulator::operator::{Operator, OperatorOptions};
use simulator::webhook::{Received, Secrets, Sink, SinkOptions};
use store::control::{ControlDb, Setup};
use tokio::sync::broadcast;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::demo_story::{self, ApiLines};
use crate::cli::Demo;
use crate::console::{Colour, paint};
use crate::options::Options;
use crate::start::{Server, asked_to_stop, runtime};

/// The demo's sender.
const SENDER: &str = "DEMO";
/// The demo's short code.
const SHORT_CODE: &str = "2424";
/// The bot that answers there: a rule and a conversation.
const BOT: &str = r#"
[[account.number]]
number = "2424"
kind = "short"
carrier = "operator"
bot = "bistro"

[[account.bot]]
name = "bistro"
otherwise = "This is the bistro. Write HOURS or TABLE, or STOP to get no more messages."

[[account.bot.rule]]
words = ["HOURS"]
answer = "We are open every day from 9 to 17."

[[account.bot.rule]]
words = ["TABLE"]
flow = "table"

[[account.bot.flow]]
name = "table"

[[account.bot.flow.step]]
name = "guests"
say = "For how many?"
otherwise = "A number from 1 to 8, please."

[[account.bot.flow.step.expect]]
pattern = "^[1-8]$"
next = "day"

[[account.bot.flow.step]]
name = "day"
say = "Which day?"

[[account.bot.flow.step.expect]]
match = "any"
next = "done"

[[account.bot.flow.step]]
name = "done"
say = "A table for {guests} on {day}. See you!"
"#;
/// How long `--once` waits for its webhook.
const ONCE: Duration = Duration::from_secs(30);

/// What the demo made up for itself.
struct Keys {
    authorization: String,
    application_key: String,
    secret_key: String,
    signing_secret: String,
}

pub fn run(command: Demo) -> Result<ExitCode> {
    let temporary = match command.data {
        Some(_) => None,
        None => Some(
            tempfile::Builder::new()
                .prefix("posthorn-demo-")
                .tempdir()
                .context("no temporary directory; give one with --data")?,
        ),
    };
    let data_dir =
        command.data.clone().or_else(|| temporary.as_ref().map(|dir| dir.path().to_owned())).unwrap_or_default();
    if !command.json {
        _ = tracing_subscriber::registry().with(ApiLines).try_init();
    }
    runtime()?.block_on(play(&command, data_dir))
}

async fn play(command: &Demo, data_dir: PathBuf) -> Result<ExitCode> {
    let operator = match &command.operator {
        Some(_) => None,
        None => {
            Some(Operator::start(&operator_options(), false).await.context("the simulated operator can't be started")?)
        }
    };
    let operator_address = match (&operator, &command.operator) {
        (Some(operator), _) => operator.address.to_string(),
        (None, Some(address)) => address.clone(),
        (None, None) => String::new(),
    };
    let sink = Sink::start(&SinkOptions::local(), false).await.context("the webhook receiver can't be started")?;
    let keys = Keys::new(&Random::system());
    sink.set_secrets(Secrets { secret_key: keys.secret_key.clone(), signing_secret: keys.signing_secret.clone() });
    set_up(&data_dir, &operator_address, &sink.url(), &keys)?;
    let server = Server::start(&options(command, &data_dir)?).await?;
    let base_url = server.listen.map(|address| format!("http://{address}")).unwrap_or_default();

    let mut events = sink.watch();
    if command.once {
        let outcome = once(&base_url, &keys, &mut events, command.json).await;
        server.stop().await;
        return outcome;
    }
    if command.json {
        println!(
            "{}",
            json!({
                "baseUrl": base_url, "authorization": keys.authorization, "applicationKey": keys.application_key, "sender": SENDER,
                "dataDir": data_dir, "operator": operator_address, "webhookReceiver": sink.url(),
            })
        );
    } else {
        print_welcome(&base_url, &operator_address, operator.as_ref(), &sink.url(), &keys);
    }
    let mut submits = operator.as_ref().map(Operator::events);
    loop {
        tokio::select! {
            received = events.recv() => if !command.json { show(received.map(|received| demo_story::webhook_line(&received))) },
            event = next(&mut submits) => if !command.json { show(event.map(|event| demo_story::operator_line(&event))) },
            stop = asked_to_stop() => {
                stop?;
                break;
            }
        }
    }
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn next<T: Clone>(events: &mut Option<broadcast::Receiver<T>>) -> Result<T, broadcast::error::RecvError> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

fn show(line: Result<String, broadcast::error::RecvError>) {
    match line {
        Ok(line) => println!("{line}"),
        Err(_) => println!("{}", paint(Colour::Dim, "… more than can be shown")),
    }
}

impl Keys {
    fn new(random: &Random) -> Self {
        use std::fmt::Write;
        let mut secret = [0_u8; 24];
        random.fill(&mut secret);
        let secret_key = secret.iter().fold(String::new(), |mut text, octet| {
            _ = write!(text, "{octet:02x}");
            text
        });
        // 32 characters of [A-Za-z0-9] are the base64 of 24 octets.
        let signing_secret = format!("whsec_{}", random.alphanumeric(32));
        Self {
            authorization: random.alphanumeric(128),
            application_key: random.alphanumeric(32),
            secret_key,
            signing_secret,
        }
    }
}

fn options(command: &Demo, data_dir: &Path) -> Result<Options> {
    let mut options = Options::default();
    options.http.listen = command.listen.to_string();
    options.store.data_dir = data_dir.to_owned();
    options.operations.listen = String::new();
    let links = free_address()?;
    (options.links.domain, options.links.scheme, options.links.listen) = (links.clone(), "http".into(), links);
    options.tell.allow_private_addresses = vec!["127.0.0.0/8".parse()?];
    Ok(options)
}

/// An address for short links: their domain names the port, so it has to be known before anything listens there.
fn free_address() -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no port for short links")?;
    Ok(listener.local_addr()?.to_string())
}

/// An account with a key, a sender, a webhook, and a route to the operator.
fn set_up(data_dir: &Path, operator: &str, webhook_url: &str, keys: &Keys) -> Result<()> {
    let Some((host, port)) = operator.rsplit_once(':') else {
        bail!("--operator is \"{operator}\": write a host and a port, such as 127.0.0.1:2775");
    };
    let Keys { authorization, application_key, secret_key, signing_secret } = keys;
    let setup = format!(
        "[[carrier]]\nname = \"operator\"\nhost = \"{host}\"\nport = {port}\nsystem_id = \"posthorn\"\npassword = \"secret\"\n\
         binds = 2\npriority_binds = 1\nwindow = 100\n\
         [[route]]\nprefix = \"\"\ncarriers = [\"operator\"]\nprice = \"0.0700\"\n\
         [[account]]\nname = \"demo\"\nbalance = \"1000.0000\"\npriority = true\n\
         [[account.sender]]\nname = \"{SENDER}\"\n\
         [[account.key]]\nname = \"demo\"\nauthorization = \"{authorization}\"\napplication_key = \"{application_key}\"\n\
         senders = [\"{SENDER}\"]\n\
         [[account.webhook]]\nevent = \"sms.status\"\nurl = \"{webhook_url}\"\nsecret_key = \"{secret_key}\"\n\
         signing_secret = \"{signing_secret}\"\n\
         [[account.webhook]]\nevent = \"sms.incoming\"\nurl = \"{webhook_url}\"\nsecret_key = \"{secret_key}\"\n\
         signing_secret = \"{signing_secret}\"\n\
         [[account.webhook]]\nevent = \"sms.click\"\nurl = \"{webhook_url}\"\nsecret_key = \"{secret_key}\"\n\
         signing_secret = \"{signing_secret}\"\n{BOT}"
    );
    let setup = Setup::parse("the demo's setup", &setup).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    std::fs::create_dir_all(data_dir).with_context(|| format!("{} can't be made", data_dir.display()))?;
    let control = ControlDb::open(data_dir, &store::Options::new(data_dir).master_key_file)?;
    control.apply(&setup, false)?;
    Ok(())
}

/// An operator that phones can join.
fn operator_options() -> OperatorOptions {
    OperatorOptions { control: Some(std::net::SocketAddr::from(([127, 0, 0, 1], 0))), ..OperatorOptions::local() }
}

fn print_welcome(base_url: &str, operator: &str, simulated: Option<&Operator>, webhook: &str, keys: &Keys) {
    let kind = if simulated.is_some() { " (simulated, SMPP 3.4)" } else { "" };
    println!("\n{}\n", paint(Colour::Bold, "Posthorn is running."));
    println!("  API       {base_url}/v2.1/sms");
    println!("  operator  {operator}{kind}");
    println!("  webhooks  {webhook}\n");
    println!("{}\n", paint(Colour::Bold, "Send a message: paste this into another terminal."));
    let headers = format!(
        "  -H 'Authorization: {}' \\\n  -H 'Application-Key: {}' \\\n",
        keys.authorization, keys.application_key
    );
    let body = demo_story::example_body(SENDER);
    println!("curl -s {base_url}/v2.1/sms \\\n{headers}  -H 'Content-Type: application/json' \\\n  -d '{body}'\n");
    println!("{}\n", paint(Colour::Bold, "See what became of it:"));
    println!("curl -s {base_url}/v2.1/sms \\\n{}\n", headers.trim_end_matches([' ', '\\', '\n']));
    if let Some(address) = simulated.and_then(|operator| operator.control_address) {
        println!("{}\n", paint(Colour::Bold, "Write to the bot on the short code:"));
        println!("posthorn simulate handset --control {address} --to {SHORT_CODE}\n");
    }
    println!("With \"shortLink\": true in the body, links of the text become short ones; open them in a browser.\n");
    println!("{}\n", paint(Colour::Dim, "What happens is shown here. Ctrl-C ends."));
}

/// Sends one message and waits for its webhook.
async fn once(
    base_url: &str,
    keys: &Keys,
    events: &mut broadcast::Receiver<Received>,
    as_json: bool,
) -> Result<ExitCode> {
    let (url, headers) = (format!("{base_url}/v2.1/sms"), (keys.authorization.clone(), keys.application_key.clone()));
    let answer = tokio::task::spawn_blocking(move || -> Result<serde_json::Value> {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
        let request = agent.post(&url).header("Authorization", headers.0).header("Application-Key", headers.1);
        Ok(request.send_json(demo_story::example_body(SENDER))?.body_mut().read_json()?)
    })
    .await??;
    let Some(external_id) = answer["data"][0]["externalId"].as_str() else {
        bail!("the message was not accepted: {answer}")
    };
    let told = async {
        loop {
            match events.recv().await {
                Ok(received) if received.event["externalId"] == external_id => return Ok(received),
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => bail!("the webhook receiver ended"),
            }
        }
    };
    let received = match tokio::time::timeout(ONCE, told).await {
        Ok(received) => received?,
        Err(_) => bail!("no webhook for {external_id} within {} seconds", ONCE.as_secs()),
    };
    let delivered = received.event["status"] == 21 && received.verdict.is_good();
    if as_json {
        println!("{}", json!({ "externalId": external_id, "delivered": delivered, "event": received.event }));
    } else {
        println!("{}", demo_story::webhook_line(&received));
        let words = if delivered {
            paint(Colour::Green, "delivered, and the webhook came")
        } else {
            paint(Colour::Red, "not delivered")
        };
        println!("{external_id}: {words}");
    }
    Ok(if delivered { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
