//! Which paths there are and what they answer to.

use hyper::Method;

/// A path of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Sms,
    Statuses,
    Senders,
    Preview,
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
    use Resource::{Preview, Senders, Sms, Statuses};
    let path = path.strip_suffix('/').unwrap_or(path);
    let (resource, template) = match path {
        "/v2.1/sms" => (Sms, "/v2.1/sms"),
        "/v2.1/sms/statuses" => (Statuses, "/v2.1/sms/statuses"),
        "/v2.1/sms/senders" => (Senders, "/v2.1/sms/senders"),
        "/v2.1/sms/preview" => (Preview, "/v2.1/sms/preview"),
        "/v2/sms" => (Sms, "/v2/sms"),
        "/v2/sms/statuses" => (Statuses, "/v2/sms/statuses"),
        "/v2/sms/senders" => (Senders, "/v2/sms/senders"),
        "/v2/sms/preview" => (Preview, "/v2/sms/preview"),
        _ => return None,
    };
    Some(Target { resource, template })
}

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
            _ => return None,
        })
    }

    /// The `Allow` header of a 405.
    pub(super) fn allow(self) -> &'static str {
        match self {
            Self::Sms => "GET, POST, DELETE",
            Self::Statuses => "GET",
            Self::Senders => "OPTIONS, GET",
            Self::Preview => "POST",
        }
    }
}
