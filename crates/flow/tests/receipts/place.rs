//! A flow over a store in a temporary folder, with its operators and a webhook receiver.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::control::{Account, Key};
use domain::id::MessageId;
use domain::random::Random;
use domain::state::Status;
use flow::Flow;
use flow::accept::Order;
use sha2::{Digest, Sha256};
use simulator::webhook::{Sink, SinkOptions};
use store::Store;
use store::control::{ControlDb, Setup};
use store::question::MessageRecord;

const AUTHORIZATION: &str = "AuthorizationOfTheReceiptTests0123456789";
const APPLICATION_KEY: &str = "ApplicationKeyOfTheReceiptTests";
const SETUP: &str = r#"
[[account]]
name = "acme"
currency = "PLN"
balance = "100000.0000"

[[account.sender]]
name = "ACME"

[[account.key]]
name = "backend"
authorization = "AuthorizationOfTheReceiptTests0123456789"
application_key = "ApplicationKeyOfTheReceiptTests"
senders = ["ACME"]
permissions = ["sms.send", "sms.read"]
"#;

/// How long anything may take on a busy machine.
pub const WITHIN: Duration = Duration::from_secs(90);

/// A running flow.
pub struct Place {
    pub flow: Flow,
    pub store: Store,
    pub sink: Sink,
    account: Arc<Account>,
    key: Arc<Key>,
    _directory: tempfile::TempDir,
}

impl Place {
    /// A place with one operator for all numbers; `keys` are lines of its `[[carrier]]`.
    pub async fn open(operator: SocketAddr, keys: &str) -> Self {
        Self::open_with(Clock::system(), &[(operator, "48", keys)]).await
    }

    /// A place with an operator for each prefix.
    pub async fn open_with(clock: Clock, operators: &[(SocketAddr, &str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let sink = Sink::start(&SinkOptions::local(), true).await.unwrap();
        let mut setup = String::new();
        for (number, (address, prefix, keys)) in operators.iter().enumerate() {
            setup += &format!(
                "[[carrier]]\nname = \"operator-{number}\"\nhost = \"127.0.0.1\"\nport = {}\npassword = \"secret\"\n{keys}\n\
                 [[route]]\nprefix = \"{prefix}\"\ncarriers = [\"operator-{number}\"]\nprice = \"0.0001\"\n",
                address.port()
            );
        }
        setup += SETUP;
        setup += &format!("[[account.webhook]]\nevent = \"sms.status\"\nurl = \"{}\"\n", sink.url());
        let options = store::Options::new(directory.path());
        let control = ControlDb::open(directory.path(), &options.master_key_file).unwrap();
        control.apply(&Setup::parse("setup.toml", &setup).unwrap(), false).unwrap();
        drop(control);
        let store = Store::open(options, clock.clone()).unwrap();
        let tell = flow::tell::Options {
            allow_private_addresses: vec!["127.0.0.0/8".parse().unwrap()],
            ..flow::tell::Options::default()
        };
        let options = flow::Options { tell, ..flow::Options::new(Random::seeded(1)) };
        let flow = Flow::start(store.clone(), clock.clone(), options).await.unwrap();
        let control = store.control();
        let digest =
            Sha256::new().chain_update(AUTHORIZATION).chain_update([0]).chain_update(APPLICATION_KEY).finalize();
        let key = Arc::clone(control.key(&digest.into()).expect("the key of the setup"));
        let account = Arc::clone(control.account(key.account).unwrap());
        Self { flow, store, sink, account, key, _directory: directory }
    }

    /// An order that says nothing unusual.
    pub fn order(&self, text: &str, phones: Vec<String>) -> Order {
        Order {
            account: Arc::clone(&self.account),
            key: Arc::clone(&self.key),
            uniq_id: "0123456789".into(),
            idempotency_key: None,
            sender: Some("ACME".into()),
            message: Some(text.into()),
            phone_numbers: Some(phones),
            validity: None,
            schedule_time: None,
            messages_per_hour: None,
            message_type: None,
            short_link: None,
            webhook_url: None,
            external_id: None,
            priority: None,
            encoding: None,
        }
    }

    /// Sends a text to as many numbers, `prefix` and eight digits that count from `first`; the ids by number.
    pub async fn send(&self, text: &str, prefix: &str, first: usize, count: usize) -> HashMap<String, MessageId> {
        let mut ids = HashMap::new();
        let phones: Vec<String> = (first..first + count).map(|number| format!("{prefix}{number:08}")).collect();
        for phones in phones.chunks(1_000) {
            let granted = self.flow.accept.send(self.order(text, phones.to_vec())).await.unwrap();
            assert!(granted.refused.is_empty(), "{:?}", granted.refused);
            for index in 0..granted.request.messages.len() {
                let phone = granted.request.messages[index].phone.to_string();
                ids.insert(phone, granted.request.message_id(index));
            }
        }
        ids
    }

    /// One message.
    pub async fn message(&self, id: MessageId) -> MessageRecord {
        self.store.message(id).await.unwrap().expect("an accepted message")
    }

    /// Waits until all messages have one of these statuses.
    pub async fn all_are(&self, ids: impl IntoIterator<Item = &MessageId>, wanted: &[Status]) {
        let deadline = Instant::now() + WITHIN;
        for id in ids {
            loop {
                let message = self.message(*id).await;
                if wanted.contains(&message.status) {
                    break;
                }
                assert!(
                    Instant::now() < deadline,
                    "{id} to {} is {:?}: {:?}",
                    message.phone,
                    message.status,
                    message.parts
                );
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Statuses that were told of each number, in order, once all events are told.
    pub async fn told(&self, count: usize) -> HashMap<String, Vec<i64>> {
        until("all webhooks", || self.sink.events() >= count as u64).await;
        let mut told: HashMap<String, Vec<i64>> = HashMap::new();
        let mut seen = std::collections::HashSet::new();
        for received in self.sink.received() {
            if seen.insert(received.event_id().to_owned()) {
                let phone = received.event["phoneNumber"].as_str().unwrap().trim_start_matches('+').to_owned();
                told.entry(phone).or_default().push(received.status().unwrap());
            }
        }
        told
    }
}

/// Polls until something is so.
pub async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + WITHIN;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
