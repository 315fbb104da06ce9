//! The operations socket.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use web::operations::local::{AskError, Caller, Desk, Door, Lines, ask};

/// Counts up to what it is asked for.
struct Counter;

impl Desk for Counter {
    type Request = u64;

    async fn act(&self, request: u64, caller: &Caller, lines: &mut Lines) -> Result<Value, String> {
        for number in 1..request {
            if !lines.send(json!(number)).await {
                return Err("nobody listens".into());
            }
        }
        if request == 0 { Err("nothing to count".into()) } else { Ok(json!({ "last": request, "uid": caller.uid })) }
    }
}

struct Server {
    drain: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Server {
    fn start(data_dir: &Path) -> Self {
        let (drain, drained) = watch::channel(false);
        let running = tokio::spawn(Door::open(data_dir).unwrap().run(Arc::new(Counter), drained));
        Self { drain, running }
    }
}

async fn asked(data_dir: PathBuf, request: Value, take: usize) -> (Result<Value, AskError>, Vec<Value>) {
    let asking = move || {
        let mut lines = Vec::new();
        let outcome = ask(&data_dir, &request, |line| {
            lines.push(line.clone());
            lines.len() < take
        });
        (outcome, lines)
    };
    tokio::task::spawn_blocking(asking).await.unwrap()
}

#[tokio::test]
async fn lines_come_on_the_way_and_the_outcome_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(directory.path());
    let (outcome, lines) = asked(directory.path().into(), json!(4), usize::MAX).await;
    let outcome = outcome.unwrap();
    assert_eq!((outcome["last"].as_u64(), outcome["uid"].is_u64()), (Some(4), true));
    assert_eq!(lines, [json!(1), json!(2), json!(3)]);
    let (refused, _) = asked(directory.path().into(), json!(0), usize::MAX).await;
    assert_eq!(refused.unwrap_err().to_string(), "nothing to count");
    let (malformed, _) = asked(directory.path().into(), json!("a lot"), usize::MAX).await;
    assert!(malformed.unwrap_err().to_string().starts_with("this is no request"));
    let (left, lines) = asked(directory.path().into(), json!(1_000_000), 3).await;
    assert_eq!((left.unwrap(), lines.len()), (Value::Null, 3));
    server.drain.send_replace(true);
    server.running.await.unwrap();
    assert!(asked(directory.path().into(), json!(1), 1).await.0.unwrap_err().is_nobody_there());
}

#[tokio::test]
async fn the_socket_is_its_owners_alone_and_a_stale_one_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("operations.sock");
    drop(Door::open(directory.path()).unwrap());
    assert!(socket.exists(), "left behind as by a crash");
    let server = Server::start(directory.path());
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(asked(directory.path().into(), json!(1), 1).await.0.is_ok());
    server.drain.send_replace(true);
    server.running.await.unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_path_too_long_for_an_address_works_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let deep = directory.path().join("a-directory-with-a-name-that-is-long".repeat(5));
    std::fs::create_dir(&deep).unwrap();
    let _server = Server::start(&deep);
    assert!(asked(deep, json!(1), 1).await.0.is_ok());
}
