//! What a client session asks of its owner.

use crate::CommandId;
use crate::pdu::{DataSm, SubmitSm};
use crate::session::{Answers, Handler, OutcomeBatch, PushError, RequestBatch, SendBatch};

/// The owner of a client session. Every call comes from the session's task and must not block.
pub trait ClientHandler: Send + 'static {
    /// Asks for submits while [`SubmitBatch::room`] is above zero. Leaving room means that there is nothing more to
    /// send; the session asks again after [`crate::session::SessionHandle::wake`].
    fn pull(&mut self, batch: &mut SubmitBatch<'_>);

    /// Tells how submits ended, in the order of arrival and before any delivery of a later frame. Each submit that was
    /// pushed is told of exactly once, also when the session's task is cancelled.
    fn outcomes(&mut self, outcomes: &OutcomeBatch);

    /// Tells of answers to submits that had timed out before. Their slots are gone; only knowledge is gained.
    fn late_answers(&mut self, _outcomes: &OutcomeBatch) {}

    /// Hands over the `deliver_sm`, `data_sm` and `alert_notification` of one read, in order. Each but the last kind
    /// is answered once, now by `answers` or later, from any thread, by [`crate::session::SessionHandle::respond`].
    fn delivers(&mut self, delivers: RequestBatch, answers: &mut Answers<'_>);
}

/// Room for submits.
#[derive(Debug)]
pub struct SubmitBatch<'a>(SendBatch<'a>);

impl SubmitBatch<'_> {
    /// How many more submits can be pushed now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.0.room()
    }

    /// Writes a `submit_sm` into the write buffer; `token` comes back with its outcome.
    ///
    /// # Errors
    /// [`PushError`]: the submit was not taken and has no outcome.
    pub fn push(&mut self, token: u64, message: &SubmitSm<'_>) -> Result<(), PushError> {
        self.0.push_sm(CommandId::SUBMIT_SM, token, message)
    }

    /// [`Self::push`] for `data_sm`.
    ///
    /// # Errors
    /// [`PushError`]: the message was not taken and has no outcome.
    pub fn push_data(&mut self, token: u64, message: &DataSm<'_>) -> Result<(), PushError> {
        self.0.push_data(token, message)
    }
}

pub(super) struct Adapter<H>(pub(super) H);

impl<H: ClientHandler> Handler for Adapter<H> {
    fn pull(&mut self, batch: SendBatch<'_>) {
        self.0.pull(&mut SubmitBatch(batch));
    }

    fn outcomes(&mut self, outcomes: &OutcomeBatch) {
        self.0.outcomes(outcomes);
    }

    fn late_answers(&mut self, outcomes: &OutcomeBatch) {
        self.0.late_answers(outcomes);
    }

    fn requests(&mut self, batch: RequestBatch, answers: &mut Answers<'_>) {
        self.0.delivers(batch, answers);
    }
}
