//! Signatures under rotation, against three verifiers that others wrote.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use domain::clock::Clock;
use domain::control::{PreviousSecrets, Secret};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::time::sleep;

use super::receiver::{Received, receiver, status};
use super::support::{MemoryOutbox, Running, account, endpoint, loopback};

const PYTHON: &str = "standardwebhooks==1.1.0";
const NODE: &str = "standardwebhooks@1.1.1";
const OLD: &str = "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk";
const NEW: &str = "whsec_bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3";

const PYTHON_SCRIPT: &str = "
import json, sys
from standardwebhooks.webhooks import Webhook
for line in sys.stdin:
    case = json.loads(line)
    try:
        Webhook(case['secret']).verify(case['body'], case['headers'])
        print('true')
    except Exception:
        print('false')
";
const NODE_SCRIPT: &str = "
const { Webhook } = require('standardwebhooks');
const lines = require('fs').readFileSync(0, 'utf8').split('\\n').filter(Boolean);
for (const line of lines) {
  const { secret, body, headers } = JSON.parse(line);
  try { new Webhook(secret).verify(body, headers); console.log('true'); } catch { console.log('false'); }
}
";

fn python(script: &str) -> Command {
    let mut command = foreign::python(PYTHON);
    command.args(["-c", script]);
    command
}

fn node(script: &str) -> Command {
    let mut command = foreign::node(NODE);
    command.args(["-e", script]);
    command
}

/// What a verifier in another language says of each case.
fn judge(mut command: Command, cases: &[Value]) -> Vec<bool> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(|line| line == "true").collect()
}

fn case(received: &Received, secret: &str) -> Value {
    let headers: serde_json::Map<String, Value> = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .into_iter()
        .map(|name| (name.to_owned(), json!(received.header(name))))
        .collect();
    json!({ "secret": secret, "body": String::from_utf8(received.body.to_vec()).unwrap(), "headers": headers })
}

#[tokio::test]
async fn h6_wh_signature_rotation() {
    let (url, log) = receiver(|_, _| status(200)).await;
    let with = |secret: &str, previous: Option<PreviousSecrets>| {
        let signing_secret = Secret::new(secret);
        account(domain::control::Endpoint { signing_secret, previous, ..endpoint(1, &url) })
    };
    let running = Running::start(MemoryOutbox::new(vec![with(OLD, None)]), loopback());
    let load = async |rounds: usize| {
        for _ in 0..rounds {
            running.tell(1, 3);
            sleep(Duration::from_millis(2)).await;
        }
        running.all_ended().await;
        log.lock().len()
    };
    let before = load(30).await;
    let until = Clock::system().now().plus_ms(3_600_000);
    let secret_key = Secret::default();
    let previous = PreviousSecrets { secret_key: secret_key.clone(), signing_secret: Secret::new(OLD), until };
    running.outbox.set_control(2, vec![with(NEW, Some(previous))]);
    let during = load(60).await;
    let over = PreviousSecrets { secret_key, signing_secret: Secret::new(OLD), until: Clock::system().now() };
    running.outbox.set_control(3, vec![with(NEW, Some(over))]);
    let after = load(30).await;
    assert!(0 < before && before < during && during < after);

    let log = log.lock();
    let (mut cases, mut expected) = (Vec::new(), Vec::new());
    for (number, received) in log.iter().enumerate() {
        for (secret, valid) in [(OLD, number < during), (NEW, number >= before)] {
            cases.push(case(received, secret));
            expected.push(valid);
        }
        // Octets that were changed on the way, and another one's secret.
        let mut forged = case(received, NEW);
        forged["body"] = json!(format!("{} ", forged["body"].as_str().unwrap()));
        cases.extend([forged, case(received, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]);
        expected.extend([false, false]);
    }
    let in_rust: Vec<bool> = log
        .iter()
        .flat_map(|received| {
            [OLD, NEW].map(|secret| Webhook::new(secret).unwrap().verify(&received.body, &received.headers).is_ok())
        })
        .collect();
    let of_ours: Vec<bool> = expected.chunks(4).flat_map(|four| [four[0], four[1]]).collect();
    assert_eq!(in_rust, of_ours, "crates.io standardwebhooks");
    assert_eq!(judge(python(PYTHON_SCRIPT), &cases), expected, "PyPI {PYTHON}");
    assert_eq!(judge(node(NODE_SCRIPT), &cases), expected, "npm {NODE}");
}
