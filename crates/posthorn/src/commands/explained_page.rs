//! An explanation as it stands in a terminal.

use domain::clock::UnixMillis;
use domain::money::Money;
use domain::timestamp;
use serde_json::Value;

use crate::console::{Colour, paint};

/// A message that was sent.
pub(super) fn message(message: &Value) -> String {
    let mut page = Page(String::new());
    page.head(&format!(
        "{}  {} → {}",
        word(message, "externalId"),
        word(message, "sender"),
        word(message, "phoneNumber")
    ));
    page.outcome(message);
    page.line("lane", word(message, "lane"));
    page.line("text", &writing(message));
    page.line("price", &price(message));
    for part in items(message, "parts") {
        page.part(part);
    }
    page.route(&message["route"]);
    page.head("what happened (UTC)");
    let created = number(message, "acceptedTimeMs");
    page.step(created, (created, created), "accepted", "");
    let mut before = created;
    for step in items(message, "history") {
        let at = number(step, "timeMs");
        page.step(at, (created, before), word(step, "kind"), &happened(step));
        before = at;
    }
    page.0
}

/// A message that nobody has sent.
pub(super) fn foreseen(message: &Value) -> String {
    let mut page = Page(String::new());
    page.head(&format!(
        "{} → {} of {}",
        word(message, "sender"),
        word(message, "phoneNumber"),
        word(message, "account")
    ));
    match message["carrier"].as_str() {
        Some(carrier) => page.line("would", &paint(Colour::Green, &format!("be accepted and leave by {carrier}"))),
        None => page.line("would", &paint(Colour::Red, "be refused")),
    }
    for refusal in items(message, "refused") {
        let passed = Some(word(refusal, "value")).filter(|value| !value.is_empty());
        let passed = passed.map(|value| format!(" (passed: {value})")).unwrap_or_default();
        page.line(word(refusal, "code"), &format!("{}{passed}", word(refusal, "message")));
    }
    page.line("lane", word(message, "lane"));
    page.line("text", &writing(message));
    if message["smsPrice"].is_number() {
        page.line("price", &price(message));
    }
    page.route(&message["route"]);
    page.0
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn number(value: &Value, key: &str) -> i64 {
    value[key].as_i64().unwrap_or_default()
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn price(message: &Value) -> String {
    format!("{} (currency {})", Money(number(message, "smsPrice")), message["currency"])
}

/// How the text travels, and what forced it.
fn writing(message: &Value) -> String {
    let parts = number(message, "numberOfParts");
    let encoding = word(message, "encodingName");
    let forced: Vec<&str> = items(message, "forcingCharacters").iter().filter_map(Value::as_str).collect();
    let why = match (forced.is_empty(), encoding) {
        (true, _) => String::new(),
        (false, "UCS-2") => format!(" because of {}", forced.join(" ")),
        // National tables have them.
        (false, _) => format!(" in spite of {}", forced.join(" ")),
    };
    let plural = if parts == 1 { "part" } else { "parts" };
    format!("{encoding}{why}, {} units, {parts} {plural}", number(message, "numberOfUnits"))
}

/// A step in words.
fn happened(step: &Value) -> String {
    let with_space = |text: &str| if text.is_empty() { String::new() } else { format!("{text} ") };
    let carrier = with_space(word(step, "carrier"));
    let part = match number(step, "part") {
        0 => String::new(),
        part => format!("part {part} "),
    };
    let detail = word(step, "detail");
    let words = match word(step, "kind") {
        "submitted" if detail.is_empty() => format!("{carrier}took {part}and gave no id"),
        "submitted" => format!("{carrier}took {part}as {detail}"),
        "refused" => format!("{carrier}refused {part}with {detail}"),
        "unanswered" => format!("{carrier}did not answer for {part}in time"),
        "rerouted" => format!("moved to {carrier}({detail})"),
        "receipt" if detail.is_empty() => format!("{carrier}reported {part}"),
        "receipt" => format!("{carrier}reported {}, code {detail}", part.trim_end()),
        "ended" => format!("ended here: {detail}"),
        "purged" => format!("taken out of the queue: {detail}"),
        "told" => format!("webhook {detail}"),
        _ => detail.to_owned(),
    };
    let status = step["status"].as_u64().and_then(|code| u8::try_from(code).ok());
    let status = status.and_then(domain::state::Status::from_code);
    let status = status.map(|status| format!("⇒ {}", status.description())).unwrap_or_default();
    [words.trim_end(), &status].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

struct Page(String);

impl Page {
    fn head(&mut self, text: &str) {
        self.0.push_str(&paint(Colour::Bold, text));
        self.0.push('\n');
    }

    fn line(&mut self, name: &str, text: &str) {
        self.0.push_str(format!("  {name:<8} {text}").trim_end());
        self.0.push('\n');
    }

    fn outcome(&mut self, message: &Value) {
        let colour = match number(message, "status") {
            21 => Colour::Green,
            1 | 2 => Colour::Yellow,
            _ => Colour::Red,
        };
        let code = Some(word(message, "operatorErrorCode")).filter(|code| !code.is_empty());
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        let since = timestamp::format_utc(UnixMillis::from_seconds(number(message, "statusTime")));
        self.line("status", &format!("{}{code} since {since}", paint(colour, word(message, "statusDesc"))));
    }

    fn part(&mut self, part: &Value) {
        let id = Some(word(part, "operatorId")).filter(|id| !id.is_empty());
        let id = id.map(|id| format!(", {id} at {}", word(part, "carrier"))).unwrap_or_default();
        self.line(&format!("part {}", part["part"]), &format!("{}{id}", word(part, "state")));
    }

    fn route(&mut self, route: &Value) {
        self.head("ways that were considered");
        self.line("", word(route, "note"));
        if route["network"]["code"].is_string() {
            let network = &route["network"];
            let source = word(network, "source").replace('_', " ");
            self.line("network", &format!("{}, known from {source}", word(network, "code")));
        }
        let steps = items(route, "considered");
        if steps.is_empty() {
            self.line("", "no route leads to this number");
        }
        let width = |key: &str| steps.iter().map(|step| word(step, key).chars().count()).max().unwrap_or(0);
        let (targets, carriers) = (width("target"), width("carrier"));
        for step in steps {
            let is_taken = matches!(word(step, "ruling"), "taken" | "probe" | "last_resort");
            let mark = if is_taken { paint(Colour::Green, "→") } else { "·".into() };
            let price = Money(number(step, "price"));
            let (target, carrier) = (word(step, "target"), word(step, "carrier"));
            let way = format!("  {mark} {target:<targets$}  {carrier:<carriers$}  {price}");
            self.0.push_str(&format!("{way}  {}\n", word(step, "reason")));
        }
    }

    /// `since`: when the message was accepted, and when the step before this one happened.
    fn step(&mut self, at_ms: i64, (created, before): (i64, i64), kind: &str, detail: &str) {
        let colour = match kind {
            "refused" | "unanswered" | "ended" | "purged" => Colour::Red,
            "rerouted" => Colour::Yellow,
            _ => Colour::Dim,
        };
        // The day stands where it is not the one before.
        let whole = timestamp::format_utc(UnixMillis(at_ms));
        let day = whole.get(..10).unwrap_or_default();
        if at_ms == created && before == created || !timestamp::format_utc(UnixMillis(before)).starts_with(day) {
            self.line(day, "");
        }
        let clock = format!("{}.{:03}", whole.get(11..).unwrap_or_default(), at_ms.rem_euclid(1_000));
        let after = at_ms - created;
        let after = if after > 0 { format!("+{}.{:03} s", after / 1_000, after % 1_000) } else { String::new() };
        let kind = paint(colour, &format!("{kind:<10}"));
        self.0.push_str(format!("  {clock} {after:>12}  {kind} {detail}").trim_end());
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_everything_in_words() {
        let sent = serde_json::json!({
            "externalId": "otp-1", "phoneNumber": "48500***200", "sender": "ACME", "status": 21, "statusDesc": "Delivered",
            "statusTime": 1_795_342_503, "acceptedTimeMs": 1_795_342_500_000_i64, "lane": "priority", "encodingName": "UCS-2",
            "numberOfParts": 1, "numberOfUnits": 6, "forcingCharacters": ["ż"], "smsPrice": 700, "currency": 985,
            "parts": [{"part": 1, "state": "delivered", "carrier": "two", "operatorId": "77"}],
            "route": {"note": "Now.", "network": {"code": "26003", "source": "number_range"}, "considered": [
                {"target": "48500*", "price": 700, "ruling": "other_lane", "reason": "for the other lane"},
                {"target": "48*", "price": 700, "carrier": "one", "ruling": "down", "reason": "none of its binds is bound"},
                {"target": "48*", "price": 700, "carrier": "two", "ruling": "taken", "reason": "this way"},
            ]},
            "history": [
                {"timeMs": 1_795_342_500_100_i64, "kind": "refused", "part": 1, "carrier": "one", "detail": "0x0008"},
                {"timeMs": 1_795_342_500_900_i64, "kind": "rerouted", "carrier": "two", "detail": "down"},
                {"timeMs": 1_795_342_501_250_i64, "kind": "submitted", "part": 1, "carrier": "two", "status": 2, "detail": "77"},
                {"timeMs": 1_795_392_503_000_i64, "kind": "receipt", "part": 1, "carrier": "two", "status": 21, "detail": "000"},
            ],
        });
        let expected = "\
otp-1  ACME → 48500***200
  status   Delivered since 2026-11-22 10:15:03
  lane     priority
  text     UCS-2 because of ż, 6 units, 1 part
  price    0.0700 (currency 985)
  part 1   delivered, 77 at two
ways that were considered
           Now.
  network  26003, known from number range
  · 48500*       0.0700  for the other lane
  · 48*     one  0.0700  none of its binds is bound
  → 48*     two  0.0700  this way
what happened (UTC)
  2026-11-22
  10:15:00.000               accepted
  10:15:00.100     +0.100 s  refused    one refused part 1 with 0x0008
  10:15:00.900     +0.900 s  rerouted   moved to two (down)
  10:15:01.250     +1.250 s  submitted  two took part 1 as 77 ⇒ Sent
  2026-11-23
  00:08:23.000 +50003.000 s  receipt    two reported part 1, code 000 ⇒ Delivered
";
        assert_eq!(message(&sent), expected);
    }

    #[test]
    fn what_would_be_refused_says_why_and_which_ways_there_are() {
        let unsent = serde_json::json!({
            "phoneNumber": "+48500100200", "sender": "ACME", "account": "acme", "lane": "standard", "encodingName": "GSM-7",
            "numberOfParts": 2, "numberOfUnits": 200, "forcingCharacters": [], "currency": 985,
            "refused": [{"code": "E-4-011", "message": "No route.", "value": "48500100200"}],
            "route": {"note": "Now.", "considered": []},
        });
        let expected = "\
ACME → +48500100200 of acme
  would    be refused
  E-4-011  No route. (passed: 48500100200)
  lane     standard
  text     GSM-7, 200 units, 2 parts
ways that were considered
           Now.
           no route leads to this number
";
        assert_eq!(foreseen(&unsent), expected);
    }
}
