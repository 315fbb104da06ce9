//! The way into this stage.

use std::sync::Arc;

use domain::control::Endpoint;
use domain::event::Event;
use domain::fact::EventId;
use domain::lane::Lane;
use url::Url;

use super::error::OutboxError;
use super::hub::{AnswerHook, Hub};
use super::stats::Figures;
use super::transport::Answer;
use super::try_out;
use super::url::{UrlProblem, check_with};

/// The way into this stage.
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Hub>);

impl Handle {
    /// Tells an event that just became durable. Never blocks: at the bounds the event is left to the store
    /// and read again when there is room.
    pub fn tell(&self, event: Arc<Event>) {
        self.0.tell(event);
    }

    /// Sets who learns what receivers answered to calls they took; once, before the stage runs.
    pub fn on_answer(&self, hook: AnswerHook) {
        if self.0.answer_hook.set(hook).is_err() {
            tracing::error!(target: "tell", "a second hook for answers was ignored");
        }
    }

    /// Whether a URL may be called; see [`Handle::check_url`].
    #[must_use]
    pub fn allows_url(&self, url: &str) -> bool {
        self.check_url(url).is_ok()
    }

    /// Reads a webhook URL and refuses what can be refused without resolving its name.
    ///
    /// # Errors
    /// [`UrlProblem`] with the rule that is broken.
    pub fn check_url(&self, url: &str) -> Result<Url, UrlProblem> {
        check_with(url, &self.0.guard, &self.0.options)
    }

    /// Calls an endpoint once with an empty array, signed as real calls are, to see whether it answers 2xx.
    /// Nothing is recorded and nothing is tried again.
    ///
    /// # Errors
    /// [`UrlProblem`] when the URL may not be called at all.
    pub async fn try_out(&self, endpoint: &Endpoint) -> Result<Answer, UrlProblem> {
        try_out::call(endpoint, &*self.0.transport, &self.0.clock, self.check_url(&endpoint.url)).await
    }

    /// Has events told again, whatever became of them before: durable when this returns `Ok`, told soon
    /// after. Their ids stay the same, their tries go on counting.
    ///
    /// # Errors
    /// [`OutboxError`] when the store refuses; some of the events may be told again all the same.
    pub async fn replay(&self, events: &[EventId]) -> Result<(), OutboxError> {
        for lane in Lane::ALL {
            let own: Vec<_> = events.iter().copied().filter(|event| event.message.lane() == lane).collect();
            let Some(first) = own.iter().min().copied() else { continue };
            self.0.outbox.replay(lane, own).await?;
            let reading = &self.0.reading[lane.index()];
            reading.leave(first);
            reading.wanted.notify_one();
        }
        Ok(())
    }

    /// The figures at this moment.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.0.figures()
    }
}
