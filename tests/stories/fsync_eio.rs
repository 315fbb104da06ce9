//! The disk reports an error at the n-th sync: the server ends at once, answers nothing 200 after it, and recovers.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::http::Connection;
use harness::stage::{Between, Stage};

/// Exit code after a failed sync.
const SYNC_FAILED: i32 = 70;
/// Requests that are enough to reach the n-th sync of the writer.
const REQUESTS_MAX: u32 = 200;

/// What strace saw.
struct Trace {
    lines: Vec<String>,
    failed_at: usize,
}

impl Trace {
    fn read(text: &str) -> Result<Self> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let failed_at = lines.iter().position(|line| line.contains("(INJECTED)")).context("no sync failed")?;
        Ok(Self { lines, failed_at })
    }

    /// Lines are `pid seconds.micros call`.
    fn seconds(line: &str) -> Option<f64> {
        line.split_whitespace().nth(1)?.parse().ok()
    }

    fn answers_after_failure(&self) -> Vec<&String> {
        self.lines[self.failed_at..].iter().filter(|line| line.contains("HTTP/1.1 200")).collect()
    }

    fn seconds_to_exit(&self) -> Option<f64> {
        let exit = self.lines.iter().rfind(|line| line.contains("+++ exited with"))?;
        Some(Self::seconds(exit)? - Self::seconds(&self.lines[self.failed_at])?)
    }
}

async fn nth_sync_fails(n: u32) -> Result<bool> {
    let mut stage = Stage::prepare(&format!("fsync_eio {n}"), Between::default()).await?;
    let trace = stage.site.file("trace");
    let inject = format!("inject=fsync,fdatasync:error=EIO:when={n}");
    let trace_name = trace.display().to_string();
    let words = [
        "strace",
        "-f",
        "-q",
        "-y",
        "-ttt",
        "-s",
        "32",
        "-o",
        &trace_name,
        "-e",
        "trace=fsync,fdatasync,sendto,writev,write",
        "-e",
        &inject,
    ];
    let started = stage.start(&words).await;
    let ready = started.is_ok();
    if let Some(mut server) = stage.server.take() {
        let mut connection = Connection::open(server.address()).await?;
        for number in 0..REQUESTS_MAX {
            let (id, phone) = (format!("acme-{number}"), format!("48{:09}", 600_000_000 + u64::from(number) * 4));
            if stage.ask(&mut connection, 0, &id, &phone).await.is_err() {
                break;
            }
        }
        let status = server.ended(Duration::from_secs(10)).await.context("a sync failed and the server goes on")?;
        assert_eq!(status.code(), Some(SYNC_FAILED), "sync {n}: {status}\n{}", stage.site.log());
    }
    stage.died();
    let trace = Trace::read(&std::fs::read_to_string(&trace)?)?;
    let failed = &trace.lines[trace.failed_at];
    println!("sync {n}: {} answered 200, then {failed}", stage.ledger.kept_count());
    // The next span is made ready beside the work, before there is anything in it: its failure ends the server too,
    // but meanwhile commits to the present span are as durable as ever.
    if !failed.contains(".next") {
        assert_eq!(trace.answers_after_failure(), Vec::<&String>::new(), "sync {n}: answered 200 after {failed}");
    }
    let seconds = trace.seconds_to_exit().context("no exit in the trace")?;
    assert!(seconds <= 1.0, "sync {n}: {seconds} s from the failure to the exit");
    stage.start(&[]).await.context("the start after the failure")?;
    stage.judged().await?;
    Ok(ready)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fsync_eio() -> Result<()> {
    let (mut at_start, mut in_service) = (0, 0);
    for n in [1, 2, 5, 8, 13, 21, 30, 40, 55, 80, 120] {
        if nth_sync_fails(n).await? {
            in_service += 1;
        } else {
            at_start += 1;
        }
    }
    println!("{at_start} failures at the start, {in_service} in service");
    assert!(in_service >= 3, "too few failures met a server that was answering");
    Ok(())
}
