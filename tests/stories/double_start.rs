//! A second server on the same data is refused at once and says why; the first goes on.

use std::time::{Duration, Instant};

use anyhow::Result;
use harness::console;
use harness::stage::{Between, Stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn double_start() -> Result<()> {
    let mut stage = Stage::set("double_start", Between::default()).await?;
    let config = stage.site.config().display().to_string();
    let started = Instant::now();
    let second = console::posthorn(&["serve", "--config", &config]).await?;
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success(), "two servers on one directory\n{said}");
    assert!(started.elapsed() <= Duration::from_secs(1), "refused only after {:?}", started.elapsed());
    assert!(said.contains(&stage.site.data().display().to_string()), "the directory is not named: {said}");

    let check = console::posthorn(&["check", "--data", &stage.site.data().display().to_string()]).await?;
    assert!(!check.status.success(), "`check --data` must not touch the data of a running server");

    let mut client = stage.connect().await?;
    let answer = stage.ask(&mut client, 0, "acme-1", "48500000004").await?;
    assert_eq!(answer.status, 200, "the first server must go on");
    drop(client);

    // The lock of a dead server holds nobody up.
    stage.kill().await?;
    stage.start(&[]).await?;
    stage.judged().await?;
    let output = console::posthorn_ok(&["check", "--data", &stage.site.data().display().to_string()]).await?;
    println!("{output}");
    Ok(())
}
