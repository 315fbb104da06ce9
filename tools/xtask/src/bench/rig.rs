//! The server under test with its operator and its webhook receiver, each a process of its own on loopback.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::load::Load;
use super::metrics::Metrics;
use super::process::Process;

/// Keys of the account under test.
pub const AUTHORIZATION: &str = "BenchAuthorization0BenchAuthorization0BenchAuthorization0Bench00";
/// The other one.
pub const APPLICATION_KEY: &str = "BenchApplication0Key";

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
}

/// An operator that answers at once, and one route.
pub const OPEN: Setup = Setup { operator: true, rate_per_second: 0, answer_ms: 0, window: 500, routes: 1 };

/// A running rig.
pub struct Rig<'a> {
    tools: &'a Tools,
    folder: PathBuf,
    /// The server.
    pub server: Process,
    _operator: Option<Process>,
    _sink: Process,
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
            let answer_ms = setup.answer_ms.to_string();
            let mut words = vec!["simulate", "operator", "--quiet", "--scenario", "load", "--listen", &listen];
            if setup.answer_ms > 0 {
                words.extend(["--answer-ms", &answer_ms]);
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
        Ok(Self { tools, folder, server, _operator: operator, _sink: sink, base, operations })
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
                _operator: self._operator,
                _sink: self._sink,
            },
            took,
        ))
    }

    /// Where the API is.
    pub fn base(&self) -> &str {
        &self.base
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
    format!(
        "[[carrier]]\nname = \"one\"\nhost = \"127.0.0.1\"\nport = {operator_port}\nsystem_id = \"posthorn\"\n\
         password = \"secret\"\nbind = \"transceiver\"\nbinds = 3\npriority_binds = 1\nwindow = {window}\n\
         rate_per_second = {rate_per_second}\ndirect = true\n\
         [[route]]\nprefix = \"48\"\ncarriers = [\"one\"]\ndirect_only = true\nprice = \"0.0001\"\n{others}\
         [[account]]\nname = \"bench\"\ncurrency = \"PLN\"\nbalance = \"9000000.0000\"\npriority = true\n\
         [[account.sender]]\nname = \"ACME\"\napproved = true\n\
         [[account.key]]\nname = \"bench\"\nauthorization = \"{AUTHORIZATION}\"\napplication_key = \"{APPLICATION_KEY}\"\n\
         senders = [\"ACME\"]\npermissions = [\"sms.send\", \"sms.read\"]\n\
         [[account.webhook]]\nevent = \"sms.status\"\nurl = \"http://127.0.0.1:{sink_port}/hooks\"\n"
    )
}
