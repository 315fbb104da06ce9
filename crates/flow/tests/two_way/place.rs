//! A running flow with an operator and a receiver of webhooks, all on loopback.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::control::Account;
use domain::random::Random;
use flow::Flow;
use parking_lot::Mutex;
use simulator::operator::{Operator, OperatorOptions};
use store::Store;
use store::control::{ControlDb, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Who writes.
pub const PERSON: &str = "48600100200";

/// Everything at work.
pub struct Place {
    pub operator: Operator,
    pub receiver: Receiver,
    pub store: Store,
    pub flow: Flow,
    directory: tempfile::TempDir,
}

impl Place {
    /// Opens with `carrier` keys and the accounts of `accounts`; `{receiver}` there is the receiver's URL.
    pub async fn open(carrier: &str, accounts: &str) -> Self {
        let operator = Operator::start(&OperatorOptions::local(), true).await.unwrap();
        let receiver = Receiver::start().await;
        let directory = tempfile::tempdir().unwrap();
        let setup = format!(
            "[[carrier]]\nname = \"operator-one\"\nhost = \"127.0.0.1\"\nport = {}\nsystem_id = \"posthorn\"\n\
             password = \"secret\"\npriority_binds = 0\n{carrier}\n\
             [[route]]\nprefix = \"48\"\ncarriers = [\"operator-one\"]\nprice = \"0.0700\"\n\n{}",
            operator.address.port(),
            accounts.replace("{receiver}", &receiver.url),
        );
        let options = store::Options::new(directory.path());
        let control = ControlDb::open(directory.path(), &options.master_key_file).unwrap();
        control.apply(&Setup::parse("setup.toml", &setup).unwrap(), false).unwrap();
        drop(control);
        let (store, flow) = start(directory.path()).await;
        let place = Self { operator, receiver, store, flow, directory };
        place.bound().await;
        place
    }

    async fn bound(&self) {
        eventually("the operator is bound to", || self.operator.sessions() > 0).await;
    }

    /// Stops and starts again on the same data.
    pub async fn restart(self) -> Self {
        let Self { operator, receiver, store, flow, directory } = self;
        flow.stop().await;
        store.close();
        drop(store);
        let (store, flow) = start(directory.path()).await;
        let place = Self { operator, receiver, store, flow, directory };
        place.bound().await;
        place
    }

    /// An account by its name.
    pub fn account(&self, name: &str) -> Arc<Account> {
        self.store.control().accounts().find(|account| account.name == name).cloned().unwrap()
    }

    /// What was sent to a person, in order: the number that sent it, and the text.
    pub fn sent_to(&self, person: &str) -> Vec<(String, String)> {
        let messages = self.operator.ledger().messages();
        let to_person = messages.into_iter().filter(|message| message.destination == person);
        to_person.map(|message| (message.source, message.text)).collect()
    }

    /// Waits until a person was sent so many messages, and returns the texts.
    pub async fn told(&self, person: &str, count: usize) -> Vec<String> {
        eventually("answers", || self.sent_to(person).len() >= count).await;
        self.sent_to(person).into_iter().map(|(_, text)| text).collect()
    }
}

async fn start(directory: &std::path::Path) -> (Store, Flow) {
    let clock = Clock::system();
    let store = Store::open(store::Options::new(directory), clock.clone()).unwrap();
    let tell: flow::tell::Options = toml::from_str("allow_private_addresses = [\"127.0.0.0/8\"]").unwrap();
    let options = flow::Options { tell, ..flow::Options::new(Random::system()) };
    let flow = Flow::start(store.clone(), clock, options).await.unwrap();
    (store, flow)
}

/// Waits until something is so.
pub async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "did not come: {what}");
}

/// Takes webhooks and answers what it is told to.
pub struct Receiver {
    pub url: String,
    pub answer: Arc<Mutex<String>>,
    pub bodies: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (answer, bodies) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Vec::new())));
        let (given, seen) = (Arc::clone(&answer), Arc::clone(&bodies));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (given, seen) = (Arc::clone(&given), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut octets = Vec::new();
                    let mut chunk = [0_u8; 4096];
                    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
                        octets.extend_from_slice(&chunk[..count]);
                        let text = String::from_utf8_lossy(&octets).into_owned();
                        let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
                        if let Ok(body) = serde_json::from_str(body) {
                            seen.lock().push(body);
                            break;
                        }
                    }
                    let body = given.lock().clone();
                    let head =
                        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                    // A caller that hung up has its reasons.
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                });
            }
        });
        Self { url, answer, bodies }
    }

    /// Events that were told so far.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.bodies.lock().iter().flat_map(|body| body.as_array().cloned().unwrap_or_default()).collect()
    }
}
