//! How long a click on a short link takes: the real listener over the real flow and store, driven on loopback at
//! a fixed rate over kept connections, each click recorded durably before its redirect. Beside it the same
//! links answered by a handler that looks nothing up and records nothing: the ceiling of the machine.
//!
//! `cargo run --release -p web --example link_latency -- [clicks per second] [seconds] [sends per second beside it]`;
//! `--json` behind them is for `cargo xtask bench --only links`.

#![expect(clippy::unwrap_used, reason = "a measuring tool ends with the first surprise")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::Clock;
use domain::random::Random;
use flow::Flow;
use flow::accept::Order;
use flow::follow::Visit;
use store::Store;
use store::control::{ControlDb, Setup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use web::auth::TrustedProxies;
use web::envelope::Rejection;
use web::links::{Follower, Links};
use web::serve::{Handler, Options, Service};

const SETUP: &str = r#"
[[carrier]]
name = "operator-one"
host = "127.0.0.1"
port = 1
system_id = "posthorn"
password = "secret"

[[route]]
prefix = "48"
carriers = ["operator-one"]

[[account]]
name = "acme"
balance = "1000000.0000"

[[account.sender]]
name = "ACME"

[[account.key]]
name = "backend"
authorization = "AuthorizationOfTheMeasurement"
application_key = "ApplicationKeyOfTheMeasurement"
senders = ["ACME"]
permissions = ["sms.send"]

[[account.webhook]]
event = "sms.click"
url = "https://nobody.example.com/clicks"
"#;
const MESSAGES: usize = 5_000;
const CONNECTIONS: usize = 32;
const BASE: &str = "https://s.example.com/";

/// Answers every code without asking anybody.
struct Bare;

impl Follower for Bare {
    async fn follow(&self, _: &str, _: Visit) -> Result<Option<Arc<str>>, Rejection> {
        Ok(Some("https://shop.example.com/track?id=4711".into()))
    }
}

#[tokio::main]
async fn main() {
    let given: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let argument = |place: usize, default: u64| given.get(place).copied().unwrap_or(default);
    let (rate, seconds, sends) = (argument(0, 500), argument(1, 10), argument(2, 0));
    let directory = tempfile::tempdir_in(".").unwrap();
    let options = store::Options::new(directory.path());
    let control = ControlDb::open(directory.path(), &options.master_key_file).unwrap();
    control.apply(&Setup::parse("setup.toml", SETUP).unwrap(), false).unwrap();
    drop(control);
    let store = Store::open(options, Clock::system()).unwrap();
    let flow_options = flow::Options { links_base: Some(BASE.into()), ..flow::Options::new(Random::system()) };
    let flow = Flow::start(store.clone(), Clock::system(), flow_options).await.unwrap();
    let numbers = (0..MESSAGES).map(|number| format!("48{}", 600_000_000 + number)).collect();
    let granted =
        flow.accept.send(order(&store, "Track https://shop.example.com/track?id=4711", numbers)).await.unwrap();
    let request = Arc::clone(&granted.request);
    let codes: Vec<String> =
        (0..MESSAGES).map(|index| request.text_at(index)["Track ".len() + BASE.len()..].to_owned()).collect();
    let codes: Arc<[String]> = codes.into();

    let random = Random::system();
    let bare = listen(Links::new(Bare, &random, TrustedProxies::default()), directory.path()).await;
    let real = listen(Links::new(flow.follow.clone(), &random, TrustedProxies::default()), directory.path()).await;
    let ceiling = measure(bare, &codes, rate, seconds).await;
    let sending = tokio::spawn(send_beside(flow.accept.clone(), store.clone(), sends));
    let clicked = measure(real, &codes, rate, seconds).await;
    sending.abort();
    let stats = flow.follow.stats();
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
    let (late, lost, limited) = (count(&stats.late), count(&stats.lost), count(&stats.limited));
    if std::env::args().any(|argument| argument == "--json") {
        let ms = |sorted: &[u64], part| at(sorted, part) as f64 / 1_000.0;
        let report = serde_json::json!({
            "bare_p50_ms": ms(&ceiling, 500), "bare_p99_ms": ms(&ceiling, 990),
            "p50_ms": ms(&clicked, 500), "p99_ms": ms(&clicked, 990), "late": late, "lost": lost,
        });
        println!("{report}");
    } else {
        report("ceiling (nothing looked up, nothing recorded)", &ceiling);
        report("click recorded before its redirect", &clicked);
        println!("late {late}, lost {lost}, limited {limited}");
    }
    flow.stop().await;
    store.close();
}

fn order(store: &Store, message: &str, numbers: Vec<String>) -> Order {
    let account = Arc::clone(store.control().accounts().next().unwrap());
    let key = store.control().key(&digest()).cloned().unwrap();
    Order {
        account,
        key,
        uniq_id: "0123456789".into(),
        idempotency_key: None,
        sender: Some("ACME".into()),
        message: Some(message.into()),
        phone_numbers: Some(numbers),
        validity: None,
        schedule_time: None,
        message_type: None,
        short_link: Some(true),
        webhook_url: None,
        external_id: None,
        encoding: None,
        priority: None,
        messages_per_hour: None,
    }
}

fn digest() -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(b"AuthorizationOfTheMeasurement\0ApplicationKeyOfTheMeasurement").into()
}

/// Sends with a hundred recipients each, so that the standard lane's writer is not idle.
async fn send_beside(accept: flow::accept::Accept, store: Store, per_second: u64) {
    if per_second == 0 {
        return;
    }
    let numbers: Vec<String> = (0..100).map(|number| format!("48{}", 700_000_000 + number)).collect();
    let mut ticks = tokio::time::interval(Duration::from_micros(100_000_000 / per_second));
    loop {
        ticks.tick().await;
        let (accept, order) = (accept.clone(), order(&store, "Plain text without links", numbers.clone()));
        tokio::spawn(async move { accept.send(order).await.map(drop) });
    }
}

async fn listen(handler: impl Handler, directory: &std::path::Path) -> SocketAddr {
    let options = Options { listen: "127.0.0.1:0".into(), ..Options::default() };
    let service = Service::bind(&options, directory, &Random::system(), handler).unwrap();
    let address = service.handle().listen().unwrap();
    let (drain, drained) = watch::channel(false);
    tokio::spawn(async move {
        service.run(drained).await;
        drop(drain);
    });
    address
}

/// Latencies in microseconds, each from the moment its click was planned.
async fn measure(address: SocketAddr, codes: &Arc<[String]>, rate: u64, seconds: u64) -> Vec<u64> {
    let begin = Instant::now() + Duration::from_millis(200);
    let total = usize::try_from(rate * seconds).unwrap();
    let clients = (0..CONNECTIONS).map(|client| {
        let codes = Arc::clone(codes);
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (mut latencies, mut answer) = (Vec::new(), vec![0; 8_192]);
            for click in (client..total).step_by(CONNECTIONS) {
                let planned = begin + Duration::from_nanos(1_000_000_000 / rate * click as u64);
                sleep_until(planned).await;
                let code = &codes[click * 7_919 % codes.len()];
                let request =
                    format!("GET /{code} HTTP/1.1\r\nhost: s.example.com\r\nuser-agent: Mozilla/5.0 (iPhone)\r\n\r\n");
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut length = 0;
                while !answer[..length].ends_with(b"}]}") {
                    length += stream.read(&mut answer[length..]).await.unwrap();
                }
                assert!(answer.starts_with(b"HTTP/1.1 302"), "{}", String::from_utf8_lossy(&answer[..length]));
                latencies.push(u64::try_from(planned.elapsed().as_micros()).unwrap());
            }
            latencies
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut all = Vec::with_capacity(total);
    for client in clients {
        all.extend(client.await.unwrap());
    }
    all.sort_unstable();
    all
}

fn at(sorted: &[u64], part: usize) -> u64 {
    sorted[(sorted.len() * part / 1_000).min(sorted.len() - 1)]
}

fn report(what: &str, sorted: &[u64]) {
    let at = |part| at(sorted, part);
    println!(
        "{what}: {} clicks, p50 {} us, p90 {} us, p99 {} us, max {} us",
        sorted.len(),
        at(500),
        at(900),
        at(990),
        at(1_000)
    );
}
