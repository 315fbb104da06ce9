//! The server under test with its operator and its webhook receiver, each a process of its own on loopback.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::load::Load;
use super::metrics::Metrics;
use super::process::Process;

/// Keys of the first account; the last six digits are its number.
pub const AUTHORIZATION: &str = "BenchAuthorization0BenchAuthorization0BenchAuthorization0B000000";
/// The other one.
pub const APPLICATION_KEY: &str = "BenchApplication0Key000000";

/// Built programs and a folder.
#[derive(Clone)]
pub struct Tools {
    /// The server.
    pub server: PathBuf,
    /// The program with the operator, the webhook receiver and the commands.
    pub posthorn: PathBuf,
    /// The load tool.
    pub loadgen: PathBuf,
    /// The operator's own ceiling.
    pub ceiling: PathBuf,
    /// The measured example of two-way.
    pub keyword_bot: PathBuf,
    /// The measured example of short links.
    pub link_latency: PathBuf,
    /// Where data may lie.
    pub folder: PathBuf,
}

/// How the rig is set up.
#[derive(Clone, Copy)]
pub struct Setup {
    /// Whether there is an operator at all; without one everything waits.
    pub operator: bool,
    /// Parts per second of the carrier, 0 = no limit.
    pub rate_per_second: u32,
    /// How long the operator takes to answer, in milliseconds.
    pub answer_ms: u32,
    /// Unanswered submits per bind.
    pub window: u32,
    /// Routes in all; only the shortest prefix leads to the recipients.
    pub routes: u32,
    /// How long the operator takes from its answer to the receipt, in milliseconds.
    pub receipt_ms: u32,
    /// Receipts come up to so much later than that, in any order, in milliseconds.
    pub receipt_jitter_ms: u32,
    /// Accounts, each with an endpoint of its own; their numbers end their keys.
    pub accounts: u32,
}

/// An operator that answers at once, and one route.
pub const OPEN: Setup = Setup {
    operator: true,
    rate_per_second: 0,
    answer_ms: 0,
    window: 500,
    routes: 1,
    receipt_ms: 0,
    receipt_jitter_ms: 0,
    accounts: 1,
};

/// A running rig.
pub struct Rig<'a> {
    tools: &'a Tools,
    folder: PathBuf,
    /// The server.
    pub server: Process,
    operator: Option<Process>,
    sink: Process,
    base: String,
    operations: String,
}

impl<'a> Rig<'a> {
    /// Starts everything on an empty data directory.
    pub fn start(tools: &'a Tools, name: &str, setup: Setup) -> Result<Self> {
        let folder = tools.folder.join(name);
        std::fs::create_dir_all(&folder)?;
        let log = folder.join("log");
        let sink_port = free_port()?;
        let sink = Process::start(
            &tools.posthorn,
            &["simulate", "webhook", "--quiet", "--listen", &format!("127.0.0.1:{sink_port}")],
            &log,
        )?;
        let operator_port = free_port()?;
        let operator = if setup.operator {
            let listen = format!("127.0.0.1:{operator_port}");
            let mut words = vec!["simulate", "operator", "--quiet", "--scenario", "load", "--listen", &listen];
            let times = [
                ("--answer-ms", setup.answer_ms),
                ("--receipt-ms", setup.receipt_ms),
                ("--receipt-jitter-ms", setup.receipt_jitter_ms),
            ];
            // What is not asked for stays as the scenario has it.
            let times = times.map(|(word, time_ms)| (word, (time_ms > 0).then(|| time_ms.to_string())));
            for (word, time_ms) in &times {
                words.extend(time_ms.iter().flat_map(|time_ms| [*word, time_ms]));
            }
            Some(Process::start(&tools.posthorn, &words, &log)?)
        } else {
            None
        };
        std::fs::write(folder.join("config.toml"), config(&folder))?;
        std::fs::write(folder.join("setup.toml"), setup_file(operator_port, sink_port, setup))?;
        let applied = std::process::Command::new(&tools.server)
            .arg("apply")
            .arg(folder.join("setup.toml"))
            .arg("--config")
            .arg(folder.join("config.toml"))
            .output()?;
        if !applied.status.success() {
            bail!("the setup of the benchmark is refused: {}", String::from_utf8_lossy(&applied.stderr));
        }
        let (server, base, operations) = serve(tools, &folder)?;
        Ok(Self { tools, folder, server, operator, sink, base, operations })
    }

    /// Kills the server and starts it again; answers how long it took until it was ready.
    pub fn crash(self) -> Result<(Self, Duration)> {
        self.server.kill()?;
        let started = Instant::now();
        let (server, base, operations) = serve(self.tools, &self.folder)?;
        let took = started.elapsed();
        Ok((
            Self {
                server,
                base,
                operations,
                tools: self.tools,
                folder: self.folder,
                operator: self.operator,
                sink: self.sink,
            },
            took,
        ))
    }

    /// Where the API is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// CPU that the operator and the webhook receiver took so far, in seconds.
    pub fn tools_cpu_seconds(&self) -> Result<(f64, f64)> {
        Ok((self.operator.as_ref().map_or(Ok(0.0), Process::cpu_seconds)?, self.sink.cpu_seconds()?))
    }

    /// Reads the metrics.
    pub fn metrics(&self) -> Result<Metrics> {
        Metrics::read(&self.operations)
    }

    /// Sends load with these words besides those that name the rig.
    pub fn load(&self, words: &[&str]) -> Result<Load> {
        let mut all: Vec<String> = [
            "--url",
            &self.base,
            "--authorization",
            AUTHORIZATION,
            "--application-key",
            APPLICATION_KEY,
            "--sender",
            "ACME",
        ]
        .iter()
        .map(ToString::to_string)
        .collect();
        all.extend(words.iter().map(ToString::to_string));
        Load::run(&self.tools.loadgen, &all)
    }

    /// Waits until so many more events were told than at an earlier reading; answers the time it took.
    pub fn told(&self, earlier: &Metrics, messages: f64, within: Duration) -> Result<Duration> {
        let started = Instant::now();
        loop {
            let told = self.metrics()?.sum("posthorn_tell_told_total") - earlier.sum("posthorn_tell_told_total");
            if told >= messages {
                return Ok(started.elapsed());
            }
            if started.elapsed() > within {
                bail!("{told} of {messages} events were told after {} s", within.as_secs());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops everything and removes the data.
    pub fn finish(self) -> Result<()> {
        self.server.stop()?;
        std::fs::remove_dir_all(&self.folder).context("removing the data of the benchmark")
    }
}

fn serve(tools: &Tools, folder: &Path) -> Result<(Process, String, String)> {
    let config = folder.join("config.toml").display().to_string();
    let server = Process::start(&tools.server, &["serve", "--ready-json", "--config", &config], &folder.join("log"))?;
    let ready: Value = serde_json::from_str(&server.first_line).context("the ready line")?;
    let word = |name: &str| ready[name].as_str().map(str::to_owned).with_context(|| format!("no {name} when ready"));
    Ok((server, word("baseUrl")?, word("operationsUrl")?))
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Logging stays at its default, as a user would have it.
fn config(folder: &Path) -> String {
    format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[store]\ndata_dir = \"{}\"\n[tell]\n\
         allow_private_addresses = [\"127.0.0.0/8\"]\n[operations]\nlisten = \"127.0.0.1:0\"\n",
        folder.join("data").display()
    )
}

fn setup_file(operator_port: u16, sink_port: u16, setup: Setup) -> String {
    let Setup { rate_per_second, window, .. } = setup;
    // Longer prefixes are looked at first: every message passes all of them.
    let others: String = (1..setup.routes)
        .map(|number| format!("[[route]]\nprefix = \"48{:04}\"\ncarriers = [\"one\"]\n", 9_999 - number))
        .collect();
    let accounts: String = (0..setup.accounts).map(|number| account(number, sink_port)).collect();
    format!(
        "[[carrier]]\nname = \"one\"\nhost = \"127.0.0.1\"\nport = {operator_port}\nsystem_id = \"posthorn\"\n\
         password = \"secret\"\nbind = \"transceiver\"\nbinds = 3\npriority_binds = 1\nwindow = {window}\n\
         rate_per_second = {rate_per_second}\ndirect = true\n\
         [[route]]\nprefix = \"48\"\ncarriers = [\"one\"]\ndirect_only = true\nprice = \"0.0001\"\n{others}\
         {accounts}"
    )
}

fn account(number: u32, sink_port: u16) -> String {
    let key = |key: &str| format!("{}{number:06}", &key[..key.len() - 6]);
    let (authorization, application_key) = (key(AUTHORIZATION), key(APPLICATION_KEY));
    format!(
        "[[account]]\nname = \"bench-{number}\"\ncurrency = \"PLN\"\nbalance = \"9000000.0000\"\npriority = true\n\
         [[account.sender]]\nname = \"ACME\"\napproved = true\n\
         [[account.key]]\nname = \"bench\"\nauthorization = \"{authorization}\"\n\
         application_key = \"{application_key}\"\nsenders = [\"ACME\"]\npermissions = [\"sms.send\", \"sms.read\"]\n\
         [[account.webhook]]\nevent = \"sms.status\"\nurl = \"http://127.0.0.1:{sink_port}/hooks/{number}\"\n"
    )
}
