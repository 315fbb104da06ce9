//! The disk reports an error at the n-th sync: the server ends at once, answers nothing 200 that was not synced, and
//! recovers.

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

    /// The call that failed; where others came in between, its beginning is on an earlier line of the same thread.
    fn failed(&self) -> &str {
        let end = &self.lines[self.failed_at];
        let thread = end.split(' ').next().unwrap_or_default();
        let begins = |line: &&String| line.starts_with(thread) && line.contains("<unfinished");
        let begin = self.lines[..self.failed_at].iter().rfind(begins).filter(|_| end.contains("resumed>"));
        begin.unwrap_or(end)
    }

    /// Lines are `pid seconds.micros call`.
    fn seconds(line: &str) -> Option<f64> {
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Requests answered 200 although no sync had made them durable before, wherever in the trace.
    fn answered_in_vain(&self, ids: &[String]) -> Vec<String> {
        let answers = self.lines.iter().enumerate().filter(|(_, line)| line.contains("HTTP/1.1 200"));
        answers
            .map(|(at, line)| (at, ids.iter().find(|id| line.contains(id.as_str())).unwrap_or(line)))
            .filter(|(at, id)| !self.durable_before(*at, id))
            .map(|(_, id)| id.clone())
            .collect()
    }

    /// Some thread had written it, and then synced without an error.
    fn durable_before(&self, at: usize, id: &str) -> bool {
        let before = &self.lines[..at];
        let written = before.iter().position(|line| line.contains("pwrite64(") && line.contains(id));
        written.is_some_and(|at| {
            let thread = before[at].split(' ').next().unwrap_or_default();
            before[at..]
                .iter()
                // "fsync(7) = 0", or "<... fsync resumed>) = 0" where another thread's call came in between.
                .any(|line| {
                    let synced = line.contains("sync(") || line.contains("sync resumed");
                    line.starts_with(thread) && synced && line.ends_with("= 0")
                })
        })
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
        "16384",
        "-o",
        &trace_name,
        "-e",
        "trace=fsync,fdatasync,pwrite64,sendto,writev,write",
        "-e",
        &inject,
    ];
    let started = stage.start(&words).await;
    let ready = started.is_ok();
    if let Some(mut server) = stage.server.take() {
        let mut connection = Connection::open(server.address()).await?;
        for number in 0..REQUESTS_MAX {
            let (id, phone) = (format!("acme-s{number:04}"), format!("48{:09}", 600_000_000 + u64::from(number) * 4));
            if stage.ask(&mut connection, 0, &id, &phone).await.is_err() {
                break;
            }
        }
        let status = server.ended(Duration::from_secs(10)).await.context("a sync failed and the server goes on")?;
        assert_eq!(status.code(), Some(SYNC_FAILED), "sync {n}: {status}\n{}", stage.site.log());
    }
    stage.died();
    let trace = Trace::read(&std::fs::read_to_string(&trace)?)?;
    let failed = trace.failed();
    println!("sync {n}: {} answered 200, then {failed}", stage.ledger.kept_count());
    let ids: Vec<String> = stage.ledger.copy().into_iter().map(|asked| asked.external_id).collect();
    assert_eq!(trace.answered_in_vain(&ids), Vec::<String>::new(), "sync {n}: answered before durable; {failed}");
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
