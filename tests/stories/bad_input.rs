//! Everything a client can get wrong: an envelope with the right status, one line in the log, nothing half done.

use anyhow::Result;
use harness::http::{Answer, Connection};
use harness::setup::Account;
use harness::stage::{Between, Stage};
use serde_json::{Value, json};

/// What is sent and what has to come back.
struct Case {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
}

impl Case {
    fn send(name: &'static str, body: impl Into<Vec<u8>>, status: u16, code: &'static str) -> Self {
        Self { name, method: "POST", path: "/v2.1/sms", body: body.into(), status, code }
    }

    /// A good request with one field changed.
    fn field(name: &'static str, field: &str, value: Value, status: u16, code: &'static str) -> Self {
        let mut body = json!({"sender": "ACME", "message": "hi", "phoneNumbers": ["48500000004"]});
        body[field] = value;
        Self::send(name, body.to_string(), status, code)
    }

    fn get(name: &'static str, path: &'static str, status: u16, code: &'static str) -> Self {
        Self { name, method: "GET", path, body: Vec::new(), status, code }
    }
}

fn bodies() -> Vec<Case> {
    let deep = format!("{{\"sender\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("{{\"message\":\"{}\"}}", "x".repeat(10 * 1024 * 1024 + 1));
    vec![
        Case::send("empty", "", 400, "E-1-001"),
        Case::send("truncated", "{\"sender\": \"AC", 400, "E-1-001"),
        Case::send("no object", "[1]", 400, "E-1-001"),
        Case::send("no JSON", "sender=ACME", 400, "E-1-001"),
        Case::send("something after it", "{} {}", 400, "E-1-001"),
        Case::send("no UTF-8", b"{\"sender\":\"\xff\xfe\"}".as_slice(), 400, "E-1-001"),
        Case::send("a surrogate alone", "{\"sender\":\"\\ud800\"}", 400, "E-1-001"),
        Case::send("nested too deep", deep, 400, "E-1-001"),
        Case::send("too large", large, 413, "E-1-006"),
        Case::send("no fields", "{}", 422, "E-4-001"),
    ]
}

fn fields() -> Vec<Case> {
    let in_a_year = 1_900_000_000_i64;
    vec![
        Case::field("sender of another account", "sender", json!("GLOBEX"), 422, "E-4-004"),
        Case::field("sender with a line break", "sender", json!("AC\nME"), 422, "E-4-003"),
        Case::field("sender is a number", "sender", json!(7), 422, "E-4-002"),
        Case::field("no text", "message", json!(""), 422, "E-4-005"),
        Case::field("text is null", "message", Value::Null, 422, "E-4-001"),
        Case::field("ten parts", "message", json!("x".repeat(1_378)), 422, "E-4-006"),
        Case::field("no numbers", "phoneNumbers", json!([]), 422, "E-4-007"),
        Case::field("too many numbers", "phoneNumbers", json!(vec!["48500000004"; 10_001]), 422, "E-4-008"),
        Case::field("a number that is none", "phoneNumbers", json!(["hello"]), 422, "E-4-009"),
        Case::field("a number as a number", "phoneNumbers", json!([48_500_000_004_u64]), 422, "E-4-002"),
        Case::field("nobody goes there", "phoneNumbers", json!(["99500000004"]), 422, "E-4-011"),
        Case::field("validity as text", "validity", json!("60"), 422, "E-4-002"),
        Case::field("validity too long", "validity", json!(4_321), 422, "E-4-012"),
        Case::field("scheduled too far ahead", "scheduleTime", json!(in_a_year), 422, "E-4-013"),
        Case::field("scheduled before time began", "scheduleTime", json!(-1), 422, "E-4-020"),
        Case::field("unknown type", "type", json!(2), 422, "E-4-014"),
        Case::field("externalId with a space", "externalId", json!("a b"), 422, "E-4-015"),
        Case::field("webhook into the own network", "webhookUrl", json!("http://10.0.0.1/"), 422, "E-4-016"),
        Case::field("webhook that is no URL", "webhookUrl", json!("hooks"), 422, "E-4-016"),
        Case::field("short links without a domain", "shortLink", json!(true), 422, "E-4-017"),
    ]
}

fn reads() -> Vec<Case> {
    vec![
        Case::get("nothing there", "/v2.1/sms", 404, "E-5-001"),
        Case::get("limit too large", "/v2.1/sms?limit=1001", 422, "E-4-018"),
        Case::get("limit is a word", "/v2.1/sms?limit=all", 422, "E-4-018"),
        Case::get("unknown order", "/v2.1/sms?orderBy=colour", 422, "E-4-018"),
        Case::get("a date that is none", "/v2.1/sms?dateFrom=yesterday", 422, "E-4-018"),
        Case::get("a cursor of somebody's own", "/v2.1/sms?cursor=AAAA", 422, "E-4-018"),
        Case::get("a path that is none", "/v2.1/nothing", 404, "E-1-004"),
        Case::get("up and out", "/v2.1/../../etc/passwd", 404, "E-1-004"),
        Case { method: "PUT", ..Case::get("a method that is none", "/v2.1/sms", 405, "E-1-005") },
        Case { method: "GET", ..Case::get("reading a preview", "/v2.1/sms/preview", 405, "E-1-005") },
    ]
}

async fn ask(stage: &Stage, account: &Account, case: &Case) -> Result<Answer> {
    // A connection each: some answers rightly end theirs.
    let mut connection = Connection::open(stage.address()).await?;
    connection.call(case.method, case.path, &account.headers(), &case.body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input() -> Result<()> {
    let mut stage = Stage::set("bad_input", Between::default()).await?;
    let acme = stage.accounts[0].clone();
    let mut wrong = Vec::new();
    let mut ids = Vec::new();
    for case in bodies().into_iter().chain(fields()).chain(reads()) {
        let answer = match ask(&stage, &acme, &case).await {
            Ok(answer) => answer,
            Err(error) => {
                wrong.push(format!("{}: {error:#}", case.name));
                continue;
            }
        };
        let json = answer.json().unwrap_or_default();
        let code = json["errors"][0]["code"].as_str().unwrap_or_default();
        if (answer.status, code) != (case.status, case.code) {
            wrong.push(format!("{}: {} {code}, not {} {}", case.name, answer.status, case.status, case.code));
        }
        wrong.extend(answer.envelope_faults().into_iter().map(|fault| format!("{}: {fault}", case.name)));
        ids.push((case.name, json["meta"]["uniqId"].as_str().unwrap_or_default().to_owned()));
    }
    let mut client = stage.connect().await?;
    let unchanged = client.call("GET", "/v2.1/sms", &acme.headers(), b"").await?;
    assert_eq!(unchanged.status, 404, "something was kept: {}", String::from_utf8_lossy(&unchanged.body));
    let good = stage.ask(&mut client, 0, "acme-1", "48500000004").await?;
    assert_eq!(good.status, 200, "a good request after all that");
    drop(client);
    stage.judged().await?;

    let log = stage.site.log();
    for (name, id) in ids {
        let lines = log.lines().filter(|line| line.contains(&id)).count();
        if id.is_empty() || lines != 1 {
            wrong.push(format!("{name}: {lines} lines in the log"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
