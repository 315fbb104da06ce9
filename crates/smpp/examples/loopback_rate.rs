//! How fast a client and a server session go over loopback: submits per second and CPU per submit, both ends together.
//!
//! `cargo run --release -p smpp --example loopback_rate [seconds per window]`

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use smpp::client::{ClientHandler, ClientSession, ConnectOptions, SubmitBatch, connect};
use smpp::pdu::{Address, Bind, BindMode, SubmitSm};
use smpp::server::{DeliverBatch, ServerHandler, read_bind};
use smpp::session::{Answer, Answers, OutcomeBatch, RequestBatch, SessionOptions};
use tokio::net::TcpListener;

/// Windows to measure.
const WINDOWS: [usize; 3] = [10, 100, 1000];

struct Sender {
    next: u64,
    answered: Arc<AtomicU64>,
}

impl ClientHandler for Sender {
    fn pull(&mut self, batch: &mut SubmitBatch<'_>) {
        let message = SubmitSm {
            source: Address { ton: 5, npi: 0, digits: b"Posthorn" },
            destination: Address { ton: 1, npi: 1, digits: b"48601000001" },
            registered_delivery: 1,
            short_message: b"Your code is 123456. It is valid for ten minutes; give it to nobody, not even to us.",
            ..SubmitSm::default()
        };
        while batch.push(self.next, &message).is_ok() {
            self.next += 1;
        }
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.answered.fetch_add(outcomes.len() as u64, Ordering::Relaxed);
    }

    fn delivers(&mut self, _delivers: RequestBatch, _answers: &mut Answers<'_>) {}
}

#[derive(Default)]
struct Accepter {
    accepted: u64,
}

impl ServerHandler for Accepter {
    fn pull(&mut self, _batch: &mut DeliverBatch<'_>) {}

    fn outcomes(&mut self, _outcomes: &OutcomeBatch) {}

    fn requests(&mut self, requests: RequestBatch, answers: &mut Answers<'_>) {
        for request in requests.iter() {
            self.accepted += 1;
            let mut id = [b'0'; 16];
            let mut rest = self.accepted;
            for digit in id.iter_mut().rev() {
                *digit = b"0123456789abcdef"[(rest & 15) as usize];
                rest >>= 4;
            }
            answers.respond(&Answer::accepted(request.header(), &id));
        }
    }
}

/// User and system time of this process so far, in microseconds (100 ticks a second on Linux).
fn cpu_us() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = after_name.split_whitespace().skip(11);
    let mut tick = || fields.next().and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    (tick() + tick()) * 10_000
}

async fn measure(window_max: usize, seconds: u64) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let serving = tokio::spawn(async move {
        let (stream, _peer) = listener.accept().await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let options = SessionOptions { inbox_max: 10_000, ..SessionOptions::default() };
        let bind = read_bind(stream, options).await.map_err(|error| error.to_string())?;
        let session = bind.accept(b"loopback").map_err(|error| error.to_string())?;
        Ok::<_, String>(session.run(Accepter::default()).await)
    });

    let bind = Bind {
        mode: BindMode::Transceiver,
        system_id: b"rate",
        password: b"secret",
        system_type: b"",
        interface_version: 0x34,
        addr_ton: 0,
        addr_npi: 0,
        address_range: b"",
    };
    let stream = connect("127.0.0.1", port, &ConnectOptions::default()).await?;
    let session =
        ClientSession::bind(stream, &bind, SessionOptions { window_max, ..SessionOptions::default() }).await?;
    let handle = session.handle();
    let answered = Arc::new(AtomicU64::new(0));
    let running = tokio::spawn(session.run(Sender { next: 0, answered: Arc::clone(&answered) }));

    tokio::time::sleep(Duration::from_millis(300)).await;
    let (count_before, cpu_before, from) = (answered.load(Ordering::Relaxed), cpu_us(), Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let count = answered.load(Ordering::Relaxed) - count_before;
    let (cpu, took) = (cpu_us() - cpu_before, from.elapsed());
    handle.drain();
    let end = running.await?;
    serving.await??;
    println!(
        "window {window_max:>5}: {:>9.0} submits/s, {:>5.2} µs CPU per submit (client and server), ended: {end}",
        count as f64 / took.as_secs_f64(),
        cpu as f64 / count.max(1) as f64,
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    for window_max in WINDOWS {
        measure(window_max, seconds).await?;
    }
    Ok(())
}
