//! Planted texts, numbers and keys must not be found in logs or metrics, whatever goes wrong with them.

use std::time::Duration;

use anyhow::{Context, Result};
use harness::http::Connection;
use harness::stage::{Between, Stage};
use harness::wait;
use serde_json::json;

const CODE: &str = "canary-code-738512";
const NUMBER: &str = "48512345678";

/// Method, path, headers, body.
type Call<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn canary_leak() -> Result<()> {
    let mut stage = Stage::set("canary_leak", Between::default()).await?;
    let acme = stage.accounts[0].clone();
    let mut client = stage.connect().await?;
    let send = |message: &str, number: &str| {
        json!({"sender": "ACME", "message": message, "phoneNumbers": [number]}).to_string()
    };
    let wrong_key = format!("Canary0Wrong0Key{}", "7".repeat(48));
    let wrong = [("authorization", wrong_key.as_str()), ("application-key", "Canary0Application0Key")];
    let good = send(CODE, NUMBER);
    let refused = json!({"sender": CODE, "message": CODE, "phoneNumbers": [NUMBER]}).to_string();
    let query = format!("/v2.1/sms?phoneNumber={NUMBER}&status={CODE}");
    let in_the_path = format!("/v2.1/{CODE}?authorization={}", acme.authorization);
    stage.sink.answer_with(Some(500));
    let calls: [Call<'_>; 6] = [
        ("POST", "/v2.1/sms", &acme.headers(), &good),
        ("POST", "/v2.1/sms", &acme.headers(), &refused),
        ("POST", "/v2.1/sms", &acme.headers(), &good[..good.len() - 3]),
        ("POST", "/v2.1/sms", &wrong, &good),
        ("GET", &query, &acme.headers(), ""),
        ("GET", &in_the_path, &acme.headers(), ""),
    ];
    let mut statuses = Vec::new();
    for (method, path, headers, body) in calls {
        statuses.push(client.call(method, path, headers, body.as_bytes()).await?.status);
    }
    assert_eq!(statuses, [200, 422, 400, 401, 422, 404]);
    wait::until("a webhook failed", Duration::from_secs(10), || !stage.sink.told().is_empty()).await?;
    let operations =
        stage.server.as_ref().and_then(harness::server::Server::operations).context("no metrics listener")?;
    let metrics = Connection::open(operations).await?.call("GET", "/metrics", &[], b"").await?;
    assert_eq!(metrics.status, 200);
    drop(client);
    stage.stop().await?;

    let log = stage.site.log();
    assert!(log.lines().count() > calls.len(), "the log is silent, so this shows nothing");
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    let number_inside = &NUMBER[2..];
    for (name, secret) in [
        ("text", CODE),
        ("number", number_inside),
        ("key", &acme.authorization),
        ("application key", &acme.application_key),
        ("wrong key", &wrong_key),
        ("operator's password", "password = \"secret\""),
    ] {
        assert!(!log.contains(secret), "the {name} is in the log:\n{}", lines_with(&log, secret));
        assert!(!metrics.contains(secret), "the {name} is in the metrics:\n{}", lines_with(&metrics, secret));
    }
    Ok(())
}

fn lines_with(text: &str, secret: &str) -> String {
    text.lines().filter(|line| line.contains(secret)).take(3).collect::<Vec<_>>().join("\n")
}
