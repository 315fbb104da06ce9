//! The graceful stop.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use web::serve::Options;

use crate::support::client::request;
use crate::support::fake::Script;
use crate::support::server::{Server, options};

const ONE: &[u8] = br#"{"sender":"ACME","message":"Hello","phoneNumbers":["+48111222333"]}"#;
const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn requests_in_progress_are_answered_and_idle_connections_closed() {
    let server = Server::start();
    let mut idle = server.client().await;
    assert_eq!(idle.call("POST", "/v2.1/sms", ONE).await.status, 200);
    server.fake.script(Script::Hang(Duration::from_millis(400)));
    let mut busy = server.client().await;
    busy.send(&request("POST", "/v2.1/sms", &[], ONE)).await;
    while server.fake.0.orders.lock().len() < 2 {
        tokio::task::yield_now().await;
    }
    let started = Instant::now();
    server.drain.send(true).unwrap();
    assert!(idle.is_closed().await);
    assert!(started.elapsed() < Duration::from_millis(300));
    assert_eq!(busy.reply().await.unwrap().status, 200);
    timeout(PATIENCE, server.running).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_at_the_deadline() {
    let server = Server::with(Options { drain_ms: 300, ..options() });
    server.fake.script(Script::Hang(Duration::from_secs(3_600)));
    let mut busy = server.client().await;
    busy.send(&request("POST", "/v2.1/sms", &[], ONE)).await;
    while server.fake.0.orders.lock().is_empty() {
        tokio::task::yield_now().await;
    }
    server.drain.send(true).unwrap();
    timeout(PATIENCE, server.running).await.unwrap().unwrap();
    assert!(busy.is_closed().await);
}

#[tokio::test]
async fn a_service_whose_owner_is_gone_stops() {
    let server = Server::start();
    drop(server.drain);
    timeout(PATIENCE, server.running).await.unwrap().unwrap();
}
