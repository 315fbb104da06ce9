//! C12: the process of an operator is stopped (SIGSTOP) for twenty seconds while its kernel goes on taking what is sent, and
//! goes on: what waits leaves by the other connection, codes in time, and nobody gets more twice than was in flight.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::http::Connection;
use harness::setup::{Account, Carrier};
use harness::simulated::Simulated;
use harness::site::Site;
use harness::wait;
use serde_json::json;

/// How long it is stopped.
const STOPPED: Duration = Duration::from_secs(20);
/// Silence of five seconds, and five for the answer.
const TIMERS: &str = "enquire_link_seconds = 5\nenquire_link_timeout_seconds = 5\nbind_timeout_seconds = 5";
const NOTICED_WITHIN: Duration = Duration::from_secs(12);
const CODE_WITHIN: Duration = Duration::from_secs(2);
const MESSAGES: usize = 2_000;
const CODES: usize = 100;
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nightly_c12_pause_smsc_process() -> Result<()> {
    let behaviour = ["--answer-ms", "50", "--missing-per-mille", "1000"];
    let (first, second) = (Simulated::start(&behaviour).await?, Simulated::start(&behaviour).await?);
    let mut carrier = Carrier::at(first.address());
    carrier.second = Some(second.address());
    carrier.rate_per_second = 200;
    carrier.more = TIMERS;
    let accounts = [Account::new("acme", "ACME")];
    let site = Site::install(&carrier, &accounts).await?;
    let server = site.start().await?;
    let send = async |numbers: &[String], priority: bool| -> Result<()> {
        let mut connection = Connection::open(server.address()).await?;
        let body = json!({ "sender": "ACME", "message": "Your code is 123456", "phoneNumbers": numbers, "priority": priority });
        let answer = connection.call("POST", "/v2.1/sms", &accounts[0].headers(), body.to_string().as_bytes()).await?;
        ensure!(answer.status == 200, "{}", String::from_utf8_lossy(&answer.body));
        Ok(())
    };
    // Endings from 2000 on are treated like any other by the simulated operator.
    let numbers: Vec<String> = (0..MESSAGES).map(|number| (48_500_002_000 + number).to_string()).collect();
    send(&numbers, false).await?;
    wait::until("the first takes messages", PATIENCE, || first.taken().len() > 200).await?;

    first.stop()?;
    let stopped = Instant::now();
    wait::until("what waits leaves by the other", PATIENCE, || !second.taken().is_empty()).await?;
    let noticed = stopped.elapsed();
    println!("noticed after {noticed:?}");
    let mut took = Vec::new();
    for number in 0..CODES {
        let (number, asked) = ((48_600_002_000 + number).to_string(), Instant::now());
        send(std::slice::from_ref(&number), true).await?;
        wait::until("a code", PATIENCE, || second.taken().contains_key(&number)).await?;
        took.push(asked.elapsed());
    }
    took.sort_unstable();
    let p99 = took[CODES * 99 / 100];
    println!("codes by the other connection: p99 {p99:?}");
    tokio::time::sleep(STOPPED.saturating_sub(stopped.elapsed())).await;
    first.go_on()?;

    let all = || {
        let mut times: HashMap<String, usize> = HashMap::new();
        for (recipient, taken) in first.taken().into_iter().chain(second.taken()) {
            *times.entry(recipient).or_default() += taken.len();
        }
        times
    };
    wait::until("every message", PATIENCE, || all().len() == MESSAGES + CODES).await?;
    // What the stopped process has in its buffers it takes now.
    let config = site.config().display().to_string();
    wait::until_asked("the first is bound again", PATIENCE, async || {
        let Ok(status) = harness::console::posthorn(&["status", "--json", "--config", &config]).await else {
            return false;
        };
        let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
        let carriers = status["queue"]["carriers"].as_array().cloned().unwrap_or_default();
        !carriers.is_empty() && carriers.iter().all(|carrier| carrier["bound"] == carrier["binds"])
    })
    .await?;
    let doubles: usize = all().values().map(|times| times - 1).sum();
    println!("{doubles} doubles");
    ensure!(doubles <= carrier.in_flight_max(), "{doubles} doubles, the windows hold {}", carrier.in_flight_max());
    ensure!(noticed <= NOTICED_WITHIN, "noticed after {noticed:?}");
    ensure!(p99 <= CODE_WITHIN, "codes took {p99:?}");
    server.kill().await.context("the server")
}
