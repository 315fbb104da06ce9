//! A listener of its own for urgent requests: while every connection of the common one is taken by clients that hang, a code
//! is taken and leaves in time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::http::Connection;
use harness::server::Server;
use harness::stage::{Between, Stage};
use harness::wait;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const CONNECTIONS_MAX: usize = 16;
const CODES: usize = 50;
/// From the request to the operator, beside other work.
const OUT_WITHIN: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn priority_listener() -> Result<()> {
    let store_keys = "\n[priority]\nlisten = \"127.0.0.1:0\"\n";
    let mut stage = Stage::prepare("priority_listener", Between { store_keys, ..Between::default() }).await?;
    // Those that hang may do so for longer than the story lasts.
    let limits = format!("POSTHORN__HTTP__CONNECTIONS_MAX={CONNECTIONS_MAX}");
    stage.start(&["env", &limits, "POSTHORN__HTTP__HEADER_READ_MS=120000"]).await?;
    let own = stage.server.as_ref().and_then(Server::priority).context("no listener of its own")?;
    ensure!(own != stage.address(), "the same listener");

    let mut hanging = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut stream = TcpStream::connect(stage.address()).await?;
        stream.write_all(b"POST /v2.1/sms HTTP/1.1\r\n").await?;
        hanging.push(stream);
    }
    wait::until_asked("the common listener is full", PATIENCE, async || {
        let asking = async {
            let mut connection = Connection::open(stage.address()).await?;
            connection.call("GET", "/v2.1/sms/senders", &stage.accounts[0].headers(), b"").await
        };
        tokio::time::timeout(Duration::from_millis(300), asking).await.is_err()
    })
    .await?;

    let headers = stage.accounts[0].headers();
    let mut connection = Connection::open(own).await?;
    let mut slowest = Duration::ZERO;
    for number in 0..CODES {
        let (phone, asked) = (format!("4860010{number:04}"), Instant::now());
        let body =
            json!({ "sender": "ACME", "message": "Your code is 123456", "phoneNumbers": [phone], "priority": true });
        let answer = connection.call("POST", "/v2.1/sms", &headers, body.to_string().as_bytes()).await?;
        ensure!(
            answer.status == 200 && answer.envelope_faults().is_empty(),
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        let is_out = || stage.operator.books().copy().0.iter().any(|submit| submit.destination == phone);
        wait::until("the code is out", PATIENCE, is_out).await?;
        slowest = slowest.max(asked.elapsed());
    }
    println!("the slowest of {CODES} codes was out after {slowest:?}");
    ensure!(slowest <= OUT_WITHIN, "the slowest code was out after {slowest:?}");
    drop(hanging);
    stage.stop().await
}
