//! A server in a directory of its own, and commands run on it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use simulator::operator::{Behaviour, Operator, OperatorOptions};

const PROGRAM: &str = env!("CARGO_BIN_EXE_posthorn");
/// The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

pub const AUTHORIZATION: &str = "AuthorizationKeyOfTheBackend0123456789";
pub const APPLICATION_KEY: &str = "applicationkeyofthebackend";

/// A carrier of the setup.
pub struct Carrier {
    pub name: &'static str,
    pub port: u16,
    /// Further lines of its entry.
    pub more: String,
}

impl Carrier {
    pub fn at(name: &'static str, operator: &Operator) -> Self {
        Self { name, port: operator.address.port(), more: String::new() }
    }
}

/// An operator that keeps what it gets.
pub async fn operator(behaviour: Behaviour) -> Operator {
    Operator::start_with(&OperatorOptions::local(), behaviour, true).await.unwrap()
}

pub struct Place {
    directory: tempfile::TempDir,
    balance: &'static str,
}

impl Place {
    pub fn new() -> Self {
        Self::with_balance("100.0000")
    }

    /// With an account that can pay for a campaign.
    pub fn rich() -> Self {
        Self::with_balance("100000.0000")
    }

    fn with_balance(balance: &'static str) -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap(), balance };
        let config = format!(
            "[http]\nlisten = \"127.0.0.1:0\"\n[operations]\nlisten = \"127.0.0.1:0\"\n[store]\ndata_dir = {:?}\ndisk_reserve_mib = 1\n",
            place.path("data")
        );
        std::fs::write(place.path("posthorn.toml"), config).unwrap();
        place
    }

    /// Adds sections to the configuration.
    pub fn configure(&self, more: &str) {
        let path = self.path("posthorn.toml");
        let config = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{config}{more}\n")).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a setup with these carriers: the first serves 48, the second 49, and so on.
    pub fn write_setup(&self, carriers: &[Carrier]) -> PathBuf {
        let mut setup = String::new();
        for (prefix, Carrier { name, port, more }) in (48..).zip(carriers) {
            setup.push_str(&format!(
                "[[carrier]]\nname = \"{name}\"\nhost = \"127.0.0.1\"\nport = {port}\npassword = \"secret\"\nbinds = 1\npriority_binds = 0\n{more}\n\
                 [[route]]\nprefix = \"{prefix}\"\ncarriers = [\"{name}\"]\n"
            ));
        }
        setup.push_str(&format!(
            "[[account]]\nname = \"acme\"\nbalance = \"{}\"\n[[account.sender]]\nname = \"ACME\"\n\
             [[account.key]]\nname = \"backend\"\nauthorization = \"{AUTHORIZATION}\"\napplication_key = \"{APPLICATION_KEY}\"\n",
            self.balance
        ));
        let path = self.path("setup.toml");
        std::fs::write(&path, setup).unwrap();
        path
    }

    /// Applies a setup with these carriers.
    pub fn apply(&self, carriers: &[Carrier], more: &[&str]) -> String {
        let setup = self.write_setup(carriers);
        self.done(&[&["apply", setup.to_str().unwrap()], more].concat())
    }

    /// Runs a command on this place to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        let config = self.path("posthorn.toml");
        let mut command = Command::new(PROGRAM);
        command.args(words).arg("--config").arg(config).stdin(Stdio::null()).output().unwrap()
    }

    /// Starts a command on this place.
    pub fn start(&self, words: &[&str]) -> Child {
        let mut command = Command::new(PROGRAM);
        command.args(words).arg("--config").arg(self.path("posthorn.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs a command that must succeed and gives what it wrote.
    pub fn done(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let written = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        assert!(output.status.success(), "{words:?}: {}{}", written(&output.stdout), written(&output.stderr));
        written(&output.stdout)
    }

    /// Runs a command that must fail and gives what it says.
    pub fn refused(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(!output.status.success(), "{words:?} succeeded: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(words)).unwrap()
    }

    pub fn serve(&self) -> Server {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--ready-json", "--config"])
            .arg(self.path("posthorn.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("not ready: {}", std::fs::read_to_string(self.path("log")).unwrap_or_default()));
        let text = |field: &str| ready[field].as_str().unwrap().to_owned();
        Server { child, url: text("baseUrl"), operations: text("operationsUrl") }
    }

    /// Waits until the queue looks as wanted, and gives it.
    pub fn until_queue(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut queue = Value::Null;
        until("the queue looks as wanted", || {
            queue = self.json(&["queue", "--json"]);
            wanted(&queue)
        });
        queue
    }
}

/// What waits for a carrier, in both lanes.
pub fn waiting(queue: &Value, carrier: &str) -> u64 {
    let lines = queue["lines"].as_array().unwrap();
    lines.iter().filter(|line| line["carrier"] == carrier).filter_map(|line| line["waiting"].as_u64()).sum()
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub url: String,
    operations: String,
}

impl Server {
    /// Sends to these numbers; all must be taken.
    pub fn send(&self, external_id: &str, numbers: &[&str]) -> Value {
        let answer = self.ask(
            "sms",
            Some(json!({
                "sender": "ACME", "message": "Your code is 123456", "phoneNumbers": numbers, "externalId": external_id,
            })),
        );
        assert_eq!(answer["meta"]["status"], 200, "{answer}");
        answer
    }

    /// The value of a metric with these labels, in any order; 0 if there is none.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE)).build().into();
        let text =
            agent.get(format!("{}/metrics", self.operations)).call().unwrap().body_mut().read_to_string().unwrap();
        let is_it = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'))
                && labels.iter().all(|label| line.contains(label))
        };
        text.lines().find(is_it).map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    /// Status and error of a message.
    pub fn status(&self, external_id: &str) -> i64 {
        let answer = self.ask(&format!("sms?externalId={external_id}"), None);
        answer["data"][0]["status"].as_i64().unwrap_or_else(|| panic!("{answer}"))
    }

    pub fn ask(&self, path: &str, body: Option<Value>) -> Value {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        let url = format!("{}/v2.1/{path}", self.url);
        let mut response = match body {
            Some(body) => agent
                .post(&url)
                .header("Authorization", AUTHORIZATION)
                .header("Application-Key", APPLICATION_KEY)
                .send_json(body),
            None => {
                agent.get(&url).header("Authorization", AUTHORIZATION).header("Application-Key", APPLICATION_KEY).call()
            }
        }
        .unwrap();
        response.body_mut().read_json().unwrap()
    }

    /// Stops it in good order.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Waits until a condition holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
