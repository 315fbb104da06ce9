//! The first thing anybody tries: one command, one message, delivered.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use harness::console;
use harness::http::Connection;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Nothing is in progress but the end of one message: whatever takes longer waits for nothing.
const STOPPED_WITHIN: Duration = Duration::from_secs(4);

#[tokio::test]
async fn demo_once() -> Result<()> {
    let output = console::posthorn_ok(&["demo", "--once", "--json", "--listen", "127.0.0.1:0"]).await?;
    let line = output.lines().last().context("it said nothing")?;
    let outcome: Value = serde_json::from_str(line)?;
    assert_eq!(outcome["delivered"], true, "{line}");
    assert_eq!((&outcome["event"]["event"], &outcome["event"]["status"]), (&json!("sms.status"), &json!(21)));
    Ok(())
}

#[tokio::test]
async fn demo_for_scripts() -> Result<()> {
    let mut demo = Command::new(console::binary()?)
        .args(["demo", "--json", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut line = String::new();
    BufReader::new(demo.stdout.take().context("no stdout")?).read_line(&mut line).await?;
    let ready: Value = serde_json::from_str(&line).context(line)?;
    let word =
        |name: &str| ready[name].as_str().with_context(|| format!("no {name} in the ready line")).map(str::to_owned);
    for name in ["dataDir", "operator", "webhookReceiver"] {
        word(name)?;
    }
    let address = word("baseUrl")?.trim_start_matches("http://").parse()?;
    let (authorization, application_key) = (word("authorization")?, word("applicationKey")?);
    let headers = [("authorization", authorization.as_str()), ("application-key", application_key.as_str())];
    let mut client = Connection::open(address).await?;
    let body = json!({"sender": word("sender")?, "message": "Hello", "phoneNumbers": ["48500100200"]}).to_string();
    let answer = client.call("POST", "/v2.1/sms", &headers, body.as_bytes()).await?;
    assert_eq!((answer.status, answer.envelope_faults()), (200, vec![]), "{}", String::from_utf8_lossy(&answer.body));

    // Short links work too, on an address of their own.
    let body = json!({"sender": word("sender")?, "message": "See https://example.com/x", "shortLink": true,
                      "phoneNumbers": ["48500100200"]});
    let answer = client.call("POST", "/v2.1/sms", &headers, body.to_string().as_bytes()).await?.json()?;
    let text = answer["data"][0]["message"].as_str().with_context(|| answer.to_string())?;
    let (domain, code) = text.trim_start_matches("See http://").split_once('/').context("no short link")?;
    let request = format!("GET /{code} HTTP/1.1\r\nhost: {domain}\r\nuser-agent: Mozilla/5.0\r\n\r\n");
    let opened = Connection::open(domain.parse()?).await?.raw(request.as_bytes()).await?;
    assert_eq!((opened.status, opened.header("location")), (302, Some("https://example.com/x")));

    let pid = Pid::from_raw(i32::try_from(demo.id().context("gone")?)?).context("pid 0")?;
    kill_process(pid, Signal::TERM)?;
    let status = tokio::time::timeout(STOPPED_WITHIN, demo.wait()).await.context("the demo does not end")??;
    assert!(status.success(), "{status}");
    Ok(())
}
