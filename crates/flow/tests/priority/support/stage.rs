//! A flow over a fresh store.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::random::Random;
use domain::request::Request;
use flow::Flow;
use flow::accept::{Granted, Order, Refusal};
use sha2::{Digest, Sha256};
use store::Store;
use store::control::{ControlDb, Setup};

use super::Smsc;

const AUTHORIZATION: &str = "AuthorizationOfTheLanesTest0123456789";

/// Numbers of recipients of codes, each used once.
static NEXT_CODE: AtomicU32 = AtomicU32::new(0);

/// A running flow with one carrier, `operator-one`.
pub struct Stage {
    pub flow: Flow,
    pub store: Store,
    pub smsc: Smsc,
    pub clock: Clock,
    directory: tempfile::TempDir,
}

/// What is done before each commit, on the writer's thread.
pub type Commit = Arc<dyn Fn() + Send + Sync>;

/// Commits that take so much longer than they do.
pub fn slow_commits(longer: Duration) -> Option<Commit> {
    Some(Arc::new(move || std::thread::sleep(longer)))
}

/// What a flow stands on.
#[derive(Default)]
pub struct Ground {
    pub clock: Option<Clock>,
    /// Done before each commit: what waits here is a slow disk.
    pub commit: Option<Commit>,
    pub tell: flow::tell::Options,
}

/// The tables of an account with the Priority add-on and one sender, `ACME`; `key` are more keys of its
/// application key.
pub fn account_toml(name: &str, key: &str) -> String {
    format!(
        "[[account]]\nname = \"{name}\"\ncurrency = \"PLN\"\nbalance = \"9000000.0000\"\npriority = true\n\
         [[account.sender]]\nname = \"ACME\"\n\
         [[account.key]]\nname = \"backend\"\nauthorization = \"{AUTHORIZATION}{name}\"\n\
         application_key = \"ApplicationKeyOf{name}\"\nsenders = [\"ACME\"]\npermissions = [\"sms.send\", \"sms.read\"]\n{key}\n"
    )
}

impl Stage {
    /// `carrier` are more keys of the carrier; without word of binds it has one that the lanes share.
    pub async fn open(smsc: Smsc, carrier: &str, accounts: &[String]) -> Self {
        Self::open_on(Ground::default(), smsc, carrier, accounts).await
    }

    /// The same with a clock of the test's.
    pub async fn open_at(clock: Clock, smsc: Smsc, carrier: &str, accounts: &[String]) -> Self {
        Self::open_on(Ground { clock: Some(clock), ..Ground::default() }, smsc, carrier, accounts).await
    }

    /// The same on a ground of the test's.
    pub async fn open_on(ground: Ground, smsc: Smsc, carrier: &str, accounts: &[String]) -> Self {
        let Ground { clock, commit, tell } = ground;
        let clock = clock.unwrap_or_else(Clock::system);
        let directory = tempfile::tempdir().unwrap();
        let binds = if carrier.contains("binds") { "" } else { "binds = 1\npriority_binds = 0\n" };
        let mut setup = format!(
            "[[carrier]]\nname = \"operator-one\"\nhost = \"127.0.0.1\"\nport = {}\nsystem_id = \"posthorn\"\n\
             password = \"secret\"\n{binds}{carrier}\n[[route]]\nprefix = \"48\"\ncarriers = [\"operator-one\"]\nprice = \"0.0001\"\n",
            smsc.address.port()
        );
        accounts.iter().for_each(|account| _ = write!(setup, "{account}"));
        let mut options = store::Options::new(directory.path());
        if let Some(commit) = commit {
            options.hooks.commit = commit;
        }
        let control = ControlDb::open(directory.path(), &options.master_key_file).unwrap();
        control.apply(&Setup::parse("setup.toml", &setup).unwrap(), false).unwrap();
        drop(control);
        let store = Store::open(options, clock.clone()).unwrap();
        let flow = start(&store, clock.clone(), tell).await;
        Self { flow, store, smsc, clock, directory }
    }

    /// Ends as a crash would: from one moment on nothing is kept any more. Starts anew on the same files
    /// with the same message centre.
    pub async fn crash_and_reopen(self) -> Self {
        let Self { flow, store, smsc, clock, directory } = self;
        store.close();
        // The tasks are aborted where they are.
        drop(flow);
        smsc.cut();
        drop(store);
        let store = Store::open(store::Options::new(directory.path()), clock.clone()).unwrap();
        let flow = start(&store, clock.clone(), flow::tell::Options::default()).await;
        Self { flow, store, smsc, clock, directory }
    }

    /// Sends; the request that was kept.
    pub async fn send(&self, account: &str, text: &str, phones: Vec<String>, priority: bool) -> Arc<Request> {
        let order = self.order(account, text, phones, priority);
        self.try_send(order).await.unwrap().request
    }

    /// Sends an order.
    pub async fn try_send(&self, order: Order) -> Result<Granted, Refusal> {
        self.flow.accept.send(order).await
    }

    /// An order of an account.
    pub fn order(&self, account: &str, text: &str, phones: Vec<String>, priority: bool) -> Order {
        let control = self.store.control();
        let mut hash = Sha256::new();
        hash.update(format!("{AUTHORIZATION}{account}\0ApplicationKeyOf{account}"));
        let key = control.key(&hash.finalize().into()).expect("a key");
        Order {
            account: Arc::clone(control.account(key.account).unwrap()),
            key: Arc::clone(key),
            uniq_id: "u".into(),
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
            priority: Some(priority),
            encoding: None,
        }
    }

    /// Sends codes, one `every` so often whether the ones before were accepted or not, and says how long each took from
    /// the moment planned for it to the message centre, sorted.
    pub async fn codes(&self, account: &str, count: usize, every: Duration) -> Vec<Duration> {
        let begun = Instant::now();
        let codes = (0..u32::try_from(count).unwrap()).map(|number| async move {
            let planned = begun + every * number;
            tokio::time::sleep_until(planned.into()).await;
            let phone = format!("4860{:07}", NEXT_CODE.fetch_add(1, Ordering::Relaxed));
            self.send(account, &format!("Your code is {number}"), vec![phone.clone()], true).await;
            (phone, planned)
        });
        let asked = futures_util::future::join_all(codes).await;
        let there = |phone: &str, arrived: &[super::Arrived]| {
            arrived.iter().find(|one| one.destination == *phone).map(|one| one.at)
        };
        let arrived = self
            .smsc
            .wait_for("every code", Duration::from_secs(60), |arrived| {
                asked.iter().all(|(phone, _)| there(phone, arrived).is_some())
            })
            .await;
        let mut took: Vec<Duration> =
            asked.iter().map(|(phone, at)| there(phone, &arrived).unwrap().saturating_duration_since(*at)).collect();
        took.sort_unstable();
        took
    }
}

async fn start(store: &Store, clock: Clock, tell: flow::tell::Options) -> Flow {
    let options = flow::Options { tell, ..flow::Options::new(Random::system()) };
    Flow::start(store.clone(), clock, options).await.unwrap()
}

/// The middle of sorted times: what holds on a machine that is now and then busy with something else.
pub fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

/// The 99th percentile of sorted times.
pub fn p99(sorted: &[Duration]) -> Duration {
    sorted[(sorted.len() * 99 / 100).min(sorted.len() - 1)]
}
