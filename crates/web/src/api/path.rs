//! Which paths there are and what they answer to.

use std::borrow::Cow;

use domain::limits::EXTERNAL_ID_LENGTH_MAX;
use hyper::Method;

use super::query::decode;

/// A path of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Sms,
    Statuses,
    Senders,
    Preview,
    Hlr,
    Incoming,
    Conversation,
    OptOuts,
    Talks,
    Events,
    DeadEvents,
    Replay,
    Clicks,
    Webhooks,
    TestWebhook,
    EnableWebhook,
    Attempts,
    Explain,
}

/// What to do for a path and a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Send,
    List,
    Cancel,
    Statuses,
    Senders,
    Preview,
    Hlr,
    Incoming,
    Conversation,
    OptOuts,
    AddOptOuts,
    RemoveOptOuts,
    Talks,
    EndTalk,
    Events,
    DeadEvents,
    Replay,
    Clicks,
    Webhooks,
    TestWebhook,
    EnableWebhook,
    Attempts,
    Explain,
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub resource: Resource,
    /// The path as it is logged and counted, without anything a client made up.
    pub template: &'static str,
}

/// Finds the path; `/v2` answers the same as `/v2.1`, and one slash at the end is forgiven.
pub(super) fn find(path: &str) -> Option<Target> {
    use Resource::{
        Attempts, Clicks, Conversation, DeadEvents, EnableWebhook, Events, Explain, Hlr, Incoming, OptOuts, Preview,
        Replay, Senders, Sms, Statuses, Talks, TestWebhook, Webhooks,
    };
    let path = path.strip_suffix('/').unwrap_or(path);
    let (resource, template) = match path {
        "/v2.1/sms" => (Sms, "/v2.1/sms"),
        "/v2.1/sms/statuses" => (Statuses, "/v2.1/sms/statuses"),
        "/v2.1/sms/senders" => (Senders, "/v2.1/sms/senders"),
        "/v2.1/sms/preview" => (Preview, "/v2.1/sms/preview"),
        "/v2.1/sms/hlr" => (Hlr, "/v2.1/sms/hlr"),
        "/v2.1/sms/clicks" => (Clicks, "/v2.1/sms/clicks"),
        "/v2/sms" => (Sms, "/v2/sms"),
        "/v2/sms/statuses" => (Statuses, "/v2/sms/statuses"),
        "/v2/sms/senders" => (Senders, "/v2/sms/senders"),
        "/v2/sms/hlr" => (Hlr, "/v2/sms/hlr"),
        "/v2/sms/preview" => (Preview, "/v2/sms/preview"),
        "/v2.1/sms/incoming" => (Incoming, "/v2.1/sms/incoming"),
        "/v2.1/optouts" => (OptOuts, "/v2.1/optouts"),
        "/v2.1/talks" => (Talks, "/v2.1/talks"),
        "/v2/talks" => (Talks, "/v2/talks"),
        "/v2/sms/incoming" => (Incoming, "/v2/sms/incoming"),
        "/v2/optouts" => (OptOuts, "/v2/optouts"),
        "/v2.1/events" => (Events, "/v2.1/events"),
        "/v2.1/events/dead" => (DeadEvents, "/v2.1/events/dead"),
        "/v2.1/events/replay" => (Replay, "/v2.1/events/replay"),
        "/v2.1/webhooks" => (Webhooks, "/v2.1/webhooks"),
        "/v2.1/webhooks/test" => (TestWebhook, "/v2.1/webhooks/test"),
        "/v2.1/webhooks/enable" => (EnableWebhook, "/v2.1/webhooks/enable"),
        "/v2.1/webhooks/attempts" => (Attempts, "/v2.1/webhooks/attempts"),
        "/v2/webhooks" => (Webhooks, "/v2/webhooks"),
        "/v2/webhooks/test" => (TestWebhook, "/v2/webhooks/test"),
        "/v2/webhooks/enable" => (EnableWebhook, "/v2/webhooks/enable"),
        "/v2/webhooks/attempts" => (Attempts, "/v2/webhooks/attempts"),
        "/v2/events" => (Events, "/v2/events"),
        "/v2/events/dead" => (DeadEvents, "/v2/events/dead"),
        "/v2/events/replay" => (Replay, "/v2/events/replay"),
        "/v2/sms/clicks" => (Clicks, "/v2/sms/clicks"),
        path if is_conversation(path, "/v2.1/") => (Conversation, "/v2.1/conversations/{number}/{phone}"),
        path if is_conversation(path, "/v2/") => (Conversation, "/v2/conversations/{number}/{phone}"),
        _ if explained_id(path).is_some() && path.starts_with("/v2.1/") => (Explain, "/v2.1/sms/{externalId}/explain"),
        _ if explained_id(path).is_some() => (Explain, "/v2/sms/{externalId}/explain"),
        _ => return None,
    };
    Some(Target { resource, template })
}

/// Whether it is `conversations/` and two names.
fn is_conversation(path: &str, version: &str) -> bool {
    let names = path.strip_prefix(version).and_then(|path| path.strip_prefix("conversations/"));
    names.is_some_and(|names| names.split('/').count() == 2 && names.split('/').all(|name| !name.is_empty()))
}

/// The externalId in `/v2.1/sms/{externalId}/explain`, as far as its characters may be one's.
pub(super) fn explained_id(path: &str) -> Option<Cow<'_, str>> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let rest = path.strip_prefix("/v2.1/sms/").or_else(|| path.strip_prefix("/v2/sms/"))?;
    let id = decode(rest.strip_suffix("/explain")?)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (!id.is_empty() && id.len() <= REFERENCE_LENGTH_MAX && id.bytes().all(allowed)).then_some(id)
}

/// An externalId with its sign in front and the number of a recipient behind.
const REFERENCE_LENGTH_MAX: usize = EXTERNAL_ID_LENGTH_MAX + "C-".len() + "-10000".len();

impl Resource {
    /// What the method does here; `None` is a 405.
    pub(super) fn action(self, method: &Method) -> Option<Action> {
        Some(match (self, method) {
            (Self::Sms, &Method::POST) => Action::Send,
            (Self::Sms, &Method::GET) => Action::List,
            (Self::Sms, &Method::DELETE) => Action::Cancel,
            (Self::Statuses, &Method::GET) => Action::Statuses,
            // The contract asks for OPTIONS: there is no CORS here that could swallow it.
            (Self::Senders, &Method::OPTIONS | &Method::GET) => Action::Senders,
            (Self::Preview, &Method::POST) => Action::Preview,
            (Self::Hlr, &Method::POST) => Action::Hlr,
            (Self::Incoming, &Method::GET) => Action::Incoming,
            (Self::Conversation, &Method::GET) => Action::Conversation,
            (Self::OptOuts, &Method::GET) => Action::OptOuts,
            (Self::OptOuts, &Method::POST) => Action::AddOptOuts,
            (Self::OptOuts, &Method::DELETE) => Action::RemoveOptOuts,
            (Self::Talks, &Method::GET) => Action::Talks,
            (Self::Talks, &Method::DELETE) => Action::EndTalk,
            (Self::Events, &Method::GET) => Action::Events,
            (Self::DeadEvents, &Method::GET) => Action::DeadEvents,
            (Self::Replay, &Method::POST) => Action::Replay,
            (Self::Clicks, &Method::GET) => Action::Clicks,
            (Self::Webhooks, &Method::GET) => Action::Webhooks,
            (Self::TestWebhook, &Method::POST) => Action::TestWebhook,
            (Self::EnableWebhook, &Method::POST) => Action::EnableWebhook,
            (Self::Attempts, &Method::GET) => Action::Attempts,
            (Self::Explain, &Method::GET) => Action::Explain,
            _ => return None,
        })
    }

    /// The `Allow` header of a 405.
    pub(super) fn allow(self) -> &'static str {
        match self {
            Self::Sms | Self::OptOuts => "GET, POST, DELETE",
            Self::Statuses
            | Self::Clicks
            | Self::Incoming
            | Self::Conversation
            | Self::Events
            | Self::DeadEvents
            | Self::Webhooks
            | Self::Attempts
            | Self::Explain => "GET",
            Self::Talks => "GET, DELETE",
            Self::Senders => "OPTIONS, GET",
            Self::Preview | Self::Hlr | Self::Replay | Self::TestWebhook | Self::EnableWebhook => "POST",
        }
    }
}
