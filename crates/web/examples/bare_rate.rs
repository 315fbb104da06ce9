//! What the web crate itself costs per `POST /v2.1/sms`: the API over a backend in memory, driven by
//! keep-alive clients in the same process, with the CPU time of the server's threads told apart.
//!
//! `cargo run --release -p web --example bare_rate -- [connections] [seconds] [recipients]`

#![expect(clippy::unwrap_used, reason = "a measuring tool ends with the first surprise")]

#[path = "../tests/support/answers.rs"]
mod answers;
#[path = "../tests/support/fake.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod fake;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use domain::clock::Clock;
use domain::random::Random;
use fake::{APPLICATION_KEY, AUTHORIZATION, Fake};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use web::api::Api;
use web::serve::{Options, Service};

/// Linux counts CPU time of threads in ticks of 1/100 s.
const TICK_MICROSECONDS: u64 = 10_000;

fn main() {
    let arguments: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let [connections, seconds, recipients] = [0, 1, 2].map(|place| arguments.get(place).copied());
    let (connections, seconds, recipients) = (connections.unwrap_or(64), seconds.unwrap_or(5), recipients.unwrap_or(1));
    let server = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("server")
        .enable_all()
        .build()
        .unwrap();
    let client = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("client")
        .enable_all()
        .build()
        .unwrap();
    let random = Random::system();
    let clock = Clock::system();
    let options = Options { listen: "127.0.0.1:0".into(), ..Options::default() };
    let api = Api::new(Fake::with_clock(clock.clone(), false), clock, &random, options.api().unwrap());
    let guard = server.enter();
    let service = Service::bind(&options, &std::env::temp_dir(), &random, api).unwrap();
    drop(guard);
    let address = service.handle().listen().unwrap();
    let (drain, drained) = watch::channel(false);
    let running = server.spawn(service.run(drained));

    let (answered, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let octets: Arc<[u8]> = request(recipients).into();
    for _ in 0..connections {
        let (answered, stop, octets) = (Arc::clone(&answered), Arc::clone(&stop), Arc::clone(&octets));
        client.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut buffer = vec![0; 8 * 1024 * 1024];
            while !stop.load(Ordering::Relaxed) {
                stream.write_all(&octets).await.unwrap();
                let mut length = stream.read(&mut buffer).await.unwrap();
                assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..length]));
                while !buffer[..length].ends_with(b"]}") {
                    length += stream.read(&mut buffer[length..]).await.unwrap();
                }
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    std::thread::sleep(Duration::from_secs(1));
    let (started, cpu, count) = (Instant::now(), cpu_microseconds("server"), answered.load(Ordering::Relaxed));
    std::thread::sleep(Duration::from_secs(seconds));
    let (elapsed, cpu, count) =
        (started.elapsed(), cpu_microseconds("server") - cpu, answered.load(Ordering::Relaxed) - count);
    stop.store(true, Ordering::Relaxed);
    let _ = drain.send(true);
    let _ = server.block_on(running);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let (per_second, each) = (count as f64 / elapsed.as_secs_f64(), cpu as f64 / count as f64);
    println!(
        "{connections} connections, {recipients} recipients: {per_second:.0} requests/s, {each:.2} us of server CPU each"
    );
}

fn request(recipients: u64) -> Vec<u8> {
    let numbers: Vec<String> = (0..recipients).map(|number| format!("\"+48{:09}\"", 500_000_000 + number)).collect();
    let body = format!(r#"{{"sender":"ACME","message":"Your code is 123456","phoneNumbers":[{}]}}"#, numbers.join(","));
    let head = format!(
        "POST /v2.1/sms HTTP/1.1\r\nhost: localhost\r\nauthorization: {AUTHORIZATION}\r\napplication-key: {APPLICATION_KEY}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head, body].concat().into_bytes()
}

/// User and system time of all threads of that name.
fn cpu_microseconds(name: &str) -> u64 {
    let mut ticks = 0;
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let Some((before, after)) = stat.rsplit_once(')') else { continue };
        if before.ends_with(name) {
            let fields: Vec<&str> = after.split_whitespace().collect();
            // utime and stime, fields 14 and 15 of proc(5).
            ticks += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    ticks * TICK_MICROSECONDS
}
