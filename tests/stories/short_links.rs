//! A message with short links goes out, its links are opened, the server is killed, and nothing is forgotten.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::http::{Answer, Connection};
use harness::stage::{Between, Stage};
use harness::wait;
use serde_json::json;

const LINKS: &str = "\n[links]\ndomain = \"s.example.com\"\nlisten = \"127.0.0.1:0\"\n";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148";
/// A redirect waits so long for its click to be durable: one that was faster did not give up waiting.
const DURABLE: Duration = Duration::from_millis(2);

async fn open(connection: &mut Connection, method: &str, code: &str, agent: &str) -> Result<Answer> {
    let request = format!("{method} /{code} HTTP/1.1\r\nhost: s.example.com\r\nuser-agent: {agent}\r\n\r\n");
    connection.raw(request.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_links() -> Result<()> {
    let mut stage = Stage::set("short_links", Between { store_keys: LINKS, ..Between::default() }).await?;
    let acme = stage.accounts[0].clone();
    let mut client = stage.connect().await?;
    let phones = ["48600000001", "48600000002", "48600000003"];
    let text = "Two: https://a.example/one?x=1 and http://b.example/two.";
    let body =
        json!({"sender": "ACME", "message": text, "phoneNumbers": phones, "externalId": "links", "shortLink": true});
    let sent = client.call("POST", "/v2.1/sms", &acme.headers(), body.to_string().as_bytes()).await?;
    assert_eq!((sent.status, sent.envelope_faults()), (200, vec![]), "{}", String::from_utf8_lossy(&sent.body));

    // The operator got for each recipient the text that the list shows for him.
    wait::until("all are submitted", Duration::from_secs(60), || stage.operator.books().submitted_count() >= 3).await?;
    let (submitted, _) = stage.operator.books().copy();
    let listed = client.call("GET", "/v2.1/sms", &acme.headers(), b"").await?.json()?;
    let mut codes = Vec::new();
    for item in listed["data"].as_array().context("data")? {
        let phone = item["phoneNumber"].as_str().context("a number")?.trim_start_matches('+').to_owned();
        let text = item["message"].as_str().context("a text")?;
        let on_air = submitted.iter().find(|submit| submit.destination == phone).context("not submitted")?;
        assert_eq!(on_air.text, text, "{phone}");
        let own: Vec<&str> = text.split("https://s.example.com/").skip(1).map(|rest| &rest[..12]).collect();
        assert_eq!(text, format!("Two: https://s.example.com/{} and https://s.example.com/{}.", own[0], own[1]));
        codes.extend(own.iter().map(|code| (phone.clone(), (*code).to_owned())));
    }
    let different: HashSet<&String> = codes.iter().map(|(_, code)| code).collect();
    assert_eq!(different.len(), 6, "every recipient has links of his own");

    // People and programs open them.
    let targets = ["https://a.example/one?x=1", "http://b.example/two"];
    let mut durable = 0;
    for (index, (_, code)) in codes.iter().enumerate() {
        let preview = open(&mut client, "GET", code, "WhatsApp/2.23.20.0 A").await?;
        let started = Instant::now();
        let opened = open(&mut client, "GET", code, PHONE).await?;
        // Clicks are recorded in their order: with one of them all before it are durable.
        durable = if started.elapsed() < DURABLE { index + 1 } else { durable };
        for answer in [preview, opened] {
            assert_eq!((answer.status, answer.header("location")), (302, Some(targets[index % 2])), "{code}");
        }
    }
    let unknown = open(&mut client, "GET", "aaaaaaaaaaaa", PHONE).await?;
    assert_eq!((unknown.status, unknown.envelope_faults()), (404, vec![]));
    stage.kill().await?;
    stage.start(&[]).await?;

    // What was answered was kept, and the links go on working.
    let mut client = stage.connect().await?;
    let clicks = client.call("GET", "/v2.1/sms/clicks?onlyCounted=1", &acme.headers(), b"").await?.json()?;
    let clicks = clicks["data"].as_array().cloned().unwrap_or_default();
    assert!((durable..=6).contains(&clicks.len()), "{} of at least {durable} clicks are there", clicks.len());
    for click in &clicks {
        assert_eq!((&click["agent"], &click["network"]), (&json!("phone"), &json!("127.0.0.0/24")));
        assert!(targets.contains(&click["url"].as_str().unwrap_or_default()), "{click}");
    }
    // Each of them is told, and the previews are not.
    let told = || -> HashSet<String> {
        let clicks = stage.sink.told().into_iter().filter(|told| told.account == "acme-clicks" && told.answered == 200);
        clicks
            .map(|told| {
                assert!(targets.contains(&told.url.as_str()) && told.external_id.starts_with("links-000"), "{told:?}");
                assert!(codes.iter().any(|(phone, _)| *phone == told.phone), "{told:?}");
                told.event_id
            })
            .collect()
    };
    wait::until("every click is told", Duration::from_secs(60), || told().len() >= clicks.len()).await?;
    assert_eq!(told().len(), clicks.len());

    let again = open(&mut client, "GET", &codes[0].1, PHONE).await?;
    assert_eq!(again.header("location"), Some(targets[0]));
    let stranger = client.call("GET", "/v2.1/sms/clicks", &stage.accounts[1].headers(), b"").await?;
    assert_eq!(stranger.status, 404, "a neighbour's clicks must not be found");
    stage.stop().await
}
