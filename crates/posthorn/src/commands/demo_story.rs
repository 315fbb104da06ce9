//! What the demo tells, one coloured line per event.

use std::fmt::Debug;

use serde_json::Value;
use simulator::operator::{Event, Outcome};
use simulator::webhook::Received;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer};

use crate::console::{Colour, paint};

/// What a simulated operator did.
pub fn operator_line(event: &Event) -> String {
    match event {
        Event::Submitted(part) => {
            let place =
                part.concatenation.map(|(_, total, number)| format!(" (part {number} of {total})")).unwrap_or_default();
            let verdict = match part.command_status {
                Some(0) => format!("taken as {}", part.id),
                Some(status) => format!("refused with {status:#06x}"),
                None => "not answered".to_owned(),
            };
            let arrow = paint(Colour::Blue, "submit_sm  → operator");
            format!("{} {arrow}  {} → {}{place}: {:?}, {verdict}", time(), part.source, part.destination, part.text)
        }
        Event::Receipt { id, recipient, outcome } => {
            let colour = if *outcome == Outcome::Delivered { Colour::Green } else { Colour::Yellow };
            let arrow = paint(colour, "receipt    ← operator");
            format!("{} {arrow}  {recipient} {outcome:?} (id {id})", time())
        }
    }
}

/// What a webhook receiver got.
pub fn webhook_line(received: &Received) -> String {
    let text = |field: &str| received.event[field].as_str().unwrap_or_default();
    let signatures = if received.verdict.is_good() { "signatures good" } else { "SIGNATURES WRONG" };
    let colour = if received.verdict.is_good() { Colour::Cyan } else { Colour::Red };
    let arrow = paint(colour, "webhook    → receiver");
    if text("event") == "sms.incoming" {
        let (from, number, message) = (text("phoneNumber"), text("number"), text("message"));
        return format!("{} {arrow}  sms.incoming {from} → {number}: {message:?}, {signatures}", time());
    }
    if text("event") == "sms.click" {
        let (phone, url) = (text("phoneNumber"), text("url"));
        return format!("{} {arrow}  sms.click {phone} opened {url}, {signatures}", time());
    }
    let status = &received.event["status"];
    format!(
        "{} {arrow}  {} {} status {status} {}, {signatures}",
        time(),
        text("event"),
        text("externalId"),
        text("statusDesc")
    )
}

fn time() -> String {
    let now = domain::timestamp::format_utc(domain::clock::Clock::system().now());
    paint(Colour::Dim, now.get(11..).unwrap_or_default())
}

/// Prints the API's own log lines as part of the story.
pub struct ApiLines;

impl<S: tracing::Subscriber> Layer<S> for ApiLines {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() != "web" {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let (Some(method), Some(path), Some(status)) =
            (fields.get("method"), fields.get("path"), fields.get("status"))
        {
            let good = status.starts_with('2');
            let arrow = paint(if good { Colour::Green } else { Colour::Red }, "request    → API     ");
            println!("{} {arrow}  {method} {path} {status} in {} µs", time(), fields.get("duration_us").unwrap_or("?"));
        }
    }
}

#[derive(Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }
}

/// The request of the printed curl line.
pub fn example_body(sender: &str) -> Value {
    serde_json::json!({ "sender": sender, "message": "Hello from Posthorn", "phoneNumbers": ["+48500100200"] })
}
