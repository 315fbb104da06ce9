//! How many incoming messages a second a keyword bot answers, with every message, answer and receipt on
//! stable storage. Operator, store and flow share this process and its processors.
//!
//! `cargo run --release -p flow --example keyword_bot -- 5000 20` offers 5,000 a second for 20 seconds; `--json` behind
//! it is for `cargo xtask bench --only two-way`.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::random::Random;
use flow::Flow;
use simulator::operator::{Operator, OperatorOptions};
use store::Store;
use store::control::{ControlDb, Setup};

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Messages are handed in in steps of this length.
const STEP: Duration = Duration::from_millis(10);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let rate: u64 = arguments.next().map_or(Ok(5_000), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let as_json = arguments.next().is_some_and(|word| word == "--json");
    // Without recipients that end in their own way: every answer counts.
    let options = OperatorOptions { scenario: "load".into(), ..OperatorOptions::local() };
    let operator = Operator::start(&options, true).await?;
    // The operator's clock began a moment before: delays come out longer by that, never shorter.
    let began = Instant::now();
    let directory = tempfile::tempdir()?;
    let flow = start(directory.path(), operator.address.port()).await?;
    wait(|| operator.sessions() >= 4).await?;

    let (total, cpu_before) = (rate * seconds, cpu_seconds());
    let mut written = HashMap::new();
    let start = Instant::now();
    for number in 0..total {
        let due = start + Duration::from_micros(number * 1_000_000 / rate);
        if due > Instant::now() + STEP {
            tokio::time::sleep_until((due).into()).await;
        }
        let person = (48_600_000_000 + number).to_string();
        operator.deliver(&person, "2424", "Hours?");
        written.insert(person, began.elapsed());
    }
    let offered = start.elapsed();
    let stats = flow.two_way.stats();
    let answered = || operator.ledger().messages().len() as u64;
    wait(|| stats.answers.load(Ordering::Relaxed) >= total && answered() >= total).await.inspect_err(|_| {
        eprintln!(
            "of {total} messages {} were answered, {} answers submitted: {stats:?}",
            stats.answers.load(Ordering::Relaxed),
            answered()
        );
    })?;
    let took = start.elapsed();
    let cpu = cpu_seconds() - cpu_before;

    let mut delays: Vec<i64> = operator
        .ledger()
        .parts()
        .iter()
        .filter_map(|part| {
            let at = written.get(&part.destination)?;
            Some(i64::try_from(part.at_ms).ok()? - i64::try_from(at.as_millis()).ok()?)
        })
        .collect();
    delays.sort_unstable();
    let percentile = |share: usize| delays.get(delays.len() * share / 100).copied().unwrap_or_default();
    if as_json {
        let report = serde_json::json!({
            "offered_per_second": total as f64 / offered.as_secs_f64(),
            "answered_per_second": total as f64 / took.as_secs_f64(),
            "p50_ms": percentile(50),
            "p99_ms": percentile(99),
            "cpu_us": cpu * 1e6 / total as f64,
        });
        println!("{report}");
        flow.stop().await;
        return Ok(());
    }
    println!("offered {total} in {:.1} s, {rate}/s wanted", offered.as_secs_f64());
    println!("answered {} in {:.1} s: {:.0}/s", answered(), took.as_secs_f64(), total as f64 / took.as_secs_f64());
    println!("written until its answer was submitted: p50 {} ms, p99 {} ms", percentile(50), percentile(99));
    println!("CPU {:.0} µs a message, operator included", cpu * 1e6 / total as f64);
    flow.stop().await;
    Ok(())
}

async fn start(directory: &std::path::Path, port: u16) -> Outcome<Flow> {
    let setup = format!(
        r#"
[[carrier]]
name = "operator-one"
host = "127.0.0.1"
port = {port}
system_id = "posthorn"
password = "secret"
binds = 4
priority_binds = 0
window = 500

[[route]]
prefix = "48"
carriers = ["operator-one"]
price = "0.0001"

[[account]]
name = "acme"
balance = "1000000.0000"

[[account.number]]
number = "2424"
kind = "short"
carrier = "operator-one"
bot = "shop"

[[account.bot]]
name = "shop"

[[account.bot.rule]]
words = ["HOURS"]
answer = "We are open 9 to 17."
"#
    );
    let options = store::Options::new(directory);
    let control = ControlDb::open(directory, &options.master_key_file)?;
    control.apply(&Setup::parse("setup.toml", &setup)?, false)?;
    drop(control);
    let clock = Clock::system();
    let store = Store::open(options, clock.clone())?;
    let options = flow::Options::new(Random::system());
    Ok(Flow::start(store, clock, options).await?)
}

async fn wait(is_so: impl Fn() -> bool) -> Outcome<()> {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(STEP).await;
        }
    };
    Ok(tokio::time::timeout(PATIENCE, waiting).await?)
}

/// User and system time of this process, from proc(5).
fn cpu_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}
