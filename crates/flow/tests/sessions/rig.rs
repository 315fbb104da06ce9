//! A flow over a store of its own, with operators on loopback.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::id::MessageId;
use domain::random::Random;
use domain::state::Status;
use flow::Flow;
use flow::accept::Order;
use flow::send::{BindState, CarrierState};
use simulator::operator::{Behaviour, Operator, OperatorOptions, Submitted};
use store::Store;
use store::control::{ControlDb, Setup, key_digest};
use store::question::MessageRecord;
use tokio::time::{Instant, sleep, timeout};

/// How long anything may take on a busy machine before it counts as never.
pub const LONG: Duration = Duration::from_secs(60);

/// A running flow.
pub struct Rig {
    pub flow: Flow,
    pub store: Store,
    directory: tempfile::TempDir,
}

/// A `[[carrier]]` entry at `address` with further lines of its own.
pub fn carrier(name: &str, address: SocketAddr, lines: &str) -> String {
    let (host, port) = (address.ip(), address.port());
    format!(
        "[[carrier]]\nname = \"{name}\"\nhost = \"{host}\"\nport = {port}\npassword = \"secret\"\npriority_binds = 0\n{lines}\n"
    )
}

/// A route to each carrier: the one at index `n` serves numbers that begin with `48 50n`.
fn routes(names: &[&str]) -> String {
    let route = |(index, name): (usize, &&str)| {
        format!("[[route]]\nprefix = \"4850{index}\"\ncarriers = [\"{name}\"]\nprice = \"0.0001\"\n")
    };
    names.iter().enumerate().map(route).collect()
}

const ACCOUNT: &str = r#"
[[account]]
name = "acme"
balance = "1000000.0000"
priority = true
[[account.sender]]
name = "ACME"
[[account.key]]
name = "backend"
authorization = "AuthorizationOfTheSessionTests01"
application_key = "ApplicationKeyOfTheSessionTests0"
"#;

impl Rig {
    /// Starts with these carriers.
    pub async fn start(carriers: &[(&str, String)]) -> Self {
        let names: Vec<&str> = carriers.iter().map(|(name, _)| *name).collect();
        Self::start_with(carriers, &routes(&names), "").await
    }

    /// Starts with these carriers, routes of the test's own, and further lines for the key.
    pub async fn start_with(carriers: &[(&str, String)], routes: &str, key_lines: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = store::Options::new(directory.path());
        let entries: String = carriers.iter().map(|(_, entry)| entry.as_str()).collect();
        let setup = Setup::parse("setup.toml", &format!("{entries}{routes}{ACCOUNT}{key_lines}")).unwrap();
        let control = ControlDb::open(directory.path(), &options.master_key_file).unwrap();
        control.apply(&setup, false).unwrap();
        drop(control);
        let clock = Clock::system();
        let store = Store::open(options, clock.clone()).unwrap();
        let options = flow::Options::new(Random::system());
        let flow = Flow::start(store.clone(), clock, options).await.unwrap();
        Self { flow, store, directory }
    }

    /// Sends `text` to these numbers; the ids in their order.
    pub async fn send_text(&self, text: &str, phones: impl IntoIterator<Item = String>) -> Vec<MessageId> {
        self.send_in_lane(text, phones, false).await
    }

    /// Sends a code in the Priority lane.
    pub async fn send_code(&self, phone: String) -> MessageId {
        self.send_in_lane("Your code is 123456", [phone], true).await[0]
    }

    async fn send_in_lane(
        &self,
        text: &str,
        phones: impl IntoIterator<Item = String>,
        priority: bool,
    ) -> Vec<MessageId> {
        let control = self.store.control();
        let account = control.accounts().next().unwrap().clone();
        let digest = key_digest("AuthorizationOfTheSessionTests01", "ApplicationKeyOfTheSessionTests0");
        let key = control.key(&digest).unwrap().clone();
        let order = Order {
            account,
            key,
            uniq_id: "0000000000".into(),
            idempotency_key: None,
            sender: Some("ACME".into()),
            message: Some(text.into()),
            phone_numbers: Some(phones.into_iter().collect()),
            validity: None,
            schedule_time: None,
            messages_per_hour: None,
            message_type: None,
            short_link: None,
            webhook_url: None,
            external_id: None,
            priority: Some(priority),
            encoding: None,
        };
        let granted = self.flow.accept.send(order).await.unwrap();
        (0..granted.request.messages.len()).map(|index| granted.request.message_id(index)).collect()
    }

    /// Sends to these numbers; the ids in their order.
    pub async fn send(&self, phones: impl IntoIterator<Item = String>) -> Vec<MessageId> {
        self.send_text("hello", phones).await
    }

    /// A carrier by its name.
    pub fn carrier(&self, name: &str) -> Arc<CarrierState> {
        self.flow.send.carriers().into_iter().find(|state| state.carrier.name == name).unwrap()
    }

    /// Binds of a carrier that are up.
    pub fn bound(&self, name: &str) -> usize {
        self.carrier(name).binds().iter().filter(|bind| bind.state == BindState::Bound).count()
    }

    /// Waits until so many binds of a carrier are up.
    pub async fn wait_bound(&self, name: &str, binds: usize) {
        until("all binds are up", || {
            self.flow.send.carriers().iter().any(|state| state.carrier.name == name) && self.bound(name) == binds
        })
        .await;
    }

    /// Slots of a carrier's windows that are in use, and those that wait for their commit.
    pub fn slots(&self, name: &str) -> (usize, usize) {
        let stats = self.carrier(name).binds().into_iter().map(|bind| bind.stats());
        stats.fold((0, 0), |(used, held), stats| (used + stats.window_used, held + stats.window_held))
    }

    pub async fn message(&self, id: MessageId) -> MessageRecord {
        self.store.message(id).await.unwrap().unwrap()
    }

    /// Waits until all of these are in one of the states.
    pub async fn wait_status(&self, ids: &[MessageId], wanted: &[Status]) {
        let all = async {
            for id in ids {
                while !wanted.contains(&self.message(*id).await.status) {
                    sleep(Duration::from_millis(20)).await;
                }
            }
        };
        if timeout(LONG, all).await.is_err() {
            let mut states = HashMap::new();
            for id in ids {
                *states.entry(format!("{:?}", self.message(*id).await.status)).or_insert(0) += 1;
            }
            panic!("not all messages became {wanted:?}: {states:?}");
        }
    }

    pub async fn stop(self) {
        self.flow.stop().await;
        let store = self.store;
        tokio::task::spawn_blocking(move || store.close()).await.unwrap();
        drop(self.directory);
    }
}

/// Numbers of the carrier at `index`, counted from `from`.
pub fn phones(index: usize, from: usize, count: usize) -> impl Iterator<Item = String> {
    (from..from + count).map(move |number| format!("4850{index}{number:06}"))
}

/// An operator for whom no recipient is special.
pub fn plain() -> Behaviour {
    Behaviour { magic: false, ..Behaviour::default() }
}

/// An operator that keeps books.
pub async fn operator(behaviour: Behaviour) -> Operator {
    Operator::start_with(&OperatorOptions::local(), behaviour, true).await.unwrap()
}

/// Submits beyond the first for each recipient that was taken: what people got twice.
pub fn duplicates(parts: &[Submitted]) -> usize {
    let mut taken: HashMap<&str, usize> = HashMap::new();
    for part in parts.iter().filter(|part| part.command_status.is_none_or(|status| status == 0)) {
        *taken.entry(part.destination.as_str()).or_default() += 1;
    }
    taken.values().map(|count| count - 1).sum()
}

/// Waits until `holds`.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(LONG, waiting).await.is_ok(), "never: {what}");
}

/// How long it takes until `holds`.
pub async fn time_until(what: &str, holds: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    until(what, holds).await;
    started.elapsed()
}
