//! A request from its headers to its answer.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::clock::Clock;
use domain::control::Account;
use domain::limits::{HEADERS_MAX, IDEMPOTENCY_LIFE_MS};
use domain::permission::Permission;
use domain::problem::Problem;
use domain::random::Random;
use http_body_util::Full;
use hyper::body::Body;
use hyper::http::request::Parts;
use hyper::{Request, Response};

use super::call::{Call, check_content_type};
use super::outcome::{LogLine, Outcomes};
use super::path::{self, Action, Resource};
use super::v2_1::{
    attempts, cancel, clicks, conversation, dead_events, events, explain, hlr, incoming, list, opt_outs, preview,
    replay, send, senders, statuses, talks, webhooks,
};
use crate::auth::{Attempts, Caller, ClientAddress, TrustedProxies, WINDOW_SECONDS, WRONG_KEYS_MAX, verify};
use crate::backend::Backend;
use crate::body::{self, DISCARD_UNKNOWN_MS, DISCARD_UNKNOWN_OCTETS_MAX, Reader};
use crate::envelope::{Answer, Rejection, UniqId, UniqIds};
use crate::serve::{Handler, Origin, close_after};

/// What the API is set up with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Limits of a request body.
    pub body: body::Limits,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// How long the store recognises a repeated externalId or Idempotency-Key, in milliseconds.
    pub idempotency_life_ms: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body: body::Limits::default(),
            trusted_proxies: TrustedProxies::default(),
            idempotency_life_ms: IDEMPOTENCY_LIFE_MS,
        }
    }
}

/// The SMS API over a backend.
pub struct Api<B> {
    backend: B,
    clock: Clock,
    uniq_ids: UniqIds,
    attempts: Attempts,
    bodies: Reader,
    trusted_proxies: TrustedProxies,
    idempotency_life_ms: i64,
    outcomes: Arc<Outcomes>,
}

impl<B: Backend> Api<B> {
    /// An API over `backend`.
    #[must_use]
    pub fn new(backend: B, clock: Clock, random: &Random, options: Options) -> Self {
        Self {
            backend,
            clock,
            uniq_ids: UniqIds::new(random),
            attempts: Attempts::default(),
            bodies: Reader::new(options.body),
            trusted_proxies: options.trusted_proxies,
            idempotency_life_ms: options.idempotency_life_ms,
            outcomes: Arc::default(),
        }
    }

    /// What was answered so far, for metrics.
    #[must_use]
    pub fn outcomes(&self) -> Arc<Outcomes> {
        Arc::clone(&self.outcomes)
    }

    async fn handle<R>(&self, parts: Parts, body: R, origin: &Origin, seen: &mut Seen) -> Result<Answer, Rejection>
    where
        R: Body<Data = Bytes, Error: Send> + Send + Unpin,
    {
        let admitted = self.admit(&parts, origin, seen);
        let (action, caller) = match admitted {
            Ok(admitted) => admitted,
            Err(rejection) => {
                let time = Duration::from_millis(DISCARD_UNKNOWN_MS);
                body::discard(body, DISCARD_UNKNOWN_OCTETS_MAX, time).await;
                return Err(rejection);
            }
        };
        let body = self.bodies.read(&parts.headers, body).await.inspect_err(|_| seen.close = true)?;
        if action.takes_body() {
            check_content_type(&parts.headers)?;
        }
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let path = parts.uri.path().trim_end_matches('/').to_owned();
        let call =
            Call { uniq_id: seen.uniq_id, caller, now: self.clock.now(), headers: parts.headers, path, query, body };
        self.act(action, call).await
    }

    /// Everything that can be said before the body is read.
    fn admit(&self, parts: &Parts, origin: &Origin, seen: &mut Seen) -> Result<(Action, Caller), Rejection> {
        if parts.headers.len() > HEADERS_MAX || origin.is_contradictory(&parts.headers) {
            seen.close = true;
            return Err(Problem::HeadersInvalid.into());
        }
        let target = path::find(parts.uri.path()).ok_or(Problem::PathUnknown)?;
        seen.template = target.template;
        let action = target.resource.action(&parts.method).ok_or_else(|| not_allowed(target.resource))?;
        let address = self.trusted_proxies.client(origin.peer(), &parts.headers);
        let caller = verify(&self.backend.control(), &parts.headers, parts.uri.query(), address);
        let caller = caller.map_err(|problem| self.unknown_caller(problem, address))?;
        seen.account = Some(Arc::clone(&caller.account));
        caller.require(action.permission())?;
        Ok((action, caller))
    }

    /// Wrong keys are counted per address; right ones work even from an address with many wrong ones,
    /// so that one broken client behind a shared address does not lock out the others.
    fn unknown_caller(&self, problem: Problem, address: ClientAddress) -> Rejection {
        if problem != Problem::KeysWrong {
            return problem.into();
        }
        match self.attempts.wrong_key(address.0, self.clock.now()) {
            Ok(()) => problem.into(),
            Err(seconds) => Rejection {
                retry_after_seconds: Some(seconds),
                quota: Some((WRONG_KEYS_MAX, WINDOW_SECONDS)),
                ..Rejection::from(Problem::TooManyAttempts)
            },
        }
    }

    async fn act(&self, action: Action, call: Call) -> Result<Answer, Rejection> {
        match action {
            Action::Send => send::answer(&self.backend, call, self.idempotency_life_ms).await,
            Action::Preview => preview::answer(&self.backend, call).await,
            Action::Hlr => hlr::answer(&self.backend, call).await,
            Action::Cancel => cancel::answer(&self.backend, call).await,
            Action::List => list::answer(&self.backend, &call).await,
            Action::Statuses => statuses::answer(&self.backend, &call).await,
            Action::Senders => senders::answer(&call),
            Action::Incoming => incoming::answer(&self.backend, &call).await,
            Action::Conversation => conversation::answer(&self.backend, &call).await,
            Action::OptOuts => opt_outs::list(&self.backend, &call),
            Action::AddOptOuts => opt_outs::add(&self.backend, call).await,
            Action::RemoveOptOuts => opt_outs::remove(&self.backend, call).await,
            Action::Talks => talks::list(&self.backend, &call),
            Action::EndTalk => talks::end(&self.backend, call).await,
            Action::Events => events::answer(&self.backend, &call).await,
            Action::DeadEvents => dead_events::answer(&self.backend, &call).await,
            Action::Replay => replay::answer(&self.backend, call).await,
            Action::Clicks => clicks::answer(&self.backend, &call).await,
            Action::Webhooks => webhooks::list(&self.backend, &call),
            Action::TestWebhook => webhooks::test(&self.backend, call).await,
            Action::EnableWebhook => webhooks::enable(&self.backend, call).await,
            Action::Attempts => attempts::answer(&self.backend, &call).await,
            Action::Explain => {
                let external_id = path::explained_id(&call.path).ok_or(Problem::PathUnknown)?;
                explain::answer(&self.backend, &call, &external_id).await
            }
        }
    }
}

impl Action {
    fn permission(self) -> Permission {
        match self {
            // A look-up may cost the operator of the server as much as a message.
            Self::Send
            | Self::Preview
            | Self::Hlr
            | Self::Cancel
            | Self::AddOptOuts
            | Self::RemoveOptOuts
            | Self::EndTalk => Permission::SmsSend,
            Self::List
            | Self::Clicks
            | Self::Incoming
            | Self::Conversation
            | Self::OptOuts
            | Self::Talks
            | Self::Statuses
            | Self::Senders
            | Self::Events
            | Self::DeadEvents
            | Self::Explain => Permission::SmsRead,
            Self::Replay | Self::Webhooks | Self::TestWebhook | Self::EnableWebhook | Self::Attempts => {
                Permission::WebhookWrite
            }
        }
    }

    fn takes_body(self) -> bool {
        matches!(
            self,
            Self::Send
                | Self::Preview
                | Self::Hlr
                | Self::Cancel
                | Self::AddOptOuts
                | Self::RemoveOptOuts
                | Self::EndTalk
                | Self::Replay
                | Self::TestWebhook
                | Self::EnableWebhook
        )
    }
}

/// What the log line tells, filled in as it becomes known.
struct Seen {
    uniq_id: UniqId,
    template: &'static str,
    account: Option<Arc<Account>>,
    /// Whether the connection may be in the middle of a request and can't be used any further.
    close: bool,
}

impl<B: Backend> Handler for Api<B> {
    async fn answer<R>(&self, request: Request<R>, origin: &Origin) -> Response<Full<Bytes>>
    where
        R: Body<Data = Bytes, Error: Send> + Send + Unpin,
    {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let (method, version) = (parts.method.clone(), parts.version);
        let mut seen = Seen { uniq_id: self.uniq_ids.next(), template: "-", account: None, close: false };
        let handled = catch_panic(self.handle(parts, body, origin, &mut seen)).await;
        let answer = match handled {
            Some(Ok(answer)) => answer,
            Some(Err(rejection)) => Answer::refused(seen.uniq_id, &rejection),
            None => Answer::problem(seen.uniq_id, Problem::Internal),
        };
        let line = LogLine {
            method: &method,
            path: seen.template,
            status: answer.status(),
            duration: started.elapsed(),
            uniq_id: seen.uniq_id,
            account: seen.account.as_deref().map_or("-", |account| &account.name),
        };
        self.outcomes.note(&line);
        line.write();
        close_after(answer.into_response(), version, seen.close)
    }
}

fn not_allowed(resource: Resource) -> Rejection {
    Rejection { allow: Some(resource.allow()), ..Rejection::from(Problem::MethodNotAllowed) }
}

/// `None` when the future panicked; the panic hook has told where.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
