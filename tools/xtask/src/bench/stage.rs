//! The processes of a measurement, on loopback and in a directory of their own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Clock ticks of /proc/PID/stat per second on Linux.
const TICKS_PER_SECOND: u64 = 100;
/// How long a process may take to begin.
const START: Duration = Duration::from_secs(60);
pub const AUTHORIZATION: &str = "benchbenchbenchbenchbenchbenchbench";
pub const APPLICATION_KEY: &str = "benchbenchbenchbench";

/// A process that ends with its owner.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        child.map(Self).with_context(|| format!("{} can't be started", command.get_program().display()))
    }

    pub fn kill(mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// User and system time so far.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).context("/proc is not as expected")?;
        let ticks: u64 =
            after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    }

    /// Resident memory in MiB.
    pub fn resident_mib(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kib: u64 = line.split_whitespace().next().and_then(|kib| kib.parse().ok()).context("VmRSS is no number")?;
        Ok(kib / 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// A server with an operator and a webhook receiver, all processes of their own.
pub struct Stage {
    pub binaries: PathBuf,
    pub directory: PathBuf,
    pub api: String,
    operations: String,
    pub server: Option<Process>,
    _around: Vec<Process>,
}

pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Stage {
    /// Starts everything; `parts_per_second` limits the route (0 = no limit).
    pub fn start(binaries: &Path, directory: PathBuf, parts_per_second: u32) -> Result<Self> {
        std::fs::create_dir_all(&directory)?;
        let [api, operations, operator, receiver] = [free_port()?, free_port()?, free_port()?, free_port()?];
        write_files(&directory, [api, operations, operator, receiver], parts_per_second)?;
        let posthorn = binaries.join("posthorn");
        let simulate = |what: &str, port: u16, more: &[&str]| {
            let mut command = Command::new(&posthorn);
            command.args(["simulate", what, "--quiet", "--listen", &format!("127.0.0.1:{port}")]).args(more);
            Process::start(command.stdout(Stdio::null()))
        };
        let around = vec![
            simulate("operator", operator, &["--scenario", "load", "--receipt-ms", "20"])?,
            simulate("webhook", receiver, &[])?,
        ];
        let applied = Command::new(&posthorn)
            .current_dir(&directory)
            .args(["apply", "setup.toml", "--config", "posthorn.toml"])
            .stdout(Stdio::null())
            .status()?;
        if !applied.success() {
            bail!("the setup was refused");
        }
        let (api, operations) = (format!("http://127.0.0.1:{api}"), format!("127.0.0.1:{operations}"));
        let mut stage =
            Self { binaries: binaries.to_owned(), directory, api, operations, server: None, _around: around };
        stage.start_server()?;
        stage.wait_for("the binds", Duration::from_secs(20), |stage| {
            Ok(stage.metric("posthorn_send_bind_up")? >= 3.0)
        })?;
        Ok(stage)
    }

    /// Starts the server and returns how long it took until it accepted messages.
    pub fn start_server(&mut self) -> Result<Duration> {
        let began = Instant::now();
        let mut command = Command::new(self.binaries.join("posthorn"));
        command.current_dir(&self.directory).args(["serve", "--config", "posthorn.toml", "--ready-json"]);
        let log = File::options().create(true).append(true).open(self.directory.join("server.log"))?;
        let mut server = Process::start(command.stdout(Stdio::piped()).stderr(log))?;
        let output = server.0.stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.is_empty() || began.elapsed() > START {
            bail!("the server did not start; see {}", self.directory.join("server.log").display());
        }
        self.server = Some(server);
        Ok(began.elapsed())
    }

    pub fn server(&self) -> Result<&Process> {
        self.server.as_ref().context("the server is not running")
    }

    /// Sum of a metric over its labels; those that hold `part` only.
    pub fn metric_with(&self, name: &str, part: &str) -> Result<f64> {
        let values = self.metrics()?;
        let of_name =
            |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' '));
        let sum = values.lines().filter(of_name).filter(|line| line.contains(part));
        Ok(sum.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }

    pub fn metric(&self, name: &str) -> Result<f64> {
        self.metric_with(name, "")
    }

    pub fn metrics(&self) -> Result<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(&self.operations)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    }

    pub fn wait_for(&self, what: &str, within: Duration, is_so: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        while !is_so(self)? {
            if began.elapsed() > within {
                bail!("waited {} s for {what}", within.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Runs the load tool and returns its report.
    pub fn load(&self, arguments: &[&str]) -> Result<Value> {
        load(&self.binaries, &self.api, arguments)
    }
}

/// Runs the load tool against `url` and returns its report.
pub fn load(binaries: &Path, url: &str, arguments: &[&str]) -> Result<Value> {
    let output = Command::new(binaries.join("loadgen"))
        .args(["send", "--json", "--url", url, "--authorization", AUTHORIZATION, "--application-key", APPLICATION_KEY])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.trim()).with_context(|| format!("the load tool printed no report: {text}"))
}

fn write_files(directory: &Path, ports: [u16; 4], parts_per_second: u32) -> Result<()> {
    let [api, operations, operator, receiver] = ports;
    let config = format!(
        "[http]\nlisten = \"127.0.0.1:{api}\"\n[operations]\nlisten = \"127.0.0.1:{operations}\"\n[store]\ndata_dir = \"data\"\n\
         [tell]\nallow_private_addresses = [\"127.0.0.0/8\"]\n"
    );
    let setup = format!(
        "[[carrier]]\nname = \"operator\"\nhost = \"127.0.0.1\"\nport = {operator}\npassword = \"secret\"\nbinds = 3\n\
         priority_binds = 1\nwindow = 1000\nrate_per_second = {parts_per_second}\n\
         [[route]]\nprefix = \"48\"\ncarriers = [\"operator\"]\nprice = \"0.0001\"\n\
         [[account]]\nname = \"bench\"\nbalance = \"100000000.0000\"\n[[account.sender]]\nname = \"ACME\"\n\
         [[account.key]]\nname = \"bench\"\nauthorization = \"{AUTHORIZATION}\"\napplication_key = \"{APPLICATION_KEY}\"\n\
         [[account.webhook]]\nevent = \"sms.status\"\nurl = \"http://127.0.0.1:{receiver}/hooks\"\n"
    );
    std::fs::write(directory.join("posthorn.toml"), config)?;
    std::fs::write(directory.join("setup.toml"), setup)?;
    Ok(())
}
