//! Answers by the customer's own code: what a webhook's answer says.

use domain::event::{Event, Payload};
use domain::limits::ANSWERS_PER_MESSAGE_MAX;
use domain::phone::Phone;
use domain::problem::Problem;
use serde::Deserialize;

use super::handle::TwoWay;
use super::stats::count;
use crate::accept::AnswerKind;

/// What a receiver may answer to `sms.incoming` events.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    reply: Option<String>,
    replies: Vec<Reply>,
}

/// One answer, to the only event of the call or to the one it names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Reply {
    Text(String),
    #[serde(rename_all = "camelCase")]
    Named {
        event_id: String,
        reply: String,
    },
}

impl TwoWay {
    /// Sends what a receiver answered to a call with these events; says in words what could not be sent.
    pub async fn replied(&self, events: &[std::sync::Arc<Event>], body: &[u8]) -> Option<String> {
        let incoming: Vec<&Event> =
            events.iter().map(|event| &**event).filter(|event| matches!(event.payload, Payload::Incoming(_))).collect();
        if incoming.is_empty() || !looks_like_object(body) {
            return None;
        }
        let replies = match read(&incoming, body) {
            Ok(replies) => replies,
            Err(reason) => {
                count(&self.0.stats.replies_unreadable);
                return Some(format!("told, but its reply was not sent: {reason}"));
            }
        };
        let mut refused = None;
        for (index, (event, text)) in replies.into_iter().enumerate() {
            if let Some(problem) = self.reply(event, text, index).await {
                refused = Some(format!("told, but its reply was refused: {} {}", problem.code(), problem.title()));
            }
        }
        refused
    }

    async fn reply(&self, event: &Event, text: String, index: usize) -> Option<Problem> {
        let Payload::Incoming(report) = &event.payload else { return None };
        let control = self.0.store.control();
        let account = control.account(event.account)?;
        let Ok(phone) = Phone::parse(&report.phone) else { return Some(Problem::RecipientInvalid) };
        let heard = self.0.guard.lock().hear(account.id, &report.number, phone, &report.message, self.0.clock.now());
        if heard.is_err() {
            count(&self.0.stats.silenced);
            return Some(Problem::TooManyRequests);
        }
        let reference = format!("two_way:{}-reply-{index}", event.id);
        self.send(account, &report.number, phone, text, reference, AnswerKind::Bot).await
    }
}

/// A body that is no JSON object is none of ours: receivers answer `OK`, HTML and anything else.
fn looks_like_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

fn read<'a>(incoming: &[&'a Event], body: &[u8]) -> Result<Vec<(&'a Event, String)>, String> {
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        format!(
            r#"expected {{"reply": "text"}} or {{"replies": ["text", {{"eventId": "…", "reply": "text"}}]}}: {error}"#
        )
    })?;
    let all: Vec<Reply> = body.reply.map(Reply::Text).into_iter().chain(body.replies).collect();
    if all.len() > ANSWERS_PER_MESSAGE_MAX * incoming.len() {
        return Err(format!("{} replies, allowed: {ANSWERS_PER_MESSAGE_MAX} for each event", all.len()));
    }
    let to_event = |reply| match reply {
        Reply::Named { event_id, reply } => {
            let named = incoming.iter().find(|event| event.id.to_string() == event_id);
            named.map(|event| (*event, reply)).ok_or_else(|| format!("no incoming event {event_id:?} in this call"))
        }
        Reply::Text(text) => match incoming {
            [only] => Ok((*only, text)),
            several => Err(format!(
                "the call has {} events, so each reply names its own: {{\"eventId\": \"…\", \"reply\": \"text\"}}",
                several.len()
            )),
        },
    };
    all.into_iter().map(to_event).collect()
}
