//! Clients that keep on asking, through kills and restarts, and write everything into the ledger.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::http::Connection;
use crate::ledger::{Asked, Ledger, Outcome};
use crate::seed::Seed;
use crate::setup::Account;

/// While nobody listens, clients knock this often.
const KNOCK_EVERY: Duration = Duration::from_millis(10);

/// How much load, and of what kind.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// From one request of a connection to its next.
    pub every: Duration,
    /// Unanswered requests are repeated with the same externalId in this share of cases.
    pub repeat_share: f64,
    /// Long, UCS-2, several-recipient and priority messages among them.
    pub mixed: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { connections: 8, every: Duration::from_millis(4), repeat_share: 0.5, mixed: true }
    }
}

/// Load that is running.
pub struct Load {
    stop: watch::Sender<bool>,
    clients: Vec<JoinHandle<Result<()>>>,
}

impl Load {
    /// Starts it against an address that may change.
    #[must_use]
    pub fn start(
        options: &LoadOptions,
        address: &watch::Receiver<SocketAddr>,
        accounts: &[Account],
        ledger: &Ledger,
        seed: Seed,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        // Numbers go up by four a request, and every request so far has entered one message at least.
        let counter = Arc::new(AtomicU64::new(ledger.asked_count() as u64 * 4));
        let clients = (0..options.connections)
            .map(|number| {
                let client = Client {
                    options: options.clone(),
                    address: address.clone(),
                    account: accounts[number % accounts.len()].clone(),
                    ledger: ledger.clone(),
                    counter: Arc::clone(&counter),
                    stopped: stopped.clone(),
                    numbers: seed.numbers(1_000 + number as u64),
                };
                tokio::spawn(client.run())
            })
            .collect();
        Self { stop, clients }
    }

    /// Lets every client finish its request and ends.
    ///
    /// # Errors
    /// A client met an answer that makes no sense.
    pub async fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        for client in self.clients {
            client.await??;
        }
        Ok(())
    }
}

struct Client {
    options: LoadOptions,
    address: watch::Receiver<SocketAddr>,
    account: Account,
    ledger: Ledger,
    counter: Arc<AtomicU64>,
    stopped: watch::Receiver<bool>,
    numbers: StdRng,
}

impl Client {
    async fn run(mut self) -> Result<()> {
        let mut pace = tokio::time::interval(self.options.every);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut connection = None;
        while !*self.stopped.borrow() {
            pace.tick().await;
            let number = self.counter.fetch_add(4, Ordering::Relaxed);
            let (messages, body) = self.compose(number);
            let count = messages.len();
            let end = self.ledger.enter(messages);
            let mut tries = if self.numbers.random_bool(self.options.repeat_share) { u32::MAX } else { 1 };
            while tries > 0 && !(self.ask(&mut connection, end, count, &body).await?) && !*self.stopped.borrow() {
                tries -= 1;
            }
        }
        Ok(())
    }

    /// One try; answers whether there was an answer that ends the matter.
    async fn ask(&mut self, kept: &mut Option<Connection>, end: usize, count: usize, body: &[u8]) -> Result<bool> {
        let address = *self.address.borrow();
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => match Connection::open(address).await {
                Ok(connection) => connection,
                Err(_) => {
                    tokio::time::sleep(KNOCK_EVERY).await;
                    return Ok(false);
                }
            },
        };
        let Ok(answer) = connection.call("POST", "/v2.1/sms", &self.account.headers(), body).await else {
            return Ok(false);
        };
        if answer.header("connection") != Some("close") {
            *kept = Some(connection);
        }
        let json = answer.json().context("an answer under load")?;
        match answer.status {
            200 => {
                let data = json["data"].as_array().cloned().unwrap_or_default();
                let ids: Vec<String> =
                    data.iter().map(|item| item["externalId"].as_str().unwrap_or_default().to_owned()).collect();
                self.ledger.answered(end, count, Outcome::Kept, &ids);
                Ok(true)
            }
            // The first try is still in the works: ask again.
            409 if json["errors"][0]["code"] == "E-6-003" => Ok(false),
            status => {
                self.ledger.answered(end, count, Outcome::Refused(status), &[]);
                Ok(true)
            }
        }
    }

    fn compose(&self, number: u64) -> (Vec<Asked>, Vec<u8>) {
        let name = self.account.name;
        let id = format!("{name}-{number}");
        let kind = if self.options.mixed { (number / 4) % 20 } else { 19 };
        let text = match kind {
            0 => format!("{id} {}", "[long] with ~brackets~ and {braces}, ".repeat(8)),
            1 => format!("{id} zażółć gęślą jaźń"),
            2 => format!("{id} {}", "długi tekst, który się nie mieści; ".repeat(4)),
            _ => format!("{id} says hello"),
        };
        let phones: Vec<String> =
            (0..if kind == 3 { 3 } else { 1 }).map(|more| format!("48{:09}", 500_000_000 + number + more)).collect();
        let messages = phones
            .iter()
            .enumerate()
            .map(|(index, phone)| Asked {
                account: name.to_owned(),
                external_id: if phones.len() > 1 { format!("{id}-{:04}", index + 1) } else { id.clone() },
                phone: phone.clone(),
                text: text.clone(),
                outcome: Outcome::Unanswered,
                answered_id: None,
            })
            .collect();
        let body = json!({
            "sender": self.account.sender, "message": text, "phoneNumbers": phones, "externalId": id,
            "priority": kind == 4 || kind == 5,
        });
        (messages, body.to_string().into_bytes())
    }
}
