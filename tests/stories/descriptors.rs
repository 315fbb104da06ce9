//! Out of file descriptors: connections are shed, nothing panics, and it recovers within seconds.

use std::time::Duration;

use anyhow::Result;
use harness::http::Connection;
use harness::load::LoadOptions;
use harness::stage::{Between, Stage};
use harness::wait;
use tokio::net::TcpStream;

const FLOOD: usize = 300;
const RECOVERED_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn descriptors() -> Result<()> {
    let mut stage = Stage::prepare("descriptors", Between::default()).await?;
    stage.start(&["prlimit", "--nofile=64:64", "--"]).await?;
    let load = stage.load(&LoadOptions { connections: 2, ..LoadOptions::default() });
    wait::until("load before", Duration::from_secs(20), || stage.ledger.kept_count() >= 100).await?;
    load.stop().await?;

    let mut flood = Vec::new();
    for _ in 0..FLOOD {
        // The system may refuse some: that is one way of shedding them.
        flood.extend(TcpStream::connect(stage.address()).await.ok());
    }
    assert!(flood.len() > 64, "that was no flood: {}", flood.len());
    drop(flood);
    let recovered = wait::until_asked("answering again", RECOVERED_WITHIN, async || {
        let Ok(mut connection) = Connection::open(stage.address()).await else { return false };
        let headers = stage.accounts[0].headers();
        let asked = connection.call("GET", "/v2.1/sms/senders", &headers, b"");
        tokio::time::timeout(Duration::from_secs(1), asked)
            .await
            .is_ok_and(|answer| answer.is_ok_and(|a| a.status == 200))
    });
    println!("answering again after {:?}", recovered.await?);
    assert!(!stage.site.log().contains("panicked"), "{}", stage.site.log());

    let kept = stage.ledger.kept_count();
    let load = stage.load(&LoadOptions { connections: 2, ..LoadOptions::default() });
    wait::until("load after", Duration::from_secs(20), || stage.ledger.kept_count() >= kept + 100).await?;
    load.stop().await?;
    stage.judged().await?;
    Ok(())
}
