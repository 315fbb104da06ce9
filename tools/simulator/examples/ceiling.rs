//! How much the operator takes: a flood of submits from one thread to an operator on another, every one with a receipt.
//!
//! `cargo run --release -p simulator --example ceiling -- 10` floods for ten seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use simulator::operator::{Operator, OperatorOptions};
use smpp::CommandStatus;
use smpp::client::{ClientHandler, ClientSession, SubmitBatch, connect};
use smpp::pdu::{Address, Bind, BindMode, SubmitSm};
use smpp::session::{Answer, Answers, OutcomeBatch, RequestBatch, SessionHandle, SessionOptions};

/// Submits in flight on each session.
const WINDOW_MAX: usize = 200;
const SESSIONS: usize = 2;

struct Flood {
    sent: u64,
    answered: Arc<AtomicU64>,
    receipts: Arc<AtomicU64>,
}

impl ClientHandler for Flood {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        while batch.room() > 0 {
            let recipient = (48_500_000_000 + self.sent % 1_000_000).to_string();
            self.sent += 1;
            let sm = SubmitSm {
                source: Address { ton: 5, npi: 0, digits: b"ACME" },
                destination: Address { ton: 1, npi: 1, digits: recipient.as_bytes() },
                registered_delivery: 1,
                short_message: b"Your parcel is on its way and will arrive between 10 and 12.",
                ..SubmitSm::default()
            };
            if batch.push(self.sent, &sm).is_err() {
                return;
            }
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.answered.fetch_add(outcomes.len() as u64, Ordering::Relaxed);
    }

    fn delivers(&mut self, delivers: RequestBatch, answers: &mut Answers<'_>) {
        self.receipts.fetch_add(delivers.len() as u64, Ordering::Relaxed);
        delivers.headers().for_each(|header| answers.respond(&Answer::new(header, CommandStatus::ROK)));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    let (tell_port, port) = std::sync::mpsc::sync_channel(1);
    std::thread::Builder::new().name("operator".into()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map(|runtime| {
            runtime.block_on(async {
                let options = OperatorOptions { scenario: "load".into(), ..OperatorOptions::local() };
                let Ok(operator) = Operator::start(&options, false).await else { return };
                if tell_port.send(operator.address.port()).is_ok() {
                    operator.run().await;
                }
            });
        })
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(flood(port.recv()?, Duration::from_secs(seconds)))
}

async fn flood(port: u16, time: Duration) -> Result<(), Box<dyn std::error::Error>> {
    let (answered, receipts) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut handles: Vec<SessionHandle> = Vec::new();
    for _ in 0..SESSIONS {
        let stream = connect("127.0.0.1", port, &Default::default()).await?;
        let bind = Bind {
            mode: BindMode::Transceiver,
            system_id: b"posthorn",
            password: b"secret",
            system_type: b"",
            interface_version: 0x34,
            addr_ton: 0,
            addr_npi: 0,
            address_range: b"",
        };
        let options = SessionOptions { window_max: WINDOW_MAX, ..SessionOptions::default() };
        let session = ClientSession::bind(stream, &bind, options).await?;
        handles.push(session.handle());
        let flood = Flood { sent: 0, answered: Arc::clone(&answered), receipts: Arc::clone(&receipts) };
        tokio::spawn(session.run(flood));
    }
    let start = Instant::now();
    tokio::time::sleep(time).await;
    let per_second = |count: &AtomicU64| count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    println!("{:.0} submits/s, {:.0} receipts/s", per_second(&answered), per_second(&receipts));
    for handle in handles {
        handle.close();
    }
    Ok(())
}
